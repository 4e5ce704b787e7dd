"""Follows the topics of the play from the moment it starts and keeps the board up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.demo.journey import Board
from shared.contracts import DELIVERIES_ATTEMPTED, LEADS_DECIDED, NETWORK_CHANGED, POLICIES_PUBLISHED, Topic
from shared.settings import Settings

WATCHED: tuple[Topic[Any], ...] = (LEADS_DECIDED, DELIVERIES_ATTEMPTED, NETWORK_CHANGED, POLICIES_PUBLISHED)


@asynccontextmanager
async def watching(settings: Settings, board: Board) -> AsyncIterator[asyncio.Task[None]]:
    """Inside the block every decision, attempt, network and policy reaches the board.

    It reads without a consumer group, from the ends as they are on entry: a watcher must leave no trace on the cluster
    and owes nobody a record that it missed. The task that it gives ends only by failing, on a record that is no fact:
    look at it now and then.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.require_kafka(), enable_auto_commit=False)
    await consumer.start()
    try:
        names = {settings.topic_prefix + topic.name: topic for topic in WATCHED}
        consumer.assign(
            [TopicPartition(name, number) for name, topic in names.items() for number in range(topic.partitions)]
        )
        await consumer.seek_to_end()
        # The position of a partition is only fixed when it is asked for; a lead sent before that would be missed.
        for partition in consumer.assignment():
            await consumer.position(partition)
        task = asyncio.create_task(_follow(consumer, settings.topic_prefix, board))
        try:
            yield task
        finally:
            task.cancel()
    finally:
        await consumer.stop()


async def _follow(consumer: AIOKafkaConsumer, prefix: str, board: Board) -> None:
    async for record in consumer:
        if record.value is not None:
            show(board, record.topic.removeprefix(prefix), record.value)


def show(board: Board, topic: str, value: bytes) -> None:
    """Enter one record on the board. Raises ValueError when it is no fact of its topic."""
    if topic == LEADS_DECIDED.name:
        board.decided(LEADS_DECIDED.read(value).data)
    elif topic == DELIVERIES_ATTEMPTED.name:
        board.attempted(DELIVERIES_ATTEMPTED.read(value).data)
    elif topic == NETWORK_CHANGED.name:
        board.network_revision = NETWORK_CHANGED.read(value).data.revision
    else:
        board.policy_version = POLICIES_PUBLISHED.read(value).data.version
