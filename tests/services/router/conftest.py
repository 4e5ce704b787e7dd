"""An installation per module (topics, tables), and a fresh world in it per test."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from pydantic import SecretStr

from services.router.settings import RouterSettings
from shared.kafka import apply_topics
from shared.migrate import migrate
from shared.postgres import open_pool
from tests.services.router.world import World


@pytest.fixture(scope="module")
async def router_settings(kafka_bootstrap: str, postgres_dsn: str, topic_prefix: str) -> RouterSettings:
    """Settings of an installation with its topics and tables."""
    settings = RouterSettings(kafka=kafka_bootstrap, postgres=SecretStr(postgres_dsn), topic_prefix=topic_prefix)
    await migrate(postgres_dsn)
    await apply_topics(settings)
    return settings


@pytest.fixture
async def world(router_settings: RouterSettings) -> AsyncIterator[World]:
    """The installation, to be set up by the test."""
    connection = await asyncpg.connect(router_settings.require_postgres())
    async with open_pool(router_settings, "router", max_size=2) as pool:
        yield World(router_settings, pool, connection)
    await connection.close()
