"""Which leads are due for another decision. Claiming marks a lead, so that several routers do not ask all at once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from shared.postgres import Connection

CLAIM = timedelta(seconds=60)
"""A lead that was asked for and is still due after this long is asked for again: the asking may have been lost."""
VACANCY_CLAIM = timedelta(seconds=10)
"""The same for a lead that was asked for because there is a place for it: the place is kept for it meanwhile."""


class Limits(NamedTuple):
    """How many leads a site takes."""

    site_id: str
    open_leads: int | None
    daily: int | None
    today: date | None
    """Its present day, when it has a daily limit."""


class Due(NamedTuple):
    """A lead that is due, with the context to ask under."""

    lead_id: UUID
    epoch: int
    due_at: datetime
    traceparent: str | None


async def claim_silent(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """Held leads whose site did not answer by the deadline, the longest overdue first."""
    rows = await connection.fetch(
        """WITH due AS (
               SELECT lead_id FROM leads
               WHERE state = 'held' AND respond_by <= $1
                 AND (due_published_at IS NULL OR due_published_at <= $2)
               ORDER BY respond_by LIMIT $3 FOR UPDATE SKIP LOCKED)
           UPDATE leads SET due_published_at = $1 FROM due WHERE leads.lead_id = due.lead_id
           RETURNING leads.lead_id, epoch, respond_by, traceparent""",
        now,
        now - CLAIM,
        limit,
    )
    return sorted((Due(*row) for row in rows), key=lambda due: due.due_at)


async def claim_outdated(
    connection: Connection, revision: int, version: int, opening: datetime | None, now: datetime, limit: int
) -> list[Due]:
    """Waiting leads that were decided under an older network or policy than the current one, oldest first.

    Without those that wait for a person: no change ends that wait.

    `opening`: when the latest site began its business, which no revision says anew; None when none had a first day.
    """
    rows = await connection.fetch(
        """WITH due AS (
               SELECT lead_id FROM leads
               WHERE state = 'waiting' AND waiting IS DISTINCT FROM 'needs_person'
                 AND (network_revision < $1 OR policy_version < $2 OR changed_at < $6)
                 AND (due_published_at IS NULL OR due_published_at <= $4)
               ORDER BY received_at LIMIT $5 FOR UPDATE SKIP LOCKED)
           UPDATE leads SET due_published_at = $3 FROM due WHERE leads.lead_id = due.lead_id
           RETURNING leads.lead_id, epoch, received_at, traceparent""",
        revision,
        version,
        now,
        now - CLAIM,
        limit,
        opening,
    )
    return sorted((Due(*row) for row in rows), key=lambda due: due.due_at)


async def claim_timed(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """Waiting leads whose own time to be tried again has come, the oldest first."""
    rows = await connection.fetch(
        """WITH due AS (
               SELECT lead_id FROM leads
               WHERE state = 'waiting' AND retry_at <= $1
                 AND (due_published_at IS NULL OR due_published_at <= $2)
               ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED)
           UPDATE leads SET due_published_at = $1 FROM due WHERE leads.lead_id = due.lead_id
           RETURNING leads.lead_id, epoch, received_at, traceparent""",
        now,
        now - CLAIM,
        limit,
    )
    return sorted((Due(*row) for row in rows), key=lambda due: due.due_at)


async def claim_next(connection: Connection, limits: Sequence[Limits], now: datetime, limit: int) -> list[Due]:
    """Of the leads that wait for each of these sites the oldest, as many as it has free places.

    Places that were freed are counted, not remembered: a look that is lost costs nothing. Who stands there and waits no
    more is removed: a router of before there were queues leaves such rows, while it still runs beside new ones.
    """
    rows = await connection.fetch(
        """WITH room AS (
               SELECT limited.site_id,
                      greatest(0, least(open_leads - coalesce(held, 0), daily - coalesce(taken, 0))) AS places
               FROM unnest($1::text[], $2::int[], $3::int[], $4::date[]) AS limited (site_id, open_leads, daily, day)
               LEFT JOIN site_loads ON site_loads.site_id = limited.site_id
               LEFT JOIN site_days ON site_days.site_id = limited.site_id AND site_days.day = limited.day),
           fitting AS MATERIALIZED (
               SELECT room.site_id, oldest.lead_id FROM room CROSS JOIN LATERAL (
                   SELECT lead_id FROM site_queues WHERE site_queues.site_id = room.site_id
                   ORDER BY received_at, lead_id LIMIT room.places) AS oldest),
           strays AS (
               DELETE FROM site_queues USING fitting LEFT JOIN leads ON leads.lead_id = fitting.lead_id
               WHERE site_queues.lead_id = fitting.lead_id AND site_queues.site_id = fitting.site_id
                 AND leads.state IS DISTINCT FROM 'waiting'),
           due AS (
               SELECT leads.lead_id FROM leads
               WHERE lead_id IN (SELECT lead_id FROM fitting) AND state = 'waiting'
                 AND (due_published_at IS NULL OR due_published_at <= $6)
               ORDER BY received_at LIMIT $7 FOR UPDATE SKIP LOCKED)
           UPDATE leads SET due_published_at = $5 FROM due WHERE leads.lead_id = due.lead_id
           RETURNING leads.lead_id, epoch, received_at, traceparent""",
        [one.site_id for one in limits],
        [one.open_leads for one in limits],
        [one.daily for one in limits],
        [one.today for one in limits],
        now,
        now - VACANCY_CLAIM,
        limit,
    )
    return sorted((Due(*row) for row in rows), key=lambda due: due.due_at)


async def claim_long_full(connection: Connection, full_before: datetime, now: datetime, limit: int) -> list[Due]:
    """Leads that wait for a full site since `full_before`, the oldest first."""
    rows = await connection.fetch(
        """WITH due AS (
               SELECT lead_id FROM leads
               WHERE state = 'waiting' AND waits_for <> '{}' AND changed_at <= $1
                 AND (due_published_at IS NULL OR due_published_at <= $3)
               ORDER BY received_at LIMIT $4 FOR UPDATE SKIP LOCKED)
           UPDATE leads SET due_published_at = $2 FROM due WHERE leads.lead_id = due.lead_id
           RETURNING leads.lead_id, epoch, received_at, traceparent""",
        full_before,
        now,
        now - CLAIM,
        limit,
    )
    return sorted((Due(*row) for row in rows), key=lambda due: due.due_at)


async def longest_overdue(connection: Connection, now: datetime) -> datetime | None:
    """The deadline that has been over for the longest; None when none is. An index look-up."""
    found: datetime | None = await connection.fetchval(
        "SELECT min(respond_by) FROM leads WHERE state = 'held' AND respond_by <= $1", now
    )
    return found
