"""One way to reach PostgreSQL: the service's own role and schema, every wait bounded, whole transactions retried."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import asyncpg

from shared.errors import UserError
from shared.settings import Settings
from shared.telemetry import get_logger

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

T = TypeVar("T")

ACQUIRE_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0

# The transaction did not happen, or we cannot know: doing it again is safe because every statement is idempotent.
RETRIABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process stood still for too long in a transaction
    asyncpg.TransactionTimeoutError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, still starting, or out of the statement's time
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of an answer
    TimeoutError,
    OSError,
)


_REFUSED = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
SERVICE_LIMITS: Mapping[str, str] = MappingProxyType({"idle_in_transaction_session_timeout": "5s"})
"""Of a service's sessions: a process that freezes within a transaction loses its locks before Kafka's group gives its
partitions to another (6 s). A transaction that waits for anything but PostgreSQL needs more (`allow_idle`)."""


class PostgresUnavailable(Exception):  # noqa: N818 - it names a state, and handlers read better for it
    """PostgreSQL did not take the work within the tries allowed; nothing is known to have been committed."""


def role_of(service: str) -> str:
    """PostgreSQL role that owns a service's schema."""
    return f"waypost_{service}"


@contextmanager
def connecting() -> Iterator[None]:
    """What goes wrong while a connection is made, in two meanings: PostgresUnavailable, which may be over in a
    moment, or UserError, which a person must put right."""
    try:
        yield
    except _REFUSED as error:
        raise UserError(
            f"PostgreSQL refuses the user, the password or the database of WAYPOST_POSTGRES ({type(error).__name__})",
            "correct it",
        ) from error
    except asyncpg.InvalidParameterValueError as error:
        raise UserError("this PostgreSQL has no roles of Waypost yet", "run `waypost migrate`, then again") from error
    except asyncpg.InterfaceError as error:  # also what a DSN may say wrong
        raise UserError(
            f"WAYPOST_POSTGRES cannot be used ({type(error).__name__})",
            "it looks like postgresql://user:password@host:5432/database",
        ) from error
    except RETRIABLE as error:
        raise PostgresUnavailable(type(error).__name__) from error
    except ValueError as error:
        raise UserError(
            "WAYPOST_POSTGRES is no address", "it looks like postgresql://user:password@host:5432/database"
        ) from error


@asynccontextmanager
async def open_pool(
    settings: Settings, service: str, *, max_size: int = 8, server_settings: Mapping[str, str] | None = None
) -> AsyncIterator[Pool]:
    """A pool that acts as `service`: its role, its schema, and time-outs on everything that could wait for ever.

    `server_settings` are added to every session, for what a service needs of the planner. Raises as `connecting`.
    """
    with connecting():
        pool = await asyncpg.create_pool(
            settings.require_postgres(),
            min_size=1,
            max_size=max_size,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={
                "role": role_of(service),
                "search_path": service,
                "application_name": f"waypost-{service}",
                "timezone": "UTC",
                "statement_timeout": "30s",
                "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "60s",
                **(server_settings or {}),
            },
        )
    try:
        yield pool
    finally:
        # close() waits for every connection to come back; a stuck one must not hold up a shutdown.
        try:
            async with asyncio.timeout(3):
                await pool.close()
        except TimeoutError:
            pool.terminate()


@asynccontextmanager
async def acquire(pool: Pool) -> AsyncIterator[Connection]:
    """A connection within 5 s. Raises PostgresUnavailable when there is none, or when it is lost while in use."""
    try:
        connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
    except RETRIABLE as error:
        raise PostgresUnavailable(type(error).__name__) from error
    try:
        yield connection
    except RETRIABLE as error:
        raise PostgresUnavailable(type(error).__name__) from error
    finally:
        try:
            await pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)
        except RETRIABLE as error:
            # The pool has thrown this connection away. What was done on it stands or fell by its own answer: to raise
            # here would hide that answer, and make a committed transaction look lost.
            get_logger().info("postgres.connection_discarded", error=type(error).__name__)


async def transact(
    pool: Pool,
    work: Callable[[Connection], Awaitable[T]],
    *,
    tries: int = 4,
    first_pause_s: float = 0.05,
) -> T:
    """Run `work` in one transaction, again as a whole when the connection or the lock order failed it.

    `work` must be idempotent: a lost connection during COMMIT leaves the outcome unknown.
    Raises PostgresUnavailable when all tries failed; any other error of `work` passes through at once.
    """
    for attempt in range(1, tries + 1):
        try:
            async with acquire(pool) as connection, connection.transaction():
                return await work(connection)
        except (*RETRIABLE, PostgresUnavailable) as error:
            if attempt == tries:
                raise PostgresUnavailable(type(error.__cause__ or error).__name__) from error
            # Full jitter: two routers that met in a deadlock must not meet again.
            await asyncio.sleep(random.uniform(0, first_pause_s * 2**attempt))  # noqa: S311 - not a secret
    raise AssertionError("unreachable: the loop returns or raises")


async def clock_time(connection: Connection) -> datetime:
    """What PostgreSQL's clock shows at this moment, not at the beginning of the transaction."""
    time: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return time


async def present(pool: Pool) -> datetime:
    """PostgreSQL's time: what a command goes by, whatever its machine's clock shows. Raises PostgresUnavailable."""
    async with acquire(pool) as connection:
        return await clock_time(connection)


async def allow_idle(connection: Connection, seconds: int) -> None:
    """Let the present transaction wait so long for something that is not PostgreSQL."""
    await connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{seconds:d}s'")


async def limit_lock_waits(connection: Connection, milliseconds: int) -> None:
    """Let no statement of the present transaction wait longer than this for a lock."""
    await connection.execute(f"SET LOCAL lock_timeout = {milliseconds:d}")
