"""The live inbox: items numbered by a change counter per site, and the log-ins of its page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.postgres import Connection

CHANGES = "store_notifier_inbox"
"""NOTIFY channel; the payload is the site id whose inbox changed."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """An assignment that enters its site's inbox."""

    lead_id: UUID
    epoch: int
    site_id: str
    decision_id: UUID
    intent: str
    distance_m: int
    respond_by: datetime
    assigned_at: datetime
    state: str = "open"


async def _next_seqs(connection: Connection, site_ids: Sequence[str]) -> list[int]:
    """One new number of its site for each entry; the counters stay locked until the transaction ends."""
    wanted = Counter(site_ids)
    sites = sorted(wanted)
    await connection.execute(
        "INSERT INTO inbox_sequences (site_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", sites
    )
    await connection.fetch(
        "SELECT 1 FROM inbox_sequences WHERE site_id = ANY($1) ORDER BY site_id FOR NO KEY UPDATE", sites
    )
    rows = await connection.fetch(
        """UPDATE inbox_sequences s SET last_seq = s.last_seq + n.count
           FROM unnest($1::text[], $2::bigint[]) n(site_id, count)
           WHERE s.site_id = n.site_id RETURNING s.site_id, s.last_seq - n.count AS before""",
        sites,
        [wanted[site] for site in sites],
    )
    counters = {row["site_id"]: row["before"] for row in rows}
    seqs = []
    for site_id in site_ids:
        counters[site_id] += 1
        seqs.append(counters[site_id])
    return seqs


async def add_items(connection: Connection, items: Sequence[NewItem], now: datetime) -> list[UUID]:
    """Add what is not there yet, wake the pages, and return the decision ids that were new."""
    if not items:
        return []
    items = sorted(items, key=lambda item: (item.site_id, item.lead_id, item.epoch))
    seqs = await _next_seqs(connection, [item.site_id for item in items])
    rows = await connection.fetch(
        """INSERT INTO inbox_items (lead_id, epoch, site_id, seq, decision_id, intent, distance_m, respond_by, state,
                                    assigned_at, changed_at)
           SELECT *, $11 FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bigint[], $5::uuid[], $6::text[],
                                     $7::int[], $8::timestamptz[], $9::text[], $10::timestamptz[])
           ON CONFLICT (lead_id, epoch) DO NOTHING RETURNING decision_id""",
        [item.lead_id for item in items],
        [item.epoch for item in items],
        [item.site_id for item in items],
        seqs,
        [item.decision_id for item in items],
        [item.intent for item in items],
        [item.distance_m for item in items],
        [item.respond_by for item in items],
        [item.state for item in items],
        [item.assigned_at for item in items],
        now,
    )
    await _wake(connection, {item.site_id for item in items})
    return [row["decision_id"] for row in rows]


async def change_items(
    connection: Connection, changes: Sequence[tuple[UUID, int, str, str | None]], now: datetime
) -> None:
    """Give items `(lead_id, epoch, state, result)` a new state and number; what already has it is left alone."""
    if not changes:
        return
    rows = await connection.fetch(
        """SELECT i.lead_id, i.epoch, i.site_id, c.state, c.result FROM inbox_items i
           JOIN unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) c(lead_id, epoch, state, result)
             ON i.lead_id = c.lead_id AND i.epoch = c.epoch
           WHERE (i.state, i.result) IS DISTINCT FROM (c.state, c.result)
           ORDER BY i.site_id, i.lead_id, i.epoch""",
        [change[0] for change in changes],
        [change[1] for change in changes],
        [change[2] for change in changes],
        [change[3] for change in changes],
    )
    if not rows:
        return
    seqs = await _next_seqs(connection, [row["site_id"] for row in rows])
    await connection.execute(
        """UPDATE inbox_items i SET state = c.state, result = c.result, seq = c.seq, changed_at = $6
           FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bigint[])
                c(lead_id, epoch, state, result, seq)
           WHERE i.lead_id = c.lead_id AND i.epoch = c.epoch""",
        [row["lead_id"] for row in rows],
        [row["epoch"] for row in rows],
        [row["state"] for row in rows],
        [row["result"] for row in rows],
        seqs,
        now,
    )
    await _wake(connection, {row["site_id"] for row in rows})


async def remind_items(connection: Connection, items: Sequence[tuple[UUID, int]], now: datetime) -> None:
    """Have the open ones of the items `(lead_id, epoch)` show that their time is running out."""
    rows = await connection.fetch(
        """SELECT i.lead_id, i.epoch, i.site_id FROM inbox_items i
           JOIN unnest($1::uuid[], $2::int[]) r(lead_id, epoch) USING (lead_id, epoch)
           WHERE i.state = 'open' AND NOT i.reminded ORDER BY i.site_id, i.lead_id, i.epoch""",
        [item[0] for item in items],
        [item[1] for item in items],
    )
    if not rows:
        return
    seqs = await _next_seqs(connection, [row["site_id"] for row in rows])
    await connection.execute(
        """UPDATE inbox_items i SET reminded = true, seq = r.seq, changed_at = $4
           FROM unnest($1::uuid[], $2::int[], $3::bigint[]) r(lead_id, epoch, seq)
           WHERE i.lead_id = r.lead_id AND i.epoch = r.epoch""",
        [row["lead_id"] for row in rows],
        [row["epoch"] for row in rows],
        seqs,
        now,
    )
    await _wake(connection, {row["site_id"] for row in rows})


