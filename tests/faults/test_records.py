"""Bad and repeated records in the middle of the topics: the good ones go on, the bad ones are kept, nothing doubles."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import DEAD_LETTERS, LEADS_ANSWERED, LEADS_DECIDED, LEADS_DUE, LEADS_RECEIVED, TOPICS, Topic
from tests.faults.conftest import under
from tests.faults.load import Load, Sites
from tests.faults.system import System

PER_S = 40
POISON: Sequence[tuple[bytes, list[tuple[str, bytes]]]] = (
    (b"not json", []),
    (b"", []),
    (b"\xff\xfe\x00", [("traceparent", b"\xff\xfe")]),
    (b'{"specversion":"1.0","type":"waypost.leads.received.v9","data":{}}', []),
    (json.dumps({"specversion": "1.0", "data": "x" * 900_000}).encode(), []),
    (b"[" * 5_000, []),
)


async def poison(system: System) -> int:
    """Put every kind of poison into every topic that a service decides by; returns how many records that were."""
    producer = AIOKafkaProducer(bootstrap_servers=system.settings.kafka, max_request_size=2_000_000)
    await producer.start()
    topics = (LEADS_RECEIVED, LEADS_DECIDED, LEADS_ANSWERED, LEADS_DUE)
    try:
        for topic in topics:
            for value, record_headers in POISON:
                name = system.settings.topic_prefix + topic.name
                await producer.send_and_wait(name, value, key=b"poison", headers=record_headers)
    finally:
        await producer.stop()
    return len(topics) * len(POISON)


async def test_poison_is_buried_and_the_rest_goes_on(system: System, sites: Sites, load: Load) -> None:
    async with under(load, PER_S):
        sent = await poison(system)

    await system.prove(load.acknowledged)
    connection = await asyncpg.connect(system.settings.require_postgres())
    try:
        async with asyncio.timeout(60):
            buried = 0
            while buried < sent:
                buried = await connection.fetchval(
                    "SELECT count(DISTINCT value) FROM audit.records WHERE topic = ANY($1)",
                    [topic.name for topic in DEAD_LETTERS.values()],
                )
                await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def repeat_everything(system: System) -> int:
    """Publish every record of every topic once more, as it is; returns how many."""
    producer = AIOKafkaProducer(bootstrap_servers=system.settings.kafka, linger_ms=5)
    await producer.start()
    try:
        async with asyncio.timeout(120):
            repeated = [await repeat_topic(system, producer, topic) for topic in TOPICS]
            await producer.flush()
    finally:
        await producer.stop()
    return sum(repeated)


async def repeat_topic(system: System, producer: AIOKafkaProducer, topic: Topic[Any]) -> int:
    """Publish what the topic has at this moment once more, each record to its own partition."""
    name = system.settings.topic_prefix + topic.name
    consumer = AIOKafkaConsumer(bootstrap_servers=system.settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
        consumer.assign(partitions)
        ends = {partition: end for partition, end in (await consumer.end_offsets(partitions)).items() if end}
        for partition in partitions:
            consumer.seek(partition, 0)
        repeated, read = 0, dict.fromkeys(ends, 0)
        while any(read[partition] < end for partition, end in ends.items()):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends.get(partition, 0):
                        await producer.send(name, record.value, key=record.key, partition=record.partition)
                        repeated += 1
                if partition in read:
                    read[partition] = records[-1].offset + 1
    finally:
        await consumer.stop()
    return repeated


async def test_every_fact_may_come_twice(system: System, sites: Sites, load: Load) -> None:
    async with under(load, PER_S):
        await asyncio.sleep(2)
    await system.prove(load.acknowledged)
    connection = await asyncpg.connect(system.settings.require_postgres())
    deliveries = "SELECT count(*) FROM store_notifier.deliveries"
    before = await connection.fetchval(deliveries)

    repeated = await repeat_everything(system)

    assert repeated > len(load.acknowledged)
    report = await system.prove(load.acknowledged)
    assert report["terms"]["accepted"]["count"] == report["terms"]["published"]["count"]
    assert await connection.fetchval(deliveries) == before
    await connection.close()


@pytest.mark.faults
async def test_everything_may_come_five_times_while_services_die(system: System, sites: Sites, load: Load) -> None:
    async with under(load, PER_S):
        for _ in range(4):
            await repeat_everything(system)
            system.supervisor.kill("router")
            await asyncio.sleep(2)
            system.supervisor.kill("store_notifier")
            await asyncio.sleep(2)

    await system.prove(load.acknowledged)
