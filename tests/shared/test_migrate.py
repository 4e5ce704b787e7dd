"""Migrations are applied once, as their owner, and an edited file is refused."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import asyncpg
import pytest

from deploy.local import Stack
from shared import migrate as module
from shared.errors import UserError
from shared.migrate import SERVICES, Migration, migrate, migrations_of, pending

_numbers = itertools.count(1)


@pytest.fixture
async def fresh_postgres_dsn(stack: Stack) -> AsyncIterator[str]:
    """A database that nothing was applied to; the module's own one is shared by tests in any order."""
    name = f"migrate_{next(_numbers)}"
    connection = await asyncpg.connect(stack.postgres_dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    yield stack.postgres.dsn_of(name)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def test_a_fresh_database_gets_every_migration_once(fresh_postgres_dsn: str) -> None:
    expected = [f"{m.service}/{m.name}" for service in SERVICES for m in migrations_of(service)]

    dsn = fresh_postgres_dsn
    waiting, first, second = await pending(dsn), await migrate(dsn), await migrate(dsn)

    assert waiting == first == expected
    assert second == []
    assert await pending(dsn) == []


async def test_two_deployments_at_once_do_the_work_once(fresh_postgres_dsn: str) -> None:
    done = await asyncio.gather(*(migrate(fresh_postgres_dsn) for _ in range(3)))

    assert sorted(len(names) for names in done)[:2] == [0, 0]
    assert max(len(names) for names in done) > 0


async def test_each_schema_belongs_to_its_service_alone(postgres_dsn: str) -> None:
    await migrate(postgres_dsn)
    connection = await asyncpg.connect(postgres_dsn)
    try:
        rows = await connection.fetch(
            "SELECT schemaname, tableowner FROM pg_tables WHERE schemaname = ANY($1) AND tablename <> 'migrations'",
            list(SERVICES),
        )
        await connection.execute("SET ROLE waypost_store_notifier")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM router.decisions")
    finally:
        await connection.close()

    assert {(row["schemaname"], row["tableowner"]) for row in rows} == {(s, f"waypost_{s}") for s in SERVICES}


async def test_an_edited_migration_is_refused(fresh_postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await migrate(fresh_postgres_dsn)
    edited = Migration("router", migrations_of("router")[0].name, "SELECT 1")
    monkeypatch.setattr(module, "migrations_of", lambda service: [edited] if service == "router" else [])

    with pytest.raises(UserError, match=f"router/{edited.name} was edited"):
        await migrate(fresh_postgres_dsn)
