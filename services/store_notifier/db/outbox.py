"""Facts that wait for Kafka, committed together with the rows that caused them."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.postgres import Connection

WAKE = "store_notifier_outbox"
"""NOTIFY channel that tells the relay to look now; without payload."""
LONGEST_IDLE = "20s"
"""A relay asks for work every few seconds, between publishes of at most 10 s: one that is silent for longer is frozen,
and PostgreSQL ends its session so that another may take its place."""
# Any constant of our own serves; all relays of one installation must agree on it.
RELAY_LOCK = 0x77706E6F


@dataclass(frozen=True, slots=True)
class Waiting:
    """One fact, ready to be sent."""

    topic: str
    key: bytes
    value: bytes
    parent: str | None = None
    """The trace context that it came from, for its span."""


async def put(connection: Connection, facts: Sequence[Waiting]) -> None:
    """Have the facts published after this transaction commits, in this order for each key."""
    if not facts:
        return
    await connection.execute(
        """INSERT INTO outbox (topic, key, value, parent) SELECT topic, key, value, parent
           FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[])
                WITH ORDINALITY f(topic, key, value, parent, place)
           ORDER BY place""",
        [fact.topic for fact in facts],
        [fact.key for fact in facts],
        [fact.value for fact in facts],
        [fact.parent for fact in facts],
    )
    await connection.execute("SELECT pg_notify($1, '')", WAKE)


async def become_relay(connection: Connection) -> bool:
    """Try to be the one relay; the right lasts as long as the connection. A second one would only send doubles."""
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
        return False
    await connection.execute(f"SET idle_session_timeout = '{LONGEST_IDLE}'")
    return True


async def resign_relay(connection: Connection) -> None:
    """Leave the relay's place to another process."""
    await connection.execute("RESET idle_session_timeout")
    await connection.execute("SELECT pg_advisory_unlock($1)", RELAY_LOCK)


async def waiting(connection: Connection, limit: int) -> list[tuple[int, Waiting]]:
    """The oldest facts that are still here, whatever their numbers: a late commit may bring a low one."""
    rows = await connection.fetch("SELECT * FROM outbox ORDER BY outbox_id LIMIT $1", limit)
    return [(row["outbox_id"], Waiting(row["topic"], row["key"], row["value"], row["parent"])) for row in rows]


async def delete(connection: Connection, outbox_ids: Sequence[int]) -> None:
    """Kafka has acknowledged these."""
    await connection.execute("DELETE FROM outbox WHERE outbox_id = ANY($1)", outbox_ids)


async def size(connection: Connection) -> int:
    """How many facts wait."""
    count: int = await connection.fetchval("SELECT count(*) FROM outbox")
    return count
