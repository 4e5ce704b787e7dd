"""What the ledger itself says of whose turn it was: no place went to a newer lead that an older one waited for.

Decisions are taken in the order in which they were committed (`hot_sites.WITNESS`). A transaction that gives places
away cannot know of leads whose waiting was not committed when it looked, and a commit is noted a moment early.
So only leads count that had waited for a while when the transaction began.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from services.router.sites import Site

A_WHILE = timedelta(seconds=2)


class Turn(NamedTuple):
    """One decision, as the ledger and its witness have it."""

    transaction: str
    began: datetime
    """When its transaction did."""
    noted: datetime
    """When that was about to be committed."""
    day: date
    """On which it was decided, in the time zone of these sites."""
    record: Mapping[str, Any]


class Wait(NamedTuple):
    """A lead that waits."""

    received_at: datetime
    lead_id: str
    since: datetime
    sites: frozenset[str]
    """Full ones, which would have taken it."""


@dataclass
class Turns:
    """The ledger, transaction by transaction. `add` fails where somebody was passed over."""

    sites: Mapping[str, Site]
    waits: dict[str, Wait] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    taken: Counter[tuple[str, date]] = field(default_factory=Counter)
    served: int = 0
    """Leads that had waited and were given a site."""

    @classmethod
    def of(cls, sites: Iterable[Site], ledger: Iterable[Turn]) -> "Turns":
        """All of the ledger."""
        turns = cls({site.site_id: site for site in sites})
        for _, decisions in groupby(ledger, key=lambda turn: turn.transaction):
            turns.add(list(decisions))
        return turns

    def add(self, committed: list[Turn]) -> None:
        """One transaction."""
        newest: dict[str, tuple[datetime, str]] = {}
        waited = dict(self.waits)
        for turn in committed:
            record = turn.record
            lead_id, received_at = record["lead_id"], datetime.fromisoformat(record["received_at"])
            waited.pop(lead_id, None)
            self.served += record["outcome"] == "assigned" and lead_id in self.waits
            self.waits.pop(lead_id, None)
            self.holders.pop(lead_id, None)
            if record["outcome"] == "waiting":
                full = {one["site_id"] for one in record["candidates"] if one.get("lost") in ("full", "full_today")}
                self.waits[lead_id] = Wait(received_at, lead_id, turn.noted, frozenset(full))
            elif record["outcome"] == "assigned":
                site_id = record["site_id"]
                self.holders[lead_id] = site_id
                self.taken[site_id, turn.day] += 1
                newest[site_id] = max(newest.get(site_id, (received_at, lead_id)), (received_at, lead_id))
        for site_id, last in newest.items():
            older = [
                wait
                for wait in waited.values()
                if site_id in wait.sites and wait[:2] < last and wait.since + A_WHILE < committed[0].began
            ]
            left = self._free(site_id, committed[0].day)
            assert len(older) <= left, f"{site_id} was given {last[1]}, which came after {min(older).lead_id}"

    def _free(self, site_id: str, day: date) -> float:
        site, free = self.sites[site_id], [float("inf")]
        if site.open_lead_limit is not None:
            free.append(site.open_lead_limit - Counter(self.holders.values())[site_id])
        if site.daily_lead_limit is not None:
            free.append(site.daily_lead_limit - self.taken[site_id, day])
        return min(free)


async def read(dsn: str, zone: ZoneInfo) -> list[Turn]:
    """The ledger in the order of its commits."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT transaction, began, noted, decided_at, record::text "
            "FROM router.decisions JOIN public.commits USING (lead_id, epoch) ORDER BY place"
        )
    finally:
        await connection.close()
    return [
        Turn(transaction, began, noted, decided_at.astimezone(zone).date(), orjson.loads(record))
        for transaction, began, noted, decided_at, record in rows
    ]
