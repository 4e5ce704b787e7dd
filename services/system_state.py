"""What `waypost doctor` sees of the running system: every service, the lag of every group, and dead letters."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

from services.attendance import Attendance, attend, health_urls
from services.groups import group_of, groups
from services.router.settings import RouterSettings
from services.store_notifier.settings import NotifierSettings
from shared.kafka.dead_recently import Buried, buried_since
from shared.kafka.lag import Lag, lags, members
from shared.migrate import SERVICES
from shared.settings import Settings

LOOK_AGAIN_S = 2.0
"""A group that has something to do and handled nothing for so long stands still: batches take milliseconds."""


@dataclass(frozen=True)
class Finding:
    """What one look found."""

    problems: Sequence[str]
    notes: Sequence[str] = field(default=())
    """Worth to be seen, and nothing wrong."""

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return asdict(self)


async def services(settings: Settings, router: RouterSettings, notifier: NotifierSettings) -> Finding:
    """Every service is running and ready; those that nobody gave an address for are looked for in their groups."""
    found = await attend(health_urls(settings.health_urls))
    told = {process.service for process in found}
    problems, notes = [], []
    for process in found:
        if process.is_ready:
            notes.append(f"{process.service}: ready ({process.url})")
            notes += [f"{process.service}: {alarm}" for alarm in process.alarms]
        else:
            problems.append(_told(process))
            notes += [f"{process.service}: {alarm}" for alarm in process.alarms]
    if untold := [service for service in SERVICES if service not in told]:
        there = await members(settings, [group_of(service, router, notifier) for service in untold])
        hint = "WAYPOST_HEALTH_URLS=SERVICE=http://HOST:PORT,... names its health listener"
        for service in untold:
            count = there[group_of(service, router, notifier)]
            if count:
                notes.append(f"{service}: {count} in its group; not asked whether it is ready: {hint}")
            else:
                problems.append(f"{service}: not running: nobody is in its consumer group")
    return Finding(problems, notes)


def _told(process: Attendance) -> str:
    state = "not ready" if process.is_running else "not running"
    return f"{process.service}: {state}: {'; '.join(process.reasons) or 'it gives no reason'}"


async def lag(settings: Settings, router: RouterSettings, notifier: NotifierSettings) -> Finding:
    """Every group that has something to do is doing it."""
    before = await lags(settings, groups(router, notifier))
    behind = [one for one in before if one.records]
    if not behind:
        return Finding([], ["every group has handled every record"])
    await asyncio.sleep(LOOK_AGAIN_S)
    handled = {(one.group, one.topic): one.handled for one in before}
    problems, notes = [], []
    for one in [one for one in await lags(settings, groups(router, notifier)) if one.records]:
        if one.handled == handled.get((one.group, one.topic)) and any(_same(one, earlier) for earlier in behind):
            problems.append(f"{_lag(one)}, none was handled in {LOOK_AGAIN_S:.0f} s")
        else:
            notes.append(_lag(one))
    return Finding(problems, notes)


def _same(one: Lag, other: Lag) -> bool:
    return (one.group, one.topic) == (other.group, other.topic)


def _lag(one: Lag) -> str:
    return f"group {one.group}: {one.records} {_records(one.records)} of {one.topic} {_wait(one.records)}"


async def dead_letters(settings: Settings, since: timedelta) -> Finding:
    """Nothing was buried lately."""
    return Finding([_buried(one) for one in await buried_since(settings, datetime.now(UTC) - since)])


def _buried(one: Buried) -> str:
    text = f"{one.topic}: {one.records} {_records(one.records)} buried"
    if one.newest is None:
        return f"{text}; the last ones are no dead letters"
    newest = one.newest
    place = f"{newest.source_topic}/{newest.source_partition}/{newest.source_offset}"
    writer = f"says it is from {newest.written_by}" if newest.written_by else "no version of Waypost wrote it"
    at = newest.died_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{text}; the last at {at} by {newest.consumer} ({place}, {writer}): {newest.reason}"


def _records(count: int) -> str:
    return "record" if count == 1 else "records"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"
