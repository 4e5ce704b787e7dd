"""Connections that are lost while in use: one error for it, and never one that hides what was already answered."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic import SecretStr

from shared.kafka.consume import GROUP_SESSION_MS
from shared.migrate import migrate
from shared.postgres import (
    SERVICE_LIMITS,
    Connection,
    Pool,
    PostgresUnavailable,
    acquire,
    allow_idle,
    open_pool,
    transact,
)
from shared.settings import Settings

IDLE_LIMIT_MS = "SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Pool]:
    await migrate(postgres_dsn, ["audit"])
    async with open_pool(Settings(postgres=SecretStr(postgres_dsn)), "audit", max_size=2) as pool:
        yield pool


async def _end_session(dsn: str, connection: Connection) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
    await admin.close()


async def test_a_session_ended_by_the_server_is_one_error_wherever_it_is_noticed(pool: Pool, postgres_dsn: str) -> None:
    async def lose() -> None:
        async with acquire(pool) as connection:
            await _end_session(postgres_dsn, connection)
            await connection.execute("SELECT 1")

    with pytest.raises(PostgresUnavailable):
        await lose()
    async with acquire(pool) as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_transaction_whose_session_ends_is_done_again_as_a_whole(pool: Pool, postgres_dsn: str) -> None:
    sessions = []

    async def work(connection: Connection) -> int:
        sessions.append(connection.get_server_pid())
        if len(sessions) == 1:
            await _end_session(postgres_dsn, connection)
        value: int = await connection.fetchval("SELECT 42")
        return value

    assert await transact(pool, work) == 42
    assert len(set(sessions)) == 2


async def test_a_connection_that_cannot_be_given_back_hides_neither_the_result_nor_the_error_of_its_work(
    pool: Pool,
) -> None:
    statements = []

    async def leave_busy(failure: Exception | None = None) -> str:
        async with acquire(pool) as connection:
            statements.append(asyncio.create_task(connection.execute("SELECT pg_sleep(30)")))
            await asyncio.sleep(0)  # the statement is under way, so that the pool cannot reset the session
            if failure:
                raise failure
            return "done"

    assert await leave_busy() == "done"
    with pytest.raises(LookupError):
        await leave_busy(LookupError())
    ended = await asyncio.gather(*statements, return_exceptions=True)
    assert all(isinstance(error, Exception) for error in ended)
    async with acquire(pool) as one, acquire(pool) as other:
        assert await one.fetchval("SELECT 1") == await other.fetchval("SELECT 1") == 1


async def test_a_transaction_that_stood_still_for_too_long_is_done_again_as_a_whole(postgres_dsn: str) -> None:
    """Its session is ended by PostgreSQL, and with it every lock that it had."""
    sessions = []
    limits = {"idle_in_transaction_session_timeout": "50ms"}
    settings = Settings(postgres=SecretStr(postgres_dsn))
    await migrate(postgres_dsn, ["audit"])
    admin = await asyncpg.connect(postgres_dsn)

    async def work(connection: Connection) -> int:
        sessions.append(connection.get_server_pid())
        if len(sessions) == 1:
            async with asyncio.timeout(120):
                while await admin.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", sessions[0]):
                    await asyncio.sleep(0.01)
        value: int = await connection.fetchval("SELECT 42")
        return value

    async with open_pool(settings, "audit", max_size=1, server_settings=limits) as pool:
        assert await transact(pool, work) == 42
    await admin.close()
    assert len(set(sessions)) == 2


async def test_a_service_frozen_within_a_transaction_loses_its_locks_before_its_partitions(postgres_dsn: str) -> None:
    await migrate(postgres_dsn, ["audit"])
    settings = Settings(postgres=SecretStr(postgres_dsn))
    async with open_pool(settings, "audit", max_size=1, server_settings=SERVICE_LIMITS) as pool:
        async with acquire(pool) as connection, connection.transaction():
            assert await connection.fetchval(IDLE_LIMIT_MS) < GROUP_SESSION_MS
            await allow_idle(connection, 60)
            assert await connection.fetchval(IDLE_LIMIT_MS) == 60_000
        async with acquire(pool) as connection:
            assert await connection.fetchval(IDLE_LIMIT_MS) < GROUP_SESSION_MS
