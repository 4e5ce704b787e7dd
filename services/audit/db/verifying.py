"""What verify reads: the whole ledger in the order of its chains, and where each chain should end."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from services.audit.db.ledger import Partition
from services.audit.domain.chain import Head
from services.audit.domain.labels import Labels
from shared.postgres import Connection


class Kept(NamedTuple):
    """One row of the ledger."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    link: bytes
    labels: Labels


async def heads(connection: Connection) -> dict[Partition, Head]:
    """Where the ledger says that each chain ends."""
    rows = await connection.fetch("SELECT * FROM heads ORDER BY topic, partition")
    return {(row["topic"], row["partition"]): Head(row["next_offset"], row["records"], row["chain"]) for row in rows}


async def everything(connection: Connection, chunk: int) -> AsyncIterator[list[Kept]]:
    """Every row, partition by partition, by offset. Must run inside a transaction."""
    cursor = await connection.cursor(
        """SELECT topic, partition, record_offset, key, value, chain, fact_id, lead_id, epoch, fact_time, received_at
           FROM records ORDER BY topic, partition, record_offset"""
    )
    while rows := await cursor.fetch(chunk):
        yield [
            Kept(
                row["topic"],
                row["partition"],
                row["record_offset"],
                row["key"],
                row["value"],
                row["chain"],
                Labels(row["fact_id"], row["lead_id"], row["epoch"], row["fact_time"], row["received_at"]),
            )
            for row in rows
        ]
