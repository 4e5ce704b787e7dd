"""The embedded stack as a user meets it: it comes up, it keeps data, it keeps a second one out."""

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.probe import describe
from deploy.local import Stack, read_stack
from shared.errors import UserError


async def test_a_record_sent_to_kafka_is_read_by_a_group_at_once(stack: Stack, topic_prefix: str) -> None:
    topic = f"{topic_prefix}echo"
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=stack.kafka_bootstrap, acks="all", enable_idempotence=True
    ) as producer:
        await producer.send_and_wait(topic, b"hello")
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=stack.kafka_bootstrap, group_id=topic, auto_offset_reset="earliest"
    )
    async with consumer:
        assert (await consumer.getone()).value == b"hello"


async def test_the_database_is_durable_checked_and_closed_to_strangers(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgres_dsn)
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert await connection.fetchval(f"SHOW {name}") == "on"
        assert await connection.fetchval("SHOW server_version") >= "18"
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
    finally:
        await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(stack.postgres_dsn, password="wrong")


async def test_the_broker_that_answers_is_ours(stack: Stack) -> None:
    view = await describe(stack.kafka_bootstrap)

    assert view.cluster_id == stack.cluster_id
    assert view.broker_ids == {1}


def test_stack_json_tells_other_commands_where_everything_is_and_only_the_owner(stack: Stack) -> None:
    addresses = read_stack(stack.folder)

    assert addresses is not None
    assert (addresses.kafka, addresses.postgres) == (stack.kafka_bootstrap, stack.postgres_dsn)
    assert (addresses.brokers, addresses.cluster_id) == (1, stack.cluster_id)
    assert (stack.folder / "stack.json").stat().st_mode & 0o777 == 0o600


def test_a_second_stack_in_the_folder_is_refused_and_told_who_holds_it(stack: Stack) -> None:
    addresses = read_stack(stack.folder)
    assert addresses is not None

    with pytest.raises(UserError, match=rf"already runs in .* \(process {addresses.pid}\)"):
        Stack(stack.folder).start()

    assert read_stack(stack.folder) == addresses
