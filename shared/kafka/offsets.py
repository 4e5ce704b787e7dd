"""Where the topics end: for those who must know whether everything that was published has been read."""

from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts import Topic
from shared.settings import Settings


async def end_offsets(settings: Settings, topics: Iterable[Topic[Any]]) -> dict[tuple[str, int], int]:
    """The next offset of every partition of `topics`, by contract name. Joins no group and commits nothing.

    Raises aiokafka's KafkaError when the brokers cannot be asked; a topic that does not exist is left out.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.require_kafka(), enable_auto_commit=False, request_timeout_ms=10_000
    )
    try:
        await consumer.start()
        existing = await consumer.topics()
        partitions = [
            TopicPartition(settings.topic_prefix + topic.name, number)
            for topic in topics
            if settings.topic_prefix + topic.name in existing
            for number in range(topic.partitions)
        ]
        ends = await consumer.end_offsets(partitions) if partitions else {}
        return {(at.topic.removeprefix(settings.topic_prefix), at.partition): end for at, end in ends.items()}
    finally:
        await consumer.stop()
