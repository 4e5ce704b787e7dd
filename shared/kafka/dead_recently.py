"""What was buried lately, as an operator wants to know it: how many for each topic, and the newest with its reason."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from aiokafka import TopicPartition

from shared.contracts import DEAD_LETTERS, RecordDead
from shared.kafka.consumer import ReadableConsumer
from shared.settings import Settings

READ_WITHIN_S = 5.0
LOOKED_AT = 20
"""Of the newest records, for one that is a dead letter: somebody may have written something else there."""


@dataclass(frozen=True, slots=True)
class Buried:
    """Dead letters of one topic since a moment."""

    topic: str
    records: int
    newest: RecordDead | None
    """None when none of the last ones can be read."""


async def buried_since(settings: Settings, since: datetime) -> list[Buried]:
    """Topics with dead letters since then. Raises aiokafka's KafkaError when the brokers cannot be asked."""
    consumer = ReadableConsumer(
        bootstrap_servers=settings.require_kafka(),
        enable_auto_commit=False,
        request_timeout_ms=10_000,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        existing = await consumer.topics()
        names = {settings.topic_prefix + topic.name: source for source, topic in DEAD_LETTERS.items()}
        places = [TopicPartition(name, 0) for name in sorted(names.keys() & set(existing))]
        if not places:
            return []
        ends = await consumer.end_offsets(places)
        first = await consumer.offsets_for_times({at: int(since.timestamp() * 1000) for at in places})
        found = []
        for at in places:
            begin = first.get(at)
            if begin is not None and begin.offset < ends[at]:
                newest = await _newest(consumer, at, begin.offset, ends[at], names[at.topic])
                found.append(Buried(names[at.topic], ends[at] - begin.offset, newest))
        return found
    finally:
        await consumer.stop()


async def _newest(
    consumer: ReadableConsumer, at: TopicPartition, begin: int, end: int, source: str
) -> RecordDead | None:
    consumer.assign([at])
    position = max(begin, end - LOOKED_AT)
    consumer.seek(at, position)
    newest: RecordDead | None = None
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            while position < end:
                for record in (await consumer.getmany(at, timeout_ms=500)).get(at, ()):
                    try:
                        newest = DEAD_LETTERS[source].read(record.value or b"").data
                    except ValueError:
                        continue
                position = await consumer.position(at)
    except TimeoutError:
        pass
    return newest
