"""Appending to the ledger. A batch locks the heads of its partitions in one order, so that
two consumers cannot fork a chain."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.audit.domain.chain import Head, first_link
from services.audit.domain.labels import Labels
from shared.kafka import Record
from shared.postgres import Connection

Partition = tuple[str, int]
"""Contract name of the topic, and the partition's number."""


class Row(NamedTuple):
    """One record, ready to be appended."""

    record: Record
    kafka_time: datetime
    link: bytes
    labels: Labels


async def lock_heads(connection: Connection, partitions: Sequence[Partition]) -> dict[Partition, Head]:
    """The heads of `partitions`, locked until the transaction ends; a partition that is new begins its chain."""
    topics, numbers = [topic for topic, _ in partitions], [number for _, number in partitions]
    await connection.execute(
        """INSERT INTO heads (topic, partition, next_offset, records, chain)
           SELECT topic, partition, 0, 0, chain FROM unnest($1::text[], $2::int[], $3::bytea[])
                  AS new (topic, partition, chain) ORDER BY topic, partition
           ON CONFLICT DO NOTHING""",
        topics,
        numbers,
        [first_link(topic, number) for topic, number in partitions],
    )
    rows = await connection.fetch(
        """SELECT topic, partition, next_offset, records, chain FROM heads
           JOIN unnest($1::text[], $2::int[]) AS wanted (topic, partition) USING (topic, partition)
           ORDER BY topic, partition FOR UPDATE OF heads""",
        topics,
        numbers,
    )
    return {(row["topic"], row["partition"]): Head(row["next_offset"], row["records"], row["chain"]) for row in rows}


async def append(connection: Connection, rows: Sequence[Row]) -> int:
    """Append `rows` in one statement and return how many were new."""
    status = await connection.execute(
        """INSERT INTO records (topic, partition, record_offset, key, value, chain, kafka_time,
                                fact_id, lead_id, epoch, fact_time, received_at)
           SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[],
                                $7::timestamptz[], $8::uuid[], $9::uuid[], $10::int[], $11::timestamptz[],
                                $12::timestamptz[])
           ON CONFLICT (topic, partition, record_offset) DO NOTHING""",
        [row.record.topic for row in rows],
        [row.record.partition for row in rows],
        [row.record.offset for row in rows],
        [row.record.key for row in rows],
        [row.record.value for row in rows],
        [row.link for row in rows],
        [row.kafka_time for row in rows],
        [row.labels.fact_id for row in rows],
        [row.labels.lead_id for row in rows],
        [row.labels.epoch for row in rows],
        [row.labels.fact_time for row in rows],
        [row.labels.received_at for row in rows],
    )
    return int(status.rsplit(" ", 1)[1])


async def move_heads(connection: Connection, heads: Mapping[Partition, Head]) -> None:
    """Put the locked heads where their chains end now."""
    await connection.execute(
        """UPDATE heads SET next_offset = moved.next_offset, records = moved.records, chain = moved.chain
           FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bytea[])
                AS moved (topic, partition, next_offset, records, chain)
           WHERE (heads.topic, heads.partition) = (moved.topic, moved.partition)""",
        [topic for topic, _ in heads],
        [number for _, number in heads],
        [head.next_offset for head in heads.values()],
        [head.records for head in heads.values()],
        [head.chain for head in heads.values()],
    )


async def first_stranger(connection: Connection, records: Sequence[Record]) -> tuple[str, int, int] | None:
    """Address of the first of `records` that the ledger does not hold with exactly these bytes."""
    row = await connection.fetchrow(
        """SELECT again.topic, again.partition, again.record_offset
           FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[])
                AS again (topic, partition, record_offset, key, value, digest)
           LEFT JOIN records AS kept USING (topic, partition, record_offset)
           WHERE (kept.key, kept.value) IS DISTINCT FROM (again.key, again.value)
             -- Ledgers from before references hold a large record whole.
             AND (again.digest IS NULL OR encode(sha256(kept.value), 'hex') IS DISTINCT FROM again.digest)
           ORDER BY 1, 2, 3 LIMIT 1""",
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.key for record in records],
        [record.value for record in records],
        [record.reference and record.reference.sha256 for record in records],
    )
    return None if row is None else (row["topic"], row["partition"], row["record_offset"])
