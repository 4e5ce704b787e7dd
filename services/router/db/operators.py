"""Operators and the hashes of their keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shared.postgres import Connection


class OperatorLine(NamedTuple):
    """An operator in a list."""

    operator: str
    added_at: datetime
    added_by: str | None
    disabled_at: datetime | None
    disabled_by: str | None


async def enabled_by_hash(connection: Connection, key_hash: bytes) -> str | None:
    """The operator whose key has this hash, unless disabled."""
    name: str | None = await connection.fetchval(
        "SELECT operator FROM operators WHERE key_hash = $1 AND disabled_at IS NULL", key_hash
    )
    return name


async def enabled(connection: Connection) -> Sequence[str]:
    """Names of everyone whose key is accepted."""
    rows = await connection.fetch("SELECT operator FROM operators WHERE disabled_at IS NULL ORDER BY operator")
    return [row["operator"] for row in rows]


async def listed(connection: Connection) -> list[OperatorLine]:
    """Everyone who is or was an operator."""
    rows = await connection.fetch(
        "SELECT operator, added_at, added_by, disabled_at, disabled_by FROM operators ORDER BY operator"
    )
    return [OperatorLine(*row) for row in rows]


async def put(connection: Connection, operator: str, key_hash: bytes, added_by: str | None, now: datetime) -> None:
    """Add an operator, or one who was disabled again, with a new key."""
    await connection.execute(
        """INSERT INTO operators (operator, key_hash, added_at, added_by) VALUES ($1, $2, $3, $4)
           ON CONFLICT (operator) DO UPDATE
           SET key_hash = $2, added_at = $3, added_by = $4, disabled_at = NULL, disabled_by = NULL
           WHERE operators.disabled_at IS NOT NULL""",
        operator,
        key_hash,
        now,
        added_by,
    )


async def disable(connection: Connection, operator: str, by: str | None, now: datetime) -> bool:
    """Accept an operator's key no more; whether it was accepted before."""
    status = await connection.execute(
        "UPDATE operators SET disabled_at = $3, disabled_by = $2 WHERE operator = $1 AND disabled_at IS NULL",
        operator,
        by,
        now,
    )
    return status == "UPDATE 1"
