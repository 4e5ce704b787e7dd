"""A migrated database per module and, in it, an empty world per test."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic import SecretStr

from services.audit.settings import AuditSettings
from shared.migrate import migrate
from tests.services.audit.world import World

EMPTIED = (
    "audit.records, audit.heads, lead_intake.leads, lead_intake.reveals, router.decisions, router.leads, "
    "router.network_revisions, router.policies"
)


@pytest.fixture(scope="module")
async def migrated_dsn(postgres_dsn: str) -> str:
    """A database with every service's tables."""
    await migrate(postgres_dsn)
    return postgres_dsn


@pytest.fixture
def settings(migrated_dsn: str) -> AuditSettings:
    """Audit's settings without a Kafka: what is in the ledger is all there is."""
    return AuditSettings(postgres=SecretStr(migrated_dsn), kafka="")


@pytest.fixture
async def db(migrated_dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A superuser's connection to the module's database, emptied."""
    connection = await asyncpg.connect(migrated_dsn)
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(f"TRUNCATE {EMPTIED} CASCADE")
    yield connection
    await connection.close()


@pytest.fixture
async def world(db: "asyncpg.Connection[asyncpg.Record]") -> World:
    """A network in operation, with no lead yet."""
    world = World(db)
    await world.open_network()
    return world
