"""What count reads: each lead of a window as every side knows it, and its decisions."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from services.audit.db.reader import Window
from services.audit.domain.equation import LeadSeen
from shared.postgres import Connection


async def leads_seen(connection: Connection, window: Window, chunk: int) -> AsyncIterator[list[LeadSeen]]:
    """Every lead that any side says was received in the window, by id. Must run inside a transaction."""
    cursor = await connection.cursor(
        """WITH intake AS (
               SELECT lead_id FROM lead_intake.leads WHERE received_at >= $1 AND received_at < $2),
           facts AS (
               SELECT lead_id, count(*) AS records FROM records
               WHERE topic = 'leads.received' AND received_at >= $1 AND received_at < $2
                     AND fact_id IS NOT NULL AND lead_id IS NOT NULL
               GROUP BY lead_id),
           decided AS (
               SELECT DISTINCT lead_id FROM records
               WHERE topic = 'leads.decided' AND received_at >= $1 AND received_at < $2
                     AND fact_id IS NOT NULL AND lead_id IS NOT NULL),
           routed AS (
               SELECT lead_id, state, epoch FROM router.leads
               WHERE received_at >= $1 AND received_at < $2 AND epoch > 0)
           SELECT lead_id, intake.lead_id IS NOT NULL AS in_intake, coalesce(facts.records, 0) AS facts,
                  EXISTS (SELECT FROM records AS dead WHERE dead.topic = 'leads.received.dead'
                          AND dead.lead_id = lead_id_of.lead_id AND dead.fact_id IS NOT NULL) AS dead,
                  routed.state, routed.epoch
           FROM (SELECT lead_id FROM intake UNION SELECT lead_id FROM facts
                 UNION SELECT lead_id FROM decided UNION SELECT lead_id FROM routed) AS lead_id_of
                LEFT JOIN intake USING (lead_id) LEFT JOIN facts USING (lead_id) LEFT JOIN routed USING (lead_id)
           ORDER BY lead_id""",
        window.since,
        window.until,
    )
    while rows := await cursor.fetch(chunk):
        yield [
            LeadSeen(row["lead_id"], row["in_intake"], row["facts"], row["dead"], row["state"], row["epoch"])
            for row in rows
        ]


async def decided_records(connection: Connection, lead_ids: Sequence[UUID]) -> dict[UUID, list[bytes]]:
    """The leads.decided records of each lead, by epoch, then as they were published."""
    rows = await connection.fetch(
        """SELECT lead_id, value FROM records
           WHERE topic = 'leads.decided' AND lead_id = ANY($1::uuid[]) AND fact_id IS NOT NULL
           ORDER BY lead_id, epoch, partition, record_offset""",
        lead_ids,
    )
    found: dict[UUID, list[bytes]] = {}
    for row in rows:
        found.setdefault(row["lead_id"], []).append(row["value"])
    return found


async def count_unreadable(connection: Connection, window: Window) -> dict[str, int]:
    """Records that are no fact of their topic, by topic, for records that Kafka took in the window."""
    rows = await connection.fetch(
        """SELECT topic, count(*) AS records FROM records
           WHERE fact_id IS NULL AND kafka_time >= $1 AND kafka_time < $2 GROUP BY topic ORDER BY topic""",
        window.since,
        window.until,
    )
    return {row["topic"]: row["records"] for row in rows}
