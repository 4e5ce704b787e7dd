"""One installation and one running intake per test module."""

from collections.abc import AsyncIterator

import pytest

from deploy.local import Stack
from tests.services.lead_intake.running import Installation, IntakeProcess, install


@pytest.fixture(scope="module")
async def installation(
    stack: Stack, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """Schema, topics, keys and the source web-form."""
    return await install(postgres_dsn, stack.kafka_bootstrap, topic_prefix, tmp_path_factory.mktemp("intake"))


@pytest.fixture(scope="module")
async def intake(installation: Installation) -> AsyncIterator[IntakeProcess]:
    """A running intake."""
    async with installation.running() as process:
        yield process
