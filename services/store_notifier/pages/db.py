"""The statements that only the store's page needs; the inbox's own are in `store_notifier.db.inbox`."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.postgres import Connection


async def last_seqs(connection: Connection, site_ids: Sequence[str]) -> dict[str, int]:
    """The change counter of each of the sites that ever had an item."""
    rows = await connection.fetch(
        "SELECT site_id, last_seq FROM inbox_sequences WHERE site_id = ANY($1::text[])", list(site_ids)
    )
    return {row["site_id"]: row["last_seq"] for row in rows}


async def answers_to(connection: Connection, assignments: Sequence[tuple[UUID, int]]) -> list[asyncpg.Record]:
    """What was answered to assignments `(lead_id, epoch)`: lead_id, epoch, response, decline_reason, result."""
    return await connection.fetch(
        """SELECT lead_id, epoch,
                  max(answer) FILTER (WHERE stage = 'response') AS response,
                  max(decline_reason) FILTER (WHERE stage = 'response') AS decline_reason,
                  max(result) FILTER (WHERE stage = 'outcome') AS result
           FROM answers JOIN unnest($1::uuid[], $2::int[]) asked(lead_id, epoch) USING (lead_id, epoch)
           GROUP BY lead_id, epoch""",
        [lead_id for lead_id, _ in assignments],
        [epoch for _, epoch in assignments],
    )
