"""Which leads are due for another decision. Claiming marks a lead, so that several routers do not ask all at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from shared.postgres import Connection

CLAIM = timedelta(seconds=60)
"""A lead that was asked for and is still due after this long is asked for again: the asking may have been lost."""


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


async def claim_roomless(
    connection: Connection, limits: Mapping[str, int], full_before: datetime, now: datetime, limit: int
) -> list[Due]:
    """Leads that wait for a full site: the oldest for every free place (`limits` by site), and all since `full_before`.

    Places that were freed are counted, not remembered: a sweep that is lost costs nothing.
    """
    rows = await connection.fetch(
        """WITH room AS (
               SELECT limited.site_id, open_lead_limit - coalesce(held, 0) AS places
               FROM unnest($1::text[], $2::int[]) AS limited (site_id, open_lead_limit)
               LEFT JOIN site_loads ON site_loads.site_id = limited.site_id
               WHERE open_lead_limit > coalesce(held, 0)),
           fitting AS (
               SELECT oldest.lead_id FROM room CROSS JOIN LATERAL (
                   SELECT lead_id FROM leads
                   WHERE state = 'waiting' AND waits_for <> '{}' AND waits_for @> ARRAY[room.site_id]
                   ORDER BY received_at LIMIT room.places) AS oldest
               UNION
               SELECT lead_id FROM leads WHERE state = 'waiting' AND waits_for <> '{}' AND changed_at <= $3),
           due AS (
               SELECT leads.lead_id FROM leads JOIN fitting ON fitting.lead_id = leads.lead_id
               WHERE state = 'waiting' AND (due_published_at IS NULL OR due_published_at <= $5)
               ORDER BY received_at LIMIT $6 FOR UPDATE OF leads SKIP LOCKED)
           UPDATE leads SET due_published_at = $4 FROM due WHERE leads.lead_id = due.lead_id
           RETURNING leads.lead_id, epoch, received_at, traceparent""",
        list(limits),
        list(limits.values()),
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
