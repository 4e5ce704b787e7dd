"""What sites said, the requests already seen, and the contacts already fetched."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.store_notifier.domain import Earlier, Said
from shared.contracts import Answer, DeclineReason, Result
from shared.postgres import Connection


async def earlier(connection: Connection, lead_id: UUID, epoch: int) -> dict[str, Earlier]:
    """What was said of an assignment, by stage."""
    rows = await connection.fetch(
        "SELECT stage, answer, decline_reason, result FROM answers WHERE lead_id = $1 AND epoch = $2", lead_id, epoch
    )
    return {
        row["stage"]: Earlier(
            Answer(row["answer"]),
            DeclineReason(row["decline_reason"]) if row["decline_reason"] else None,
            Result(row["result"]) if row["result"] else None,
        )
        for row in rows
    }


async def answered(connection: Connection, assignments: Sequence[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
    """Those of the assignments `(lead_id, epoch)` that somebody has answered."""
    rows = await connection.fetch(
        """SELECT lead_id, epoch FROM answers JOIN unnest($1::uuid[], $2::int[]) a(lead_id, epoch)
           USING (lead_id, epoch) WHERE stage = 'response'""",
        [assignment[0] for assignment in assignments],
        [assignment[1] for assignment in assignments],
    )
    return {(row["lead_id"], row["epoch"]) for row in rows}


async def add(connection: Connection, answer_id: UUID, said: Said, now: datetime) -> bool:
    """Record an answer. False when something was said on that stage before; the first word stands."""
    row = await connection.fetchrow(
        """INSERT INTO answers (lead_id, epoch, stage, answer_id, site_id, answer, decline_reason, result, answered_at,
                                via)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING answer_id""",
        said.lead_id,
        said.epoch,
        said.stage,
        answer_id,
        said.site_id,
        said.answer,
        said.decline_reason,
        said.result,
        now,
        said.via,
    )
    return row is not None


async def see_request(
    connection: Connection, endpoint_id: UUID, request_id: str, body_sha256: bytes, now: datetime
) -> bool:
    """Remember a signed request. False when its id came before with another body."""
    row = await connection.fetchrow(
        """INSERT INTO seen_requests AS s (endpoint_id, request_id, body_sha256, seen_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (endpoint_id, request_id) DO UPDATE SET seen_at = s.seen_at
           RETURNING s.body_sha256 = $3 AS same""",
        endpoint_id,
        request_id,
        body_sha256,
        now,
    )
    return bool(row and row["same"])


async def forget_requests(connection: Connection, before: datetime, limit: int) -> int:
    """Forget signed requests from before: their signatures are stale anyway. Returns how many."""
    rows = await connection.fetch(
        """DELETE FROM seen_requests WHERE (endpoint_id, request_id) IN (
               SELECT endpoint_id, request_id FROM seen_requests WHERE seen_at < $1
               ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED)
           RETURNING request_id""",
        before,
        limit,
    )
    return len(rows)


async def claim_contact(
    connection: Connection,
    lead_id: UUID,
    epoch: int,
    endpoint_id: UUID,
    nonce: UUID,
    now: datetime,
    claimed_until: datetime,
) -> bool:
    """Take the right to fetch the contact. False when it was fetched, or somebody is fetching it at this moment."""
    row = await connection.fetchrow(
        """INSERT INTO contact_fetches AS c (lead_id, epoch, endpoint_id, nonce, claimed_until)
           VALUES ($1, $2, $3, $4, $6)
           ON CONFLICT (lead_id, epoch, endpoint_id) DO UPDATE SET nonce = $4, claimed_until = $6
           WHERE c.fetched_at IS NULL AND c.claimed_until <= $5 RETURNING nonce""",
        lead_id,
        epoch,
        endpoint_id,
        nonce,
        now,
        claimed_until,
    )
    return row is not None


async def contact_was_fetched(connection: Connection, lead_id: UUID, epoch: int, endpoint_id: UUID) -> bool:
    """Whether this endpoint has had the contact of this assignment."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT 1 FROM contact_fetches WHERE lead_id = $1 AND epoch = $2 AND endpoint_id = $3
                              AND fetched_at IS NOT NULL)""",
            lead_id,
            epoch,
            endpoint_id,
        )
    )


async def end_contact_claim(connection: Connection, nonce: UUID, fetched_at: datetime | None) -> None:
    """The fetch succeeded (at `fetched_at`: never again) or did not (None: it may be tried at once)."""
    if fetched_at is None:
        await connection.execute("DELETE FROM contact_fetches WHERE nonce = $1 AND fetched_at IS NULL", nonce)
    else:
        await connection.execute("UPDATE contact_fetches SET fetched_at = $2 WHERE nonce = $1", nonce, fetched_at)
