"""Deliveries: entered by the Kafka handler, claimed endpoint by endpoint, settled by their sender or by the reaper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.store_notifier.domain import BREAKER_THRESHOLD, Event, Over, Revoked
from shared.postgres import Connection

WAKE = "store_notifier_deliveries"
"""NOTIFY channel that tells schedulers to look now; without payload."""
DUE, LEASED, DELIVERED, FAILED, VOID = range(5)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """What one endpoint shall be told of an assignment. `status` is VOID when a newer decision came in its batch."""

    delivery_id: UUID
    decision_id: UUID
    endpoint_id: UUID
    lead_id: UUID
    epoch: int
    site_id: str
    intent: str
    distance_m: int
    traceparent: str | None
    status: int
    next_at: datetime
    expires_at: datetime
    decided_at: datetime
    """When that happened which is told."""
    event: Event = Event.CREATED
    reason: Revoked | Over | None = None
    """Why the assignment is over, when that is told."""
    respond_by: datetime | None = None
    """Until when the site had time, for the end of an escalation, whose `expires_at` is something else."""


async def add(connection: Connection, deliveries: Sequence[NewDelivery]) -> set[UUID]:
    """Enter what is not there yet and return its ids."""
    if not deliveries:
        return set()
    deliveries = sorted(deliveries, key=lambda d: d.delivery_id)
    rows = await connection.fetch(
        """INSERT INTO deliveries (delivery_id, decision_id, endpoint_id, lead_id, epoch, site_id, intent, distance_m,
                                   traceparent, status, next_at, expires_at, decided_at, event, reason, respond_by,
                                   finished_at)
           SELECT *, CASE WHEN status = 4 THEN next_at END
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::int[],
                       $9::text[], $10::smallint[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
                       $14::text[], $15::text[], $16::timestamptz[])
                d(delivery_id, decision_id, endpoint_id, lead_id, epoch, site_id, intent, distance_m, traceparent,
                  status, next_at, expires_at, decided_at, event, reason, respond_by)
           ON CONFLICT (decision_id, endpoint_id, event) DO NOTHING RETURNING delivery_id""",
        [d.delivery_id for d in deliveries],
        [d.decision_id for d in deliveries],
        [d.endpoint_id for d in deliveries],
        [d.lead_id for d in deliveries],
        [d.epoch for d in deliveries],
        [d.site_id for d in deliveries],
        [d.intent for d in deliveries],
        [d.distance_m for d in deliveries],
        [d.traceparent for d in deliveries],
        [d.status for d in deliveries],
        [d.next_at for d in deliveries],
        [d.expires_at for d in deliveries],
        [d.decided_at for d in deliveries],
        [d.event for d in deliveries],
        [d.reason for d in deliveries],
        [d.respond_by for d in deliveries],
    )
    return {row["delivery_id"] for row in rows}


async def void_before(
    connection: Connection, lead_ids: Sequence[UUID], epochs: Sequence[int], now: datetime
) -> list[asyncpg.Record]:
    """Void what still waits for earlier epochs of the leads, and return it. Its sender settles what is under way.

    That an assignment is over is told all the same.
    """
    return await connection.fetch(
        """UPDATE deliveries d SET status = 4, finished_at = $3 FROM unnest($1::uuid[], $2::int[]) n(lead_id, epoch)
           WHERE d.lead_id = n.lead_id AND d.epoch < n.epoch AND d.status = 0
             AND d.event NOT IN ('revoked', 'escalation_ended')
           RETURNING d.*""",
        lead_ids,
        epochs,
        now,
    )


async def void_reminders(connection: Connection, lead_id: UUID, epoch: int, now: datetime) -> list[asyncpg.Record]:
    """Void the reminders of an assignment that was answered, the partner's too, and return them."""
    return await connection.fetch(
        """UPDATE deliveries SET status = 4, finished_at = $3
           WHERE lead_id = $1 AND epoch = $2 AND status = 0 AND event IN ('reminder', 'escalated') RETURNING *""",
        lead_id,
        epoch,
        now,
    )


