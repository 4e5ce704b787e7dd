"""Where sites can be told, and the queue heads that the schedulers claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose endpoint it is: a site's, or a partner's, who is told of all of its sites. One of the two is None."""

    site_id: str | None = None
    partner: str | None = None


async def add_webhook(
    connection: Connection,
    endpoint_id: UUID,
    owner: Owner,
    url: str,
    host: str,
    secret_sealed: bytes,
    in_flight_cap: int,
    now: datetime,
) -> None:
    """Add a webhook endpoint."""
    await connection.execute(
        """INSERT INTO endpoints (endpoint_id, site_id, partner, kind, url, host, secret_sealed, in_flight_cap,
                                  created_at)
           VALUES ($1, $2, $3, 'webhook', $4, $5, $6, $7, $8)""",
        endpoint_id,
        owner.site_id,
        owner.partner,
        url,
        host,
        secret_sealed,
        in_flight_cap,
        now,
    )


async def put_inbox(connection: Connection, endpoint_id: UUID, site_id: str, key_sha256: bytes, now: datetime) -> bool:
    """Give a site its inbox key. Returns False, changing nothing, when it has one already."""
    row = await connection.fetchrow(
        """INSERT INTO endpoints (endpoint_id, site_id, kind, key_sha256, created_at) VALUES ($1, $2, 'inbox', $3, $4)
           ON CONFLICT DO NOTHING RETURNING endpoint_id""",
        endpoint_id,
        site_id,
        key_sha256,
        now,
    )
    return row is not None


async def find(connection: Connection, endpoint_id: UUID) -> asyncpg.Record | None:
    """One endpoint."""
    return await connection.fetchrow("SELECT * FROM endpoints WHERE endpoint_id = $1", endpoint_id)


async def listed(connection: Connection, site_id: str | None, partner: str | None = None) -> list[asyncpg.Record]:
    """Endpoints of a site, of a partner, or all, with how many deliveries wait, are under way, arrived and failed."""
    return await connection.fetch(
        """SELECT e.endpoint_id, e.site_id, e.partner, e.kind, e.url, e.status, e.disabled_reason, e.failures,
                  e.open_until, e.previous_secret_until, e.created_at, d.waiting, d.delivered, d.failed
           FROM endpoints e CROSS JOIN LATERAL (
               SELECT count(*) FILTER (WHERE status < 2) AS waiting, count(*) FILTER (WHERE status = 2) AS delivered,
                      count(*) FILTER (WHERE status = 3) AS failed
               FROM deliveries WHERE endpoint_id = e.endpoint_id) d
           WHERE ($1::text IS NULL OR e.site_id = $1) AND ($2::text IS NULL OR e.partner = $2)
           ORDER BY e.site_id, e.partner, e.created_at""",
        site_id,
        partner,
    )


async def of_sites(connection: Connection, site_ids: Sequence[str]) -> list[asyncpg.Record]:
    """Every endpoint of the sites, disabled ones too."""
    return await connection.fetch(
        "SELECT endpoint_id, site_id, kind, status FROM endpoints WHERE site_id = ANY($1)", site_ids
    )


async def of_partners(connection: Connection, partners: Sequence[str]) -> list[asyncpg.Record]:
    """The active endpoints of the partners."""
    return await connection.fetch(
        "SELECT endpoint_id, partner FROM endpoints WHERE partner = ANY($1) AND status = 'active'", partners
    )


async def rotate_secret(
    connection: Connection, endpoint_id: UUID, secret_sealed: bytes, previous_until: datetime
) -> None:
    """Make this the secret; the one before keeps signing beside it until `previous_until`."""
    await connection.execute(
        """UPDATE endpoints SET previous_secret_sealed = secret_sealed, previous_secret_until = $3, secret_sealed = $2
           WHERE endpoint_id = $1""",
        endpoint_id,
        secret_sealed,
        previous_until,
    )


async def rotate_key(connection: Connection, endpoint_id: UUID, key_sha256: bytes) -> None:
    """Make this the inbox's key; the one before opens nothing from now on."""
    await connection.execute("UPDATE endpoints SET key_sha256 = $2 WHERE endpoint_id = $1", endpoint_id, key_sha256)


async def set_status(connection: Connection, endpoint_id: UUID, status: str, reason: str | None) -> None:
    """Disable or enable an endpoint; enabling closes its breaker."""
    await connection.execute(
        """UPDATE endpoints SET status = $2, disabled_reason = $3, failures = 0, open_until = NULL
           WHERE endpoint_id = $1""",
        endpoint_id,
        status,
        reason,
    )


