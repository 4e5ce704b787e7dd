"""PostgreSQL's time, kept in a process without asking for it: its clock as last compared, and what has passed since.

Every process stamps facts and compares them with times that others stamped. So all of them follow one clock, that of
the database which they share; a machine's own clock is only looked at to say that it is wrong.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TOLERANCE = timedelta(seconds=2)
"""A machine's clock that is off by more is told: NTP keeps machines within milliseconds."""
BELIEVED = timedelta(days=1)
"""What is recorded to happen later than that is no wrong clock but a wrong record: nobody waits for it."""


class Comparison(NamedTuple):
    """One look at PostgreSQL's clock."""

    asked_s: float
    """When it was asked, in seconds of the clock that nobody sets (`since_boot_s`)."""
    answered_s: float
    theirs: datetime
    """What PostgreSQL said, at some time between the two."""
    own: datetime
    """This machine's clock when the answer was there."""

    @property
    def unsure(self) -> timedelta:
        """How far PostgreSQL's clock may be from `at_answer`: half of the round trip."""
        return timedelta(seconds=self.answered_s - self.asked_s) / 2

    @property
    def at_answer(self) -> datetime:
        """PostgreSQL's clock when the answer was there, had both ways taken equally long."""
        return self.theirs + self.unsure

    @property
    def offset(self) -> timedelta:
        """This machine's clock minus PostgreSQL's; `unsure` by how much."""
        return self.own - self.at_answer

    @property
    def is_off(self) -> bool:
        """Whether this machine's clock is wrong beyond the tolerance, however long the answer took."""
        return abs(self.offset) - self.unsure > TOLERANCE


class Clock:
    """Call it for the present time, in UTC.

    Until `follow` was called it is this machine's clock, continued by the one that nobody sets. It never goes back by
    less than the tolerance; when PostgreSQL's clock is set back by more, it goes back with it.
    """

    def __init__(self, own: Callable[[], datetime], since_boot_s: Callable[[], float]) -> None:
        self._since_boot_s = since_boot_s
        self._at_s = since_boot_s()
        self._then = own()
        self._latest = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        """The present time."""
        now = self._time_at(self._since_boot_s())
        if now < self._latest and self._latest - now <= TOLERANCE:
            return self._latest
        self._latest = now
        return now

    def follow(self, seen: Comparison) -> timedelta:
        """Go by what was seen; returns by how much the time was moved.

        An answer that took long says little: the time is moved no further than to where it can be true, so a process
        that was frozen while it asked learns nothing from it.
        """
        away = seen.at_answer - self._time_at(seen.answered_s)
        if abs(away) <= seen.unsure:
            return timedelta(0)
        moved = away - seen.unsure if away > timedelta(0) else away + seen.unsure
        self._then = self._time_at(seen.answered_s) + moved
        self._at_s = seen.answered_s
        return moved

    def _time_at(self, second: float) -> datetime:
        return self._then + timedelta(seconds=second - self._at_s)


def no_earlier(now: datetime, recorded: datetime) -> datetime:
    """The time of what follows `recorded`: now, or its time where a clock that was ahead has recorded it."""
    return recorded if now < recorded <= now + BELIEVED else now


def told(offset: timedelta) -> str:
    """What a person is told of a machine's clock that is off by so much, with what to do."""
    seconds = offset.total_seconds()
    side = "behind" if seconds < 0 else "ahead of"
    return (
        f"this machine's clock is {abs(seconds):.1f} s {side} PostgreSQL's: synchronise both with NTP; until then "
        "Waypost goes by PostgreSQL's"
    )


def own_clock() -> datetime:
    """This machine's clock, which may be wrong."""
    return datetime.now(UTC)


def since_boot_s() -> float:
    """Seconds since the machine was started, also of those in which it slept where the system counts them.

    Linux counts them in CLOCK_BOOTTIME, unlike in the clock of `time.monotonic` (clock_gettime(2)).
    """
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
