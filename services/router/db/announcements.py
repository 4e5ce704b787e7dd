"""What operators changed, on its way to Kafka: written with the change, swept by every router."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.postgres import Connection


class Announcement(NamedTuple):
    """A fact as the bytes that Kafka is to get."""

    fact_id: UUID
    topic: str
    key: bytes
    value: bytes


async def add(connection: Connection, announcement: Announcement, now: datetime) -> None:
    """Keep a fact for publishing; the same fact twice is kept once."""
    await connection.execute(
        """INSERT INTO announcements (fact_id, topic, key, value, created_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (fact_id) DO NOTHING""",
        *announcement,
        now,
    )


async def lock_unpublished(connection: Connection, limit: int) -> list[Announcement]:
    """The oldest facts that Kafka does not have, without those that another router is publishing now."""
    rows = await connection.fetch(
        """SELECT fact_id, topic, key, value FROM announcements WHERE published_at IS NULL
           ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED""",
        limit,
    )
    return [Announcement(*row) for row in rows]


async def mark_published(connection: Connection, fact_ids: Sequence[UUID], now: datetime) -> None:
    """Kafka has acknowledged these facts."""
    await connection.execute("UPDATE announcements SET published_at = $2 WHERE fact_id = ANY($1)", fact_ids, now)
