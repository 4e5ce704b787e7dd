"""Where each lead stands, and the vehicle it is about."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.store_notifier.domain import Assignment, State
from shared.postgres import Connection


async def advance(connection: Connection, assignments: Sequence[Assignment]) -> dict[UUID, int | None]:
    """Store newer decisions, one per lead at most. An older epoch changes nothing.

    Returns the leads that moved, and the epoch of the assignment that was open until then, if one was.
    """
    if not assignments:
        return {}
    # Every transaction locks leads in this order, so that no two wait for each other.
    assignments = sorted(assignments, key=lambda assignment: assignment.lead_id)
    rows = await connection.fetch(
        """WITH open AS MATERIALIZED (
               SELECT lead_id, epoch FROM assignments WHERE lead_id = ANY($1) AND state = 'assigned'),
           moved AS (
           INSERT INTO assignments AS a (lead_id, epoch, decision_id, state, site_id, assignment_epoch, respond_by,
                                         decided_at, traceparent, remind_at, escalate_at, partner)
           SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::int[],
                                $7::timestamptz[], $8::timestamptz[], $9::text[], $10::timestamptz[],
                                $11::timestamptz[], $12::text[])
           ON CONFLICT (lead_id) DO UPDATE
           SET epoch = excluded.epoch, decision_id = excluded.decision_id, state = excluded.state,
               site_id = excluded.site_id, assignment_epoch = excluded.assignment_epoch,
               respond_by = excluded.respond_by, decided_at = excluded.decided_at,
               traceparent = excluded.traceparent, remind_at = excluded.remind_at,
               escalate_at = excluded.escalate_at, partner = excluded.partner
           WHERE excluded.epoch > a.epoch
           RETURNING lead_id)
           SELECT moved.lead_id, open.epoch FROM moved LEFT JOIN open USING (lead_id)""",
        [a.lead_id for a in assignments],
        [a.epoch for a in assignments],
        [a.decision_id for a in assignments],
        [a.state for a in assignments],
        [a.site_id for a in assignments],
        [a.assignment_epoch for a in assignments],
        [a.respond_by for a in assignments],
        [a.decided_at for a in assignments],
        [a.traceparent for a in assignments],
        [a.remind_at for a in assignments],
        [a.escalate_at for a in assignments],
        [a.partner for a in assignments],
    )
    return {row["lead_id"]: row["epoch"] for row in rows}


async def current(connection: Connection, lead_id: UUID) -> Assignment | None:
    """Where a lead stands."""
    row = await connection.fetchrow("SELECT * FROM assignments WHERE lead_id = $1", lead_id)
    return _assignment(row) if row else None


async def lock(connection: Connection, lead_id: UUID) -> Assignment | None:
    """Where a lead stands, and stays until this transaction ends."""
    row = await connection.fetchrow("SELECT * FROM assignments WHERE lead_id = $1 FOR NO KEY UPDATE", lead_id)
    return _assignment(row) if row else None


async def live_epochs(connection: Connection, lead_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Epoch of the open assignment of each lead that has one; the rows are this transaction's until it ends.

    So two processes whose attempts for one assignment fail at once do it one after the other, and the second one sees
    that no channel is left.
    """
    rows = await connection.fetch(
        "SELECT lead_id, epoch, state FROM assignments WHERE lead_id = ANY($1) ORDER BY lead_id FOR NO KEY UPDATE",
        lead_ids,
    )
    return {row["lead_id"]: row["epoch"] for row in rows if row["state"] == State.ASSIGNED}


_DUE = """UPDATE assignments a SET {0} = NULL FROM (
              SELECT lead_id, epoch, {0} AS due_at FROM assignments WHERE {0} <= $1
              ORDER BY {0} LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) due
          JOIN inbox_items i USING (lead_id, epoch)
          WHERE a.lead_id = due.lead_id
          RETURNING a.lead_id, a.epoch, a.decision_id, a.site_id, a.partner, a.respond_by, a.traceparent, i.intent,
                    i.distance_m, due.due_at, EXISTS (
                        SELECT 1 FROM answers s WHERE s.lead_id = a.lead_id AND s.epoch = a.epoch) AS answered"""


async def take_to_remind(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Assignments whose site is to be reminded by now, the longest due first. Taken once: another look finds none."""
    return await connection.fetch(_DUE.format("remind_at"), now, limit)


async def take_to_escalate(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Assignments whose partner is to be told by now; the same as `take_to_remind` otherwise."""
    return await connection.fetch(_DUE.format("escalate_at"), now, limit)


def _assignment(row: asyncpg.Record) -> Assignment:
    return Assignment(
        lead_id=row["lead_id"],
        epoch=row["epoch"],
        decision_id=row["decision_id"],
        state=State(row["state"]),
        site_id=row["site_id"],
        assignment_epoch=row["assignment_epoch"],
        respond_by=row["respond_by"],
        decided_at=row["decided_at"],
        traceparent=row["traceparent"],
    )


async def remember_vehicles(connection: Connection, vehicles: Sequence[tuple[UUID, str, datetime]]) -> None:
    """Store `(lead_id, vehicle as JSON, received_at)`; the first one of a lead stays."""
    vehicles = sorted(vehicles)
    await connection.execute(
        """INSERT INTO vehicles (lead_id, vehicle, received_at)
           SELECT lead_id, vehicle::json, received_at
           FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) v(lead_id, vehicle, received_at)
           ON CONFLICT DO NOTHING""",
        [vehicle[0] for vehicle in vehicles],
        [vehicle[1] for vehicle in vehicles],
        [vehicle[2] for vehicle in vehicles],
    )


async def lock_over(connection: Connection, before: datetime, limit: int) -> list[UUID]:
    """The oldest leads that ended before then, at most `limit`: no site holds them, and no site will."""
    rows = await connection.fetch(
        """SELECT lead_id FROM assignments WHERE state IN ('joined', 'outcome', 'erased') AND decided_at < $1
           ORDER BY decided_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        before,
        limit,
    )
    return [row["lead_id"] for row in rows]


async def lock_held_since(connection: Connection, before: datetime, limit: int) -> list[UUID]:
    """The leads accepted before then and without an outcome since, the oldest first, at most `limit`."""
    rows = await connection.fetch(
        """SELECT lead_id FROM assignments WHERE state = 'accepted' AND decided_at < $1
           ORDER BY decided_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        before,
        limit,
    )
    return [row["lead_id"] for row in rows]


async def forget(connection: Connection, lead_ids: Sequence[UUID]) -> None:
    """Delete locked leads with all that hangs on them: answers, inbox items, contact fetches, the vehicle.

    Whoever writes those for a lead has locked the lead first, so nothing of it is left or added meanwhile.
    """
    await connection.execute(
        """WITH gone_answers AS (DELETE FROM answers WHERE lead_id = ANY($1)),
                gone_items AS (DELETE FROM inbox_items WHERE lead_id = ANY($1)),
                gone_fetches AS (DELETE FROM contact_fetches WHERE lead_id = ANY($1)),
                gone_vehicles AS (DELETE FROM vehicles WHERE lead_id = ANY($1))
           DELETE FROM assignments WHERE lead_id = ANY($1)""",
        lead_ids,
    )


async def forget_vehicles(connection: Connection, before: datetime, limit: int) -> int:
    """Forget vehicles of leads from before that did not go with their leads. Returns how many."""
    rows = await connection.fetch(
        """DELETE FROM vehicles WHERE lead_id IN (
               SELECT lead_id FROM vehicles WHERE received_at < $1
               ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED)
           RETURNING lead_id""",
        before,
        limit,
    )
    return len(rows)
