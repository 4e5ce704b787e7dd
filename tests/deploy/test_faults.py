"""The parts of a stack can be stopped, killed and brought back: same data, same addresses."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.kafka.cluster import KafkaCluster
from deploy.kafka.java import KafkaJava
from deploy.kafka.probe import describe
from deploy.leftovers import Leftovers
from deploy.local import Stack
from deploy.postgres import Mode, Postgres
from deploy.process import Child
from shared.errors import UserError

NO_JAVA = KafkaJava([], Path("/no/archive"))


def child_in(folder: Path) -> Callable[[str], Child]:
    leftovers = Leftovers(folder / "children.json")
    return lambda name: Child(name, folder / "logs" / f"{name}.log", leftovers)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A server of its own, for tests that damage it."""
    postgres = Postgres(tmp_path / "postgres", child_in(tmp_path))
    try:
        postgres.boot()
        yield postgres
    finally:
        postgres.stop()


async def test_a_killed_broker_comes_back_under_its_address(stack: Stack) -> None:
    (before,) = stack.broker_pids
    address = stack.kafka_bootstrap

    await asyncio.to_thread(stack.kafka.kill)
    assert stack.broker_pids == [0]
    assert not psutil.pid_exists(before)
    await asyncio.to_thread(stack.kafka.start)

    assert (await describe(address)).cluster_id == stack.cluster_id
    assert stack.broker_pids != [before]


async def test_a_broker_stops_in_order_and_starts_again(stack: Stack) -> None:
    await asyncio.to_thread(stack.kafka.stop)
    assert stack.broker_pids == [0]
    await asyncio.to_thread(stack.kafka.start)

    assert (await describe(stack.kafka_bootstrap)).cluster_id == stack.cluster_id


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_postgres_restarts_without_losing_a_commit(stack: Stack, postgres_dsn: str, mode: Mode) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute(f"CREATE TABLE kept_{mode} (word text); INSERT INTO kept_{mode} VALUES ('kept')")

    await asyncio.to_thread(stack.postgres.restart, mode)

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    connection = await asyncpg.connect(postgres_dsn)
    assert await connection.fetchval(f"SELECT word FROM kept_{mode}") == "kept"
    await connection.close()


async def test_postgres_comes_back_after_kill_9(stack: Stack) -> None:
    workers = psutil.Process(stack.postgres.pid).children(recursive=True)

    await asyncio.to_thread(stack.postgres.kill)
    assert stack.postgres.pid == 0
    await asyncio.to_thread(stack.postgres.start)

    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    connection = await asyncpg.connect(stack.postgres_dsn)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


def test_a_server_that_cannot_start_says_why_and_where_its_log_is(postgres: Postgres) -> None:
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("9.6\n")

    with pytest.raises(UserError, match=r"(?s)postgres failed while starting.*not compatible") as refused:
        postgres.boot()

    assert str(postgres.child.log) in refused.value.hint


def test_a_process_id_used_again_does_not_keep_postgres_from_starting(postgres: Postgres) -> None:
    postgres.kill()
    stale = postgres.data / "postmaster.pid"
    stale.write_text("\n".join(["1", *stale.read_text().splitlines()[1:]]))

    postgres.start()

    assert postgres.pid


def test_a_port_taken_since_the_last_start_is_exchanged_for_another(postgres: Postgres) -> None:
    postgres.stop()
    before = postgres.dsn
    with socket.create_server(("127.0.0.1", urlsplit(before).port or 0)):
        postgres.boot()

    assert postgres.dsn != before


def test_a_folder_made_for_one_broker_refuses_three(tmp_path: Path) -> None:
    KafkaCluster(tmp_path / "kafka", 1, child_in(tmp_path), NO_JAVA)

    with pytest.raises(UserError, match=r"holds a Kafka of 1 broker, not 3"):
        KafkaCluster(tmp_path / "kafka", 3, child_in(tmp_path), NO_JAVA)


@pytest.mark.faults
async def test_three_brokers_keep_taking_records_when_one_is_killed(tmp_path: Path) -> None:
    async with Stack(tmp_path, brokers=3) as stack:
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("kept", 3, 3)])
        assert await least_in_sync(admin, "kept") == "2"
        await admin.close()

        async with AIOKafkaProducer(
            bootstrap_servers=stack.kafka_bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=60_000
        ) as producer:
            await producer.send_and_wait("kept", b"before")
            await asyncio.to_thread(stack.kafka.kill, 2)
            for partition in range(3):
                await producer.send_and_wait("kept", b"during", partition=partition)

        await asyncio.to_thread(stack.kafka.start)
        assert all(stack.broker_pids)


async def least_in_sync(admin: AIOKafkaAdminClient, topic: str) -> str:
    """The topic's `min.insync.replicas`, as soon as the broker that is asked has heard of the topic."""
    async with asyncio.timeout(120):
        while True:
            (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            settings = {entry[0]: entry[1] for entry in response.resources[0][4]}
            if settings:
                return str(settings["min.insync.replicas"])
            await asyncio.sleep(0.1)