async def told(
    connection: Connection, assignments: Sequence[tuple[UUID, int]], by: Sequence[Event]
) -> list[asyncpg.Record]:
    """Which active endpoints know of the assignments `(lead_id, epoch)`, or may: one of these events was sent to them.

    `busy_until`: when the last request that is under way has ended for certain. `respond_by`: as the endpoint was told.
    """
    return await connection.fetch(
        """SELECT d.decision_id, d.endpoint_id, d.lead_id, d.epoch, d.site_id, d.intent, d.distance_m,
                  max(d.lease_until) FILTER (WHERE d.status = 1) AS busy_until, max(d.expires_at) AS respond_by
           FROM deliveries d JOIN unnest($1::uuid[], $2::int[]) a(lead_id, epoch) USING (lead_id, epoch)
           JOIN endpoints e USING (endpoint_id)
           WHERE d.event = ANY($3::text[]) AND d.attempt > 0 AND e.status = 'active'
           GROUP BY d.decision_id, d.endpoint_id, d.lead_id, d.epoch, d.site_id, d.intent, d.distance_m""",
        [assignment[0] for assignment in assignments],
        [assignment[1] for assignment in assignments],
        by,
    )


async def release_ends(connection: Connection, ended: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Requests about these `(decision_id, endpoint_id)` have ended: what waited for their end may be sent now."""
    await connection.execute(
        """UPDATE deliveries d SET next_at = least(d.next_at, $3)
           FROM unnest($1::uuid[], $2::uuid[]) e(decision_id, endpoint_id)
           WHERE d.decision_id = e.decision_id AND d.endpoint_id = e.endpoint_id
             AND d.event IN ('revoked', 'escalation_ended') AND d.status = 0""",
        [each[0] for each in ended],
        [each[1] for each in ended],
        now,
    )


async def claim(
    connection: Connection,
    endpoint_ids: Sequence[UUID],
    now: datetime,
    *,
    lease: UUID,
    lease_until: datetime,
    limit: int,
) -> list[asyncpg.Record]:
    """Lease what is due at the locked endpoints, at most cap minus in flight of each; a failing one gets one probe.

    What can no longer be answered is not sent: the sweeper gives it back.
    The endpoints must have been locked by an earlier statement of this transaction: only then does this one see
    whatever a handler committed before, and whatever it commits later wakes the endpoint again.
    """
    return await connection.fetch(
        """WITH head AS MATERIALIZED (
               SELECT e.endpoint_id, CASE WHEN e.failures >= $5 THEN 1 ELSE e.in_flight_cap END - (
                   SELECT count(*) FROM deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.status = 1) AS room
               FROM endpoints e WHERE e.endpoint_id = ANY($1)),
           picked AS MATERIALIZED (
               SELECT d.delivery_id FROM head CROSS JOIN LATERAL (
                   SELECT delivery_id FROM deliveries
                   WHERE endpoint_id = head.endpoint_id AND status = 0 AND next_at <= $2 AND expires_at > $2
                   ORDER BY next_at LIMIT greatest(head.room, 0) FOR UPDATE SKIP LOCKED) d LIMIT $6),
           claimed AS (
               UPDATE deliveries d SET status = 1, attempt = d.attempt + 1, lease = $3, lease_until = $4 FROM picked
               -- status again: under READ COMMITTED the row may have been taken since it was picked
               WHERE d.delivery_id = picked.delivery_id AND d.status = 0 RETURNING d.*),
           rested AS (
               UPDATE endpoints e SET next_at = CASE WHEN head.room > 0 THEN (
                   SELECT min(d.next_at) FROM deliveries d
                   WHERE d.endpoint_id = e.endpoint_id AND d.status = 0 AND d.expires_at > $2
                     AND d.delivery_id NOT IN (SELECT delivery_id FROM picked)) END
               FROM head WHERE e.endpoint_id = head.endpoint_id)
           SELECT claimed.*, v.vehicle FROM claimed LEFT JOIN vehicles v USING (lead_id)""",
        endpoint_ids,
        now,
        lease,
        lease_until,
        BREAKER_THRESHOLD,
        limit,
    )


async def expired_leases(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Deliveries whose sender vanished; nobody knows whether the endpoint has them."""
    return await connection.fetch(
        "SELECT * FROM deliveries WHERE status = 1 AND lease_until < $1 ORDER BY lease_until LIMIT $2", now, limit
    )


async def hopeless(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Waiting deliveries that shall not be sent: it is too late, or their endpoint was disabled."""
    return await connection.fetch(
        """SELECT * FROM deliveries WHERE status = 0 AND expires_at <= $1
           UNION SELECT d.* FROM endpoints e JOIN deliveries d USING (endpoint_id)
           WHERE e.status = 'disabled' AND d.status = 0
           LIMIT $2""",
        now,
        limit,
    )


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of one delivery under this lease; `lease` None is one that waits under nobody's."""

    delivery_id: UUID
    lease: UUID | None
    status: int
    misconfigured: bool = False
    next_at: datetime | None = None


async def settle(connection: Connection, settled: Sequence[Settled], now: datetime) -> set[tuple[UUID, UUID | None]]:
    """Store what became of deliveries; return (id, lease) of those still under it: a lost lease changes nothing."""
    rows = await connection.fetch(
        """UPDATE deliveries d
           SET status = s.status, next_at = coalesce(s.next_at, d.next_at), lease = NULL, lease_until = NULL,
               misconfigured = d.misconfigured + s.misconfigured::int,
               finished_at = CASE WHEN s.status > 1 THEN $6::timestamptz END
           FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bool[], $5::timestamptz[])
                s(delivery_id, lease, status, misconfigured, next_at)
           WHERE d.delivery_id = s.delivery_id AND d.lease IS NOT DISTINCT FROM s.lease AND d.status < 2
           RETURNING s.delivery_id, s.lease""",
        [s.delivery_id for s in settled],
        [s.lease for s in settled],
        [s.status for s in settled],
        [s.misconfigured for s in settled],
        [s.next_at for s in settled],
        now,
    )
    return {(row["delivery_id"], row["lease"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of the attempt log."""

    delivery_id: UUID
    attempt: int
    result: str
    status_code: int | None
    took_ms: int
    attempted_at: datetime
    detail: str


async def log_attempts(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """Append to the attempt log."""
    await connection.execute(
        """INSERT INTO attempts (delivery_id, attempt, result, status_code, took_ms, attempted_at, detail)
           SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::int[], $6::timestamptz[], $7::text[])
           ON CONFLICT DO NOTHING""",
        [a.delivery_id for a in attempts],
        [a.attempt for a in attempts],
        [a.result for a in attempts],
        [a.status_code for a in attempts],
        [a.took_ms for a in attempts],
        [a.attempted_at for a in attempts],
        [a.detail for a in attempts],
    )


async def out_of_channels(connection: Connection, decision_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Of these decisions, the open assignments whose site has no inbox and no delivery that arrived or still may."""
    return await connection.fetch(
        """SELECT a.lead_id, a.epoch, a.site_id, a.traceparent FROM assignments a
           WHERE a.decision_id = ANY($1) AND a.state = 'assigned'
             AND NOT EXISTS (SELECT 1 FROM deliveries d
                             WHERE d.decision_id = a.decision_id AND d.event = 'created' AND d.status <= 2)
             AND NOT EXISTS (SELECT 1 FROM endpoints e
                             WHERE e.site_id = a.site_id AND e.kind = 'inbox' AND e.status = 'active')
           ORDER BY a.lead_id""",
        decision_ids,
    )


async def wake_schedulers(connection: Connection) -> None:
    """Tell every scheduler to look at once, when this transaction commits."""
    await connection.execute("SELECT pg_notify($1, '')", WAKE)


async def forget_finished(connection: Connection, before: datetime, limit: int) -> int:
    """Delete finished deliveries (and their attempts) from before; the facts stay in Kafka. Returns how many."""
    rows = await connection.fetch(
        """DELETE FROM deliveries WHERE delivery_id IN (
               SELECT delivery_id FROM deliveries WHERE finished_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
           RETURNING delivery_id""",
        before,
        limit,
    )
    return len(rows)
