"""A migrated database with topics per module, and a notifier process for those tests that want one."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local import Stack
from services.store_notifier.channels import webhook
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Outcome
from services.store_notifier.endpoints import secrets_of
from services.store_notifier.settings import NotifierSettings
from shared.kafka import Producer, apply_topics
from shared.keys import Keys, create_keys
from shared.migrate import migrate
from shared.postgres import Connection, Pool, open_pool
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.sending import Send
from tests.services.store_notifier.serving import Client, Intake, intake_of, serving
from tests.services.store_notifier.setting_up import NOWHERE, SITE, Endpoint, add_webhook, handle
from tests.services.store_notifier.world import Lead, now

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


@pytest.fixture
async def intake(keys: Keys) -> AsyncIterator[Intake]:
    async with intake_of(keys) as intake:
        yield intake


@pytest.fixture
async def client(pool: Pool, keys: Keys, intake: Intake) -> AsyncIterator[Client]:
    async with serving(pool, keys, intake.url) as client:
        yield client


@pytest.fixture
async def endpoint(pool: Pool, keys: Keys) -> Endpoint:
    return await add_webhook(pool, keys, NOWHERE)


@pytest.fixture
async def lead(pool: Pool, endpoint: Endpoint) -> Lead:
    """A lead that the site holds by epoch 1."""
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    return lead


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def send(keys: Keys, settings: NotifierSettings) -> AsyncIterator[Send]:
    """The real sender."""
    async with webhook.open_session(AddressGuard(settings.notifier_allow_networks), 60) as session:

        async def send(delivery: asyncpg.Record, endpoint: asyncpg.Record) -> Outcome:
            attempt = webhook.Webhook(
                delivery["delivery_id"],
                delivery["endpoint_id"],
                delivery["attempt"],
                endpoint["url"],
                secrets_of(endpoint, keys.endpoint_key, now()),
                webhook.body_of(delivery, settings.public_url),
                delivery["traceparent"],
            )
            return await webhook.send(session, attempt, now())

        yield send
