"""Statements about changes. Whoever writes here has locked for writing (`db.network.lock_for_writing`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.router.changes.change import Change, Kind, State
from shared.postgres import Connection

_SELECT = """SELECT change_id, kind, digest, base, restores, findings, even_if_changed, proposed_by, proposed_at,
                    approved_by, approved_at, takes_effect_at, state, ended_at, withdrawn_by, refusal, became
             FROM changes"""


def _change(row: Any) -> Change:
    kept = Change(*row)
    return kept._replace(kind=Kind(kept.kind), findings=tuple(kept.findings), state=State(kept.state))


async def next_id(connection: Connection) -> int:
    """The number of the change that is made now."""
    number: int = await connection.fetchval("SELECT coalesce(max(change_id), 0) + 1 FROM changes")
    return number


async def add(connection: Connection, change: Change, content: str | None) -> None:
    """Keep a new change; without content when it is a version or a revision already."""
    await connection.execute(
        """INSERT INTO changes (change_id, kind, digest, base, restores, findings, even_if_changed, proposed_by,
               proposed_at, approved_by, approved_at, takes_effect_at, state, ended_at, withdrawn_by, refusal, became,
               content)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)""",
        *change,
        content,
    )


async def put(connection: Connection, change: Change) -> None:
    """Write what became of a change: its findings, approval, time and state."""
    await connection.execute(
        """UPDATE changes SET findings = $2, even_if_changed = $3, approved_by = $4, approved_at = $5,
               takes_effect_at = $6, state = $7, ended_at = $8, withdrawn_by = $9, refusal = $10, became = $11,
               -- What is a version or a revision now is not kept twice.
               content = CASE WHEN $11::int IS NULL THEN content END
           WHERE change_id = $1""",
        change.change_id,
        change.findings,
        change.even_if_changed,
        change.approved_by,
        change.approved_at,
        change.takes_effect_at,
        change.state,
        change.ended_at,
        change.withdrawn_by,
        change.refusal,
        change.became,
    )


async def one(connection: Connection, change_id: int) -> Change | None:
    """A change by its number."""
    row = await connection.fetchrow(f"{_SELECT} WHERE change_id = $1", change_id)
    return _change(row) if row else None


async def content_of(connection: Connection, change_id: int) -> str | None:
    """What a change would put into effect; None once it is a version or a revision."""
    text: str | None = await connection.fetchval("SELECT content FROM changes WHERE change_id = $1", change_id)
    return text


async def newest(connection: Connection, limit: int) -> list[Change]:
    """The newest changes, the newest first."""
    rows = await connection.fetch(f"{_SELECT} ORDER BY change_id DESC LIMIT $1", limit)
    return [_change(row) for row in rows]


async def open_like(connection: Connection, kind: Kind, digest: str) -> Change | None:
    """A change with this content that waits for its approval or its time."""
    row = await connection.fetchrow(
        f"""{_SELECT}
            WHERE kind = $1 AND digest = $2 AND state IN ('proposed', 'approved') ORDER BY change_id LIMIT 1""",
        kind,
        digest,
    )
    return _change(row) if row else None


async def overtaken(connection: Connection, kind: Kind, current: int) -> list[Change]:
    """Changes that wait, and would be refused now: they were made before number `current` took effect."""
    rows = await connection.fetch(
        f"""{_SELECT}
            WHERE kind = $1 AND base <> $2 AND NOT even_if_changed AND state IN ('proposed', 'approved')
            ORDER BY change_id""",
        kind,
        current,
    )
    return [_change(row) for row in rows]


async def due(connection: Connection, moment: datetime) -> Sequence[int]:
    """Numbers of approved changes whose time has come, in the order in which they take effect."""
    rows = await connection.fetch(
        """SELECT change_id FROM changes WHERE state = 'approved' AND takes_effect_at <= $1
           ORDER BY takes_effect_at, change_id""",
        moment,
    )
    return [row["change_id"] for row in rows]


async def approved_by_one(connection: Connection) -> list[Change]:
    """Changes that wait for their time on the word of one person."""
    rows = await connection.fetch(f"{_SELECT} WHERE state = 'approved' AND approved_by IS NULL ORDER BY change_id")
    return [_change(row) for row in rows]


async def two_person(connection: Connection) -> bool:
    """Whether a second operator must approve: what the change of this rule says that took effect last."""
    return bool(
        await connection.fetchval(
            """SELECT content = 'on' FROM changes WHERE kind = 'two_person' AND state = 'in_effect'
               ORDER BY ended_at DESC, change_id DESC LIMIT 1"""
        )
    )
