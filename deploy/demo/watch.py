"""Follows the topics of the play from the moment it starts and keeps the board up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.demo.journey import Board
from shared.contracts import DELIVERIES_ATTEMPTED, LEADS_DECIDED
from shared.settings import Settings


@asynccontextmanager
async def watching(settings: Settings, board: Board) -> AsyncIterator[None]:
    """Inside the block every decision and every attempt reaches the board.

    It reads without a consumer group, from the ends as they are on entry: a watcher must leave no trace on the cluster
    and owes nobody a record that it missed.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.require_kafka(), enable_auto_commit=False)
    await consumer.start()
    try:
        names = {settings.topic_prefix + topic.name: topic for topic in (LEADS_DECIDED, DELIVERIES_ATTEMPTED)}
        consumer.assign(
            [TopicPartition(name, number) for name, topic in names.items() for number in range(topic.partitions)]
        )
        await consumer.seek_to_end()
        # The position of a partition is only fixed when it is asked for; a lead sent before that would be missed.
        for partition in consumer.assignment():
            await consumer.position(partition)
        # In a group, so that a record that cannot be read ends the play instead of freezing its table.
        async with asyncio.TaskGroup() as group:
            task = group.create_task(_follow(consumer, settings.topic_prefix, board))
            try:
                yield
            finally:
                task.cancel()
    finally:
        await consumer.stop()


async def _follow(consumer: AIOKafkaConsumer, prefix: str, board: Board) -> None:
    async for record in consumer:
        if record.value is None:
            continue
        if record.topic == prefix + LEADS_DECIDED.name:
            board.decided(LEADS_DECIDED.read(record.value).data)
        else:
            board.attempted(DELIVERIES_ATTEMPTED.read(record.value).data)
