"""Leads that wait, for people to look at."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.contracts import WaitingReason
from shared.postgres import Connection


class WaitingLead(NamedTuple):
    """One lead that nobody holds."""

    lead_id: UUID
    epoch: int
    intent: str
    reason: WaitingReason
    received_at: datetime
    decided_at: datetime
    """When it was last found that it has to wait."""
    tries: int
    """Sites that let it go."""
    lat: float | None
    lon: float | None
    waits_for_room: bool
    """Whether a site would take it, if that did not hold so many."""
    retry_at: datetime | None
    """Its own time to be tried again."""


class WaitingLine(NamedTuple):
    """How many leads wait for one reason, and since when the oldest of them is here."""

    reason: WaitingReason
    leads: int
    oldest: datetime


async def waiting_leads(connection: Connection, reason: WaitingReason | None, limit: int) -> list[WaitingLead]:
    """Leads that wait (for `reason`, or for any): first those that wait for a person, then the oldest."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch, intent, waiting, received_at, changed_at, cardinality(excluded) AS tries, lat, lon,
                  waits_for <> '{}' AS waits_for_room, retry_at
           FROM leads WHERE state = 'waiting' AND waiting IS NOT NULL AND ($1::text IS NULL OR waiting = $1)
           ORDER BY waiting = 'needs_person' DESC, received_at, lead_id LIMIT $2""",
        reason,
        limit,
    )
    return [WaitingLead(*row)._replace(reason=WaitingReason(row["waiting"])) for row in rows]


async def waiting_lines(connection: Connection) -> list[WaitingLine]:
    """How many wait for each reason; none for a reason that nobody waits for."""
    rows = await connection.fetch(
        """SELECT waiting, count(*) AS leads, min(received_at) AS oldest FROM leads
           WHERE state = 'waiting' AND waiting IS NOT NULL
           GROUP BY waiting ORDER BY waiting = 'needs_person' DESC, min(received_at)"""
    )
    return [WaitingLine(WaitingReason(row["waiting"]), row["leads"], row["oldest"]) for row in rows]
