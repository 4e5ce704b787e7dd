"""Publishing what must not be waited for: a record that its topic never takes is buried, and the others go on.

An outbox is emptied in order; without this, one row that Kafka refuses would keep every row behind it for ever.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.contracts import DEAD_LETTERS, TOPICS
from shared.kafka.dead_letter import DeadLetter, dead_letter
from shared.kafka.produce import PUBLISH_TIMEOUT_S, Producer, RecordTooLarge, partition_of
from shared.kafka.record import Record
from shared.telemetry import get_logger

_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}


async def publish_or_bury(
    producer: Producer,
    topic: str,
    records: Sequence[tuple[bytes, bytes]],
    *,
    source: str,
    now: datetime,
    timeout_s: float = PUBLISH_TIMEOUT_S,
) -> int:
    """`Producer.publish`, and for records larger than `topic` takes a dead letter; returns how many those were.

    `source` is the service that publishes. Raises what `publish` raises, but for RecordTooLarge.
    """
    try:
        await producer.publish(topic, records, timeout_s=timeout_s)
    except RecordTooLarge as refused:
        for i in refused.positions:
            await _bury(producer, topic, *records[i], source, now, timeout_s)
        return len(refused.positions)
    return 0


async def _bury(
    producer: Producer, topic: str, key: bytes, value: bytes, source: str, now: datetime, timeout_s: float
) -> None:
    reason = f"{len(key) + len(value)} bytes are more than its topic takes: it was never published"
    record = Record(topic, partition_of(key, _PARTITIONS[topic]), 0, key, value, int(now.timestamp() * 1000))

    def letter(*, whole: bool) -> DeadLetter:
        return dead_letter(record, reason, source, now, whole=whole, is_published=False)

    for whole in (True, False):
        found = letter(whole=whole)
        try:
            await producer.publish(DEAD_LETTERS[topic].name, [(found.key, found.value)], timeout_s=timeout_s)
        except RecordTooLarge:
            continue
        get_logger().error("record.not_published", topic=topic, bytes=len(key) + len(value), kept_whole=found.is_whole)
        return
    get_logger().error("record.not_buried", topic=topic, bytes=len(key) + len(value), reason=reason)
