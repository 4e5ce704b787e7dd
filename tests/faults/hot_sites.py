"""What the ledger itself says of capacity: its decisions in the order in which they were committed, counted anew.

`decided_at` is no such order, with four clocks. A deferred trigger notes every decision at its commit, while the
transaction still has the rows of the sites that it spent on: two that want one site are noted in their true order.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from services.router.sites import Site

WITNESS = """
    CREATE TABLE public.commits (
        place bigserial PRIMARY KEY, transaction text NOT NULL, lead_id uuid NOT NULL, epoch int NOT NULL,
        began timestamptz NOT NULL DEFAULT transaction_timestamp(),
        noted timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE FUNCTION public.note_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO public.commits (transaction, lead_id, epoch)
        VALUES (pg_current_xact_id()::text, NEW.lead_id, NEW.epoch);
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON router.decisions
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note_commit();
"""


class Noted(NamedTuple):
    """One decision of the ledger, with the transaction that committed it."""

    transaction: str
    lead_id: str
    epoch: int
    outcome: str
    site_id: str | None
    day: date
    """In the time zone of these sites."""


class Counters(NamedTuple):
    """What the routers keep for themselves."""

    held: dict[str, int]
    taken: dict[tuple[str, date], int]
    states: dict[str, tuple[str, str | None]]
    """State of every lead, and its site when it is held."""


@dataclass
class Recount:
    """The ledger, decision by decision. `add` fails where a site has more than it may."""

    open_limits: dict[str, int]
    daily_limits: dict[str, int]
    holders: dict[str, str | None] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    epochs: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    taken: Counter[tuple[str, date]] = field(default_factory=Counter)
    most_held: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, sites: Iterable[Site], ledger: Iterable[Noted]) -> "Recount":
        """All of the ledger, counted."""
        known = list(sites)
        recount = cls(
            {site.site_id: site.open_lead_limit for site in known if site.open_lead_limit is not None},
            {site.site_id: site.daily_lead_limit for site in known if site.daily_lead_limit is not None},
        )
        for _, decisions in groupby(ledger, key=lambda noted: noted.transaction):
            recount.add(list(decisions))
        return recount

    def add(self, committed: list[Noted]) -> None:
        """One transaction: only after all of it can a rule be broken, as nobody sees less of it."""
        for noted in committed:
            self._move(noted)
        for site_id in {noted.site_id for noted in committed if noted.site_id is not None}:
            self.most_held[site_id] = max(self.most_held[site_id], self.held[site_id])
            assert self.held[site_id] <= self.open_limits.get(site_id, self.held[site_id]), f"{site_id} holds too many"
        for (site_id, day), count in self.taken.items():
            assert count <= self.daily_limits.get(site_id, count), f"{site_id} was given too many on {day}"

    def _move(self, noted: Noted) -> None:
        self.epochs[noted.lead_id] += 1
        assert noted.epoch == self.epochs[noted.lead_id], f"{noted.lead_id} went back or jumped"
        before = self.holders.get(noted.lead_id)
        if before is not None:
            self.held[before] -= 1
        after = noted.site_id if noted.outcome == "assigned" else None
        if after is not None:
            self.held[after] += 1
            self.taken[after, noted.day] += 1
        self.holders[noted.lead_id] = after
        self.states[noted.lead_id] = "held" if after is not None else noted.outcome

    def counters(self) -> Counters:
        """What the routers' own counters should be."""
        return Counters(
            {site_id: count for site_id, count in self.held.items() if count},
            {key: count for key, count in self.taken.items() if key[0] in self.daily_limits},
            {lead_id: (state, self.holders[lead_id]) for lead_id, state in self.states.items()},
        )


async def read(dsn: str, zone: ZoneInfo) -> tuple[list[Noted], Counters]:
    """Ledger and counters at one moment, whatever goes on."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            ledger = await connection.fetch(
                "SELECT transaction, lead_id::text, epoch, outcome, site_id, decided_at "
                "FROM router.decisions FULL JOIN public.commits USING (lead_id, epoch) ORDER BY place"
            )
            held = await connection.fetch("SELECT site_id, held FROM router.site_loads WHERE held > 0")
            taken = await connection.fetch("SELECT site_id, day, taken FROM router.site_days WHERE taken > 0")
            leads = await connection.fetch(
                "SELECT lead_id::text, state, CASE state WHEN 'held' THEN site_id END FROM router.leads"
            )
    finally:
        await connection.close()
    noted = [Noted(*row.values()) for row in ledger]
    return (
        [one._replace(day=row["decided_at"].astimezone(zone).date()) for one, row in zip(noted, ledger, strict=True)],
        Counters(
            {row["site_id"]: row["held"] for row in held},
            {(site_id, day): count for site_id, day, count in taken},
            {lead_id: (state, site_id) for lead_id, state, site_id in leads},
        ),
    )