async def claim_due(
    connection: Connection, now: datetime, limit: int, *, busy: Mapping[str, int], host_cap: int
) -> list[asyncpg.Record]:
    """Lock endpoints of those that have waited longest, passing over those another scheduler has.

    `busy` says how many requests to each host are under way here; together with what may be claimed now there shall
    be at most `host_cap` to one host (an endpoint whose own cap is larger gets its turn on an idle host).
    """
    return await connection.fetch(
        """WITH due AS (
               SELECT endpoint_id, next_at, in_flight_cap, coalesce(busy.requests, 0) AS under_way,
                      sum(in_flight_cap) OVER (PARTITION BY host ORDER BY next_at, endpoint_id) AS wanted
               FROM endpoints LEFT JOIN unnest($3::text[], $4::int[]) busy(host, requests) USING (host)
               WHERE next_at <= $1 AND status = 'active' AND (open_until IS NULL OR open_until <= $1))
           SELECT endpoint_id, host, url, secret_sealed, previous_secret_sealed, previous_secret_until
           FROM endpoints WHERE endpoint_id IN (
               SELECT endpoint_id FROM due
               WHERE under_way + wanted <= $5 OR (under_way = 0 AND wanted = in_flight_cap)
               ORDER BY due.next_at LIMIT 4 * $2::int)
             -- once more, on the row as it is when it is locked
             AND next_at <= $1 AND status = 'active' AND (open_until IS NULL OR open_until <= $1)
           -- locked in the order in which others lock them: even SKIP LOCKED waits for a row that is just being updated
           ORDER BY endpoint_id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED""",
        now,
        limit,
        list(busy.keys()),
        list(busy.values()),
        host_cap,
    )


async def next_wake(connection: Connection) -> datetime | None:
    """When the next endpoint will have something due, as far as is known now."""
    value: datetime | None = await connection.fetchval(
        """SELECT min(greatest(next_at, coalesce(open_until, next_at))) FROM endpoints
           WHERE next_at IS NOT NULL AND status = 'active'"""
    )
    return value


async def wake(connection: Connection, endpoint_ids: Sequence[UUID], at: datetime) -> None:
    """Have the endpoints looked at by `at`. Waits for a claim that holds them: skipping would lose the wake-up."""
    await connection.execute(
        """UPDATE endpoints e SET next_at = least(e.next_at, $2) FROM (
               SELECT endpoint_id FROM endpoints WHERE endpoint_id = ANY($1)
               ORDER BY endpoint_id FOR NO KEY UPDATE) due
           WHERE e.endpoint_id = due.endpoint_id""",
        endpoint_ids,
        at,
    )


async def lock(connection: Connection, endpoint_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Failures and breaker of the endpoints, locked in the common order."""
    return await connection.fetch(
        """SELECT endpoint_id, failures, open_until FROM endpoints WHERE endpoint_id = ANY($1)
           ORDER BY endpoint_id FOR NO KEY UPDATE""",
        endpoint_ids,
    )


async def record_health(
    connection: Connection, health: Sequence[tuple[UUID, int, datetime | None, str | None]], now: datetime
) -> None:
    """Store `(endpoint_id, failures, open_until, reason to disable it or None)` and have them looked at again."""
    await connection.execute(
        """UPDATE endpoints e
           SET failures = h.failures, open_until = h.open_until, next_at = least(e.next_at, $5),
               status = CASE WHEN h.disabled IS NULL THEN e.status ELSE 'disabled' END,
               disabled_reason = coalesce(h.disabled, e.disabled_reason)
           FROM unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::text[])
                h(endpoint_id, failures, open_until, disabled)
           WHERE e.endpoint_id = h.endpoint_id""",
        [h[0] for h in health],
        [h[1] for h in health],
        [h[2] for h in health],
        [h[3] for h in health],
        now,
    )


async def wake_forgotten(connection: Connection, now: datetime) -> int:
    """Wake endpoints that have waiting deliveries and no wake time. There should be none; returns how many were."""
    rows = await connection.fetch(
        """UPDATE endpoints e SET next_at = $1 WHERE endpoint_id IN (
               SELECT endpoint_id FROM endpoints f WHERE f.next_at IS NULL AND f.status = 'active'
                 AND EXISTS (SELECT 1 FROM deliveries d WHERE d.endpoint_id = f.endpoint_id AND d.status = 0)
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.endpoint_id = f.endpoint_id AND d.status = 1)
               ORDER BY endpoint_id FOR NO KEY UPDATE SKIP LOCKED)
           RETURNING endpoint_id""",
        now,
    )
    return len(rows)


async def latest_attempts(connection: Connection, endpoint_id: UUID, limit: int) -> list[asyncpg.Record]:
    """The newest attempts at one endpoint, newest first."""
    return await connection.fetch(
        """SELECT a.attempted_at, d.lead_id, d.epoch, d.event, a.attempt, a.result, a.took_ms, a.detail
           FROM attempts a JOIN deliveries d USING (delivery_id)
           WHERE d.endpoint_id = $1 ORDER BY a.attempted_at DESC LIMIT $2""",
        endpoint_id,
        limit,
    )
