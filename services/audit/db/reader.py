"""The connection of audit's commands: its role, read-only whatever happens, with room for long reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg

from shared.errors import UserError
from shared.postgres import CONNECT_TIMEOUT_S, Connection, connecting, role_of
from shared.settings import Settings


class Window(NamedTuple):
    """A span of time, `since` included and `until` not."""

    since: datetime
    until: datetime


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[Connection]:
    """One read-only connection as the audit role. Raises as `connecting`; UserError when its tables are not there."""
    with connecting():
        connection = await asyncpg.connect(
            settings.require_postgres(),
            timeout=CONNECT_TIMEOUT_S,
            server_settings={
                "role": role_of("audit"),
                "search_path": "audit",
                "application_name": "waypost-audit-command",
                "timezone": "UTC",
                "default_transaction_read_only": "on",
                # A year is sorted before its first row comes; still, nothing may run for ever.
                "statement_timeout": "30min",
                "idle_in_transaction_session_timeout": "30min",
                "lock_timeout": "10s",
            },
        )
    try:
        yield connection
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError) as error:
        raise UserError(f"the database is not ready for audit: {error}", "run `waypost migrate`, then again") from error
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
        raise UserError(
            f"PostgreSQL went away ({type(error).__name__})", "run the command again when it is back"
        ) from error
    finally:
        await connection.close(timeout=3)


async def next_offsets(connection: Connection) -> dict[tuple[str, int], int]:
    """The offset that each partition's chain waits for."""
    rows = await connection.fetch("SELECT topic, partition, next_offset FROM heads ORDER BY topic, partition")
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