async def _wake(connection: Connection, site_ids: set[str]) -> None:
    await connection.execute("SELECT pg_notify($1, site) FROM unnest($2::text[]) site", CHANGES, sorted(site_ids))


async def open_items_before(
    connection: Connection, lead_ids: Sequence[UUID], epochs: Sequence[int]
) -> list[asyncpg.Record]:
    """Items (lead_id, epoch, state) of the leads' earlier assignments that still look live to their site."""
    return await connection.fetch(
        """SELECT i.lead_id, i.epoch, i.state FROM inbox_items i
           JOIN unnest($1::uuid[], $2::int[]) n(lead_id, epoch) ON i.lead_id = n.lead_id AND i.epoch < n.epoch
           WHERE i.state IN ('open', 'accepted') ORDER BY i.lead_id, i.epoch""",
        lead_ids,
        epochs,
    )


_ITEM = """SELECT i.lead_id, i.epoch, i.site_id, i.seq, i.intent, i.distance_m, i.respond_by, i.state, i.result,
                  i.assigned_at, i.changed_at, i.reminded, v.vehicle
           FROM inbox_items i LEFT JOIN vehicles v USING (lead_id)"""


async def last_seq(connection: Connection, site_id: str) -> int:
    """Number of the site's newest change; 0 when it never had any."""
    value: int | None = await connection.fetchval("SELECT last_seq FROM inbox_sequences WHERE site_id = $1", site_id)
    return value or 0


async def items_after(connection: Connection, site_id: str, seq: int, limit: int = 100) -> list[asyncpg.Record]:
    """What changed for a site after `seq`, in order: for a page that comes back with Last-Event-ID."""
    return await connection.fetch(
        _ITEM + " WHERE i.site_id = $1 AND i.seq > $2 ORDER BY i.seq LIMIT $3", site_id, seq, limit
    )


async def board(connection: Connection, site_id: str, limit: int = 200) -> list[asyncpg.Record]:
    """What a site's page shows: open items by deadline, then accepted ones, then the newest of the rest."""
    return await connection.fetch(
        _ITEM
        + """ WHERE i.site_id = $1
              ORDER BY array_position(ARRAY['open', 'accepted'], i.state) NULLS LAST,
                       CASE WHEN i.state = 'open' THEN i.respond_by END, i.changed_at DESC LIMIT $2""",
        site_id,
        limit,
    )


async def item(connection: Connection, site_id: str, lead_id: UUID, epoch: int) -> asyncpg.Record | None:
    """One item of a site, or None when the site never had it."""
    return await connection.fetchrow(
        _ITEM + " WHERE i.site_id = $1 AND i.lead_id = $2 AND i.epoch = $3", site_id, lead_id, epoch
    )


async def key_is(connection: Connection, site_id: str, key_sha256: bytes) -> bool:
    """Whether this is the hash of the site's active log-in key (of 256 random bits, so comparing hashes is safe)."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT 1 FROM endpoints WHERE site_id = $1 AND kind = 'inbox' AND status = 'active'
                              AND key_sha256 = $2)""",
            site_id,
            key_sha256,
        )
    )


async def open_session(
    connection: Connection, site_id: str, token_sha256: bytes, now: datetime, expires_at: datetime
) -> None:
    """Remember a log-in, and forget the expired ones."""
    await connection.execute("DELETE FROM inbox_sessions WHERE expires_at < $1", now)
    await connection.execute(
        "INSERT INTO inbox_sessions (token_sha256, site_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        token_sha256,
        site_id,
        now,
        expires_at,
    )


async def session_site(connection: Connection, token_sha256: bytes, now: datetime) -> str | None:
    """The site that a log-in belongs to; None when it expired or the site's inbox was disabled or got another key."""
    site: str | None = await connection.fetchval(
        """SELECT s.site_id FROM inbox_sessions s JOIN endpoints e ON e.site_id = s.site_id AND e.kind = 'inbox'
           WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND e.status = 'active'""",
        token_sha256,
        now,
    )
    return site


async def close_session(connection: Connection, token_sha256: bytes) -> None:
    """Log out."""
    await connection.execute("DELETE FROM inbox_sessions WHERE token_sha256 = $1", token_sha256)


async def close_sessions_of(connection: Connection, site_id: str) -> None:
    """Log everybody of a site out: its key was replaced or disabled."""
    await connection.execute("DELETE FROM inbox_sessions WHERE site_id = $1", site_id)
