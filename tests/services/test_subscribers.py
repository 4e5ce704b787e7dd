"""Every subscriber of every service has the policies that lose nothing, and reads the topics that the document says."""

import asyncio
import os
from importlib import import_module
from pathlib import Path

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from services.groups import group_of
from services.router.main import CHANGES
from services.router.policies import publish_default
from services.router.settings import RouterSettings
from services.store_notifier.settings import NotifierSettings
from shared.contracts import TOPICS
from shared.contracts.document import READERS
from shared.kafka import apply_topics
from shared.keys import create_keys
from shared.migrate import SERVICES, migrate
from shared.settings import Settings


@pytest.fixture(scope="module")
async def environment(
    kafka_bootstrap: str, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """An installation that services can start on."""
    folder = tmp_path_factory.mktemp("subscribers")
    variables = {
        "WAYPOST_DATA_FOLDER": str(folder),
        "WAYPOST_KAFKA": kafka_bootstrap,
        "WAYPOST_POSTGRES": postgres_dsn,
        "WAYPOST_TOPIC_PREFIX": topic_prefix,
        "WAYPOST_INTAKE_PORT": "0",
        "WAYPOST_NOTIFIER_PORT": "0",
        "WAYPOST_INTAKE_URL": "http://127.0.0.1:9",
    }
    settings = Settings.model_validate(
        {"data_folder": folder, "kafka": kafka_bootstrap, "postgres": postgres_dsn, "topic_prefix": topic_prefix}
    )
    await apply_topics(settings)
    await migrate(postgres_dsn)
    create_keys(settings.key_file, os.urandom)
    await publish_default(settings)
    return variables


async def subscribers_of(
    service: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> list[BatchSubscriber]:
    """What the service's own wiring subscribes, taken at the moment before it would start to read."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main = import_module(f"services.{service}.main")
    brokers: list[KafkaBroker] = []
    stop = asyncio.Event()

    async def take(broker: KafkaBroker, _: asyncio.Event) -> None:
        brokers.append(broker)
        stop.set()

    monkeypatch.setattr(main, "run_broker", take)
    settings = import_module(f"services.{service}.settings").read_settings()
    async with asyncio.timeout(60):
        await main.main(settings, stop)
    found: list[BatchSubscriber] = []
    for subscriber in (each for broker in brokers for each in broker.subscribers):
        assert isinstance(subscriber, BatchSubscriber)
        found.append(subscriber)
    assert found, "the service reads nothing"
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_no_subscriber_can_lose_a_record(
    service: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for subscriber in await subscribers_of(service, environment, monkeypatch):
        arguments = subscriber._connection_args
        assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
        assert subscriber.group_id
        assert subscriber.batch_timeout_ms == 20
        assert subscriber.max_records
        assert subscriber.max_records <= 5_000
        assert arguments["auto_offset_reset"] == "earliest"
        assert arguments["enable_auto_commit"] is False
        assert arguments["partition_assignment_strategy"] == (RangePartitionAssignor,)
        assert 100 <= arguments["fetch_max_wait_ms"] <= 500


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reads_what_the_contract_document_says(
    service: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = environment["WAYPOST_TOPIC_PREFIX"]

    found = await subscribers_of(service, environment, monkeypatch)

    topics = {name.removeprefix(prefix) for subscriber in found for name in subscriber.topic_names}
    if service == "router":  # every process of it hears of these, so no group may share them
        topics |= {topic.name for topic in CHANGES}
    expected = {name for name, readers in READERS.items() if service in readers}
    assert topics - {topic.dead for topic in TOPICS} == expected
    assert {subscriber.group_id for subscriber in found} == {
        prefix + group_of(service, RouterSettings(), NotifierSettings())
    }


def test_nobody_builds_a_kafka_client_of_their_own() -> None:
    root = Path(__file__).parents[2]
    clients = ("AIOKafkaConsumer(", "AIOKafkaProducer(", "KafkaBroker(", "broker.subscriber(")

    offenders = [
        str(file.relative_to(root))
        for file in (root / "services").rglob("*.py")
        if any(client in file.read_text(encoding="utf-8") for client in clients)
    ]

    assert offenders == []
