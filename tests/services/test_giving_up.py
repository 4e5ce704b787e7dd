"""A process that cannot go on ends with a status that makes whoever keeps it alive start it again and say so."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.router.policies import publish_default
from shared.contracts import DEAD_LETTERS, TOPICS
from shared.contracts.document import READERS
from shared.kafka import Producer, apply_topics
from shared.keys import create_keys
from shared.migrate import migrate
from shared.settings import Settings

BURIERS = ("lead_intake", "router", "store_notifier")
"""Services that publish from a handler, and so can find their producer broken in it."""


@pytest.fixture(scope="module")
async def settings(
    kafka_bootstrap: str, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """An installation whose dead-letter topics refuse every record, as they would for want of a right to write."""
    settings = Settings.model_validate(
        {
            "data_folder": tmp_path_factory.mktemp("giving-up"),
            "kafka": kafka_bootstrap,
            "postgres": postgres_dsn,
            "topic_prefix": topic_prefix,
        }
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    refusing = {"message.timestamp.before.max.ms": "0"}  # nearly every record is older than now
    await admin.create_topics(
        [NewTopic(topic_prefix + topic.name, 1, 1, topic_configs=refusing) for topic in DEAD_LETTERS.values()]
    )
    await admin.close()
    await apply_topics(settings)
    await migrate(postgres_dsn)
    create_keys(settings.key_file, os.urandom)
    await publish_default(settings)
    return settings


@pytest.mark.parametrize("service", BURIERS)
async def test_a_service_whose_producer_broke_ends_with_1(service: str, settings: Settings, tmp_path: Path) -> None:
    topic = next(topic for topic in TOPICS if service in READERS[topic.name] and topic.name.startswith("leads."))
    environment = {
        **os.environ,  # noqa: TID251 - handed down, not read
        "WAYPOST_DATA_FOLDER": str(settings.data_folder),
        "WAYPOST_KAFKA": settings.kafka,
        "WAYPOST_POSTGRES": settings.require_postgres(),
        "WAYPOST_TOPIC_PREFIX": settings.topic_prefix,
        "WAYPOST_INTAKE_PORT": "0",
        "WAYPOST_NOTIFIER_PORT": "0",
        "WAYPOST_INTAKE_URL": "http://127.0.0.1:9",
    }

    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", "run", service, env=environment, stdout=log, stderr=log
        )
        try:
            async with asyncio.timeout(240), Producer(settings, "test") as producer:
                while process.returncode is None:
                    # A dead letter that the broker has within its own millisecond is not older than now.
                    await producer.publish(topic.name, [(b"k", b"not json")])
                    await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=0.5)
        except TimeoutError:
            pytest.fail(f"it goes on: {(tmp_path / 'log').read_text()}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    assert process.returncode == 1, (tmp_path / "log").read_text()
    assert "producer broken" in (tmp_path / "log").read_text()
