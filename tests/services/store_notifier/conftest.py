"""A migrated database with topics per module, and a notifier process for those tests that want one."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local import Stack
from services.store_notifier.settings import NotifierSettings
from shared.kafka import Producer, apply_topics
from shared.keys import Keys, create_keys
from shared.migrate import migrate
from shared.postgres import Connection, Pool, open_pool
from tests.services.store_notifier.process import Notifier

TABLES = (
    "assignments, vehicles, endpoints, deliveries, attempts, answers, seen_requests, contact_fetches, outbox, "
    "inbox_sequences, inbox_items, inbox_sessions"
)


@pytest.fixture(scope="module")
async def migrated_dsn(postgres_dsn: str) -> str:
    """A database with the notifier's tables."""
    await migrate(postgres_dsn, ["store_notifier"])
    return postgres_dsn


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key file."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    create_keys(path, os.urandom)
    return path


@pytest.fixture
def keys(keys_file: Path) -> Keys:
    """The opened key file."""
    return Keys.model_validate_json(keys_file.read_text())


@pytest.fixture
def settings(migrated_dsn: str, keys_file: Path, tmp_path: Path) -> NotifierSettings:
    """Settings without Kafka; stores on loopback are allowed, and retries are quick."""
    return NotifierSettings(
        postgres=SecretStr(migrated_dsn),
        data_folder=tmp_path,
        keys=keys_file,
        notifier_url="http://127.0.0.1:1",
        notifier_allow_networks="127.0.0.0/8,::1/128",
        notifier_retry_ceilings_s=(0.6,),
        notifier_time_to_answer_s=0,
    )


@pytest.fixture
async def db(migrated_dsn: str) -> AsyncIterator[Connection]:
    """A superuser's connection to the notifier's schema, emptied."""
    connection = await asyncpg.connect(migrated_dsn, server_settings={"search_path": "store_notifier"})
    await connection.execute(f"TRUNCATE {TABLES}")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(settings: NotifierSettings, db: Connection) -> AsyncIterator[Pool]:
    """The notifier's own pool on the emptied schema."""
    async with open_pool(settings, "store_notifier", max_size=12) as pool:
        yield pool


@pytest.fixture
async def with_kafka(settings: NotifierSettings, kafka_bootstrap: str, topic_prefix: str) -> NotifierSettings:
    """The settings with a Kafka that has the topics."""
    settings = settings.model_copy(update={"kafka": kafka_bootstrap, "topic_prefix": topic_prefix})
    await apply_topics(settings)
    return settings


@pytest.fixture
async def producer(with_kafka: NotifierSettings) -> AsyncIterator[Producer]:
    """What the router would use."""
    async with Producer(with_kafka, "test") as producer:
        yield producer


@pytest.fixture
async def notifier(with_kafka: NotifierSettings, db: Connection, stack: Stack) -> AsyncIterator[Notifier]:
    """A running notifier, ready."""
    async with Notifier(with_kafka) as notifier:
        yield notifier
