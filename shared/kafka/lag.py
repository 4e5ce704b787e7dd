"""How far consumer groups are behind their topics, for whoever looks from outside. Joins no group, commits nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts import Topic
from shared.settings import Settings

Groups = Mapping[str, Sequence[Topic[Any]]]
"""Topics by the group that reads them; both names without the installation's prefix."""
REQUEST_TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True)
class Lag:
    """Where one group stands on one topic."""

    group: str
    topic: str
    records: int
    """That it has not handled yet."""
    handled: int
    """Sum of the offsets that it has committed: what grows while it is at work."""


async def lags(settings: Settings, groups: Groups) -> list[Lag]:
    """Every group on every topic of it that exists. Raises aiokafka's KafkaError when the brokers cannot be asked."""
    prefix = settings.topic_prefix
    begins, ends = await _bounds(settings, {prefix + topic.name for topics in groups.values() for topic in topics})
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.require_kafka(), request_timeout_ms=REQUEST_TIMEOUT_MS)
    await admin.start()
    try:
        found = []
        for group, topics in groups.items():
            committed = await admin.list_consumer_group_offsets(prefix + group)
            for topic in topics:
                records = handled = 0
                for at in [at for at in ends if at.topic == prefix + topic.name]:
                    known = committed.get(at)
                    reached = begins[at] if known is None or known.offset < 0 else known.offset
                    records += max(0, ends[at] - reached)
                    handled += reached
                found.append(Lag(group, topic.name, records, handled))
        return found
    finally:
        await admin.close()


async def members(settings: Settings, groups: Sequence[str]) -> dict[str, int]:
    """How many processes are in each group now. Raises as `lags`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.require_kafka(), request_timeout_ms=REQUEST_TIMEOUT_MS)
    await admin.start()
    try:
        found = {}
        for group in groups:
            [response] = await admin.describe_consumer_groups([settings.topic_prefix + group])
            [described] = response.groups
            found[group] = len(described[5])
        return found
    finally:
        await admin.close()


async def _bounds(settings: Settings, names: set[str]) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.require_kafka(), enable_auto_commit=False, request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    try:
        await consumer.start()
        existing = await consumer.topics()
        partitions = [
            TopicPartition(name, number)
            for name in names & set(existing)
            for number in consumer.partitions_for_topic(name) or ()
        ]
        if not partitions:
            return {}, {}
        return await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
