"""Burying what can never be handled, whole and with its address, and stopping when too much of it dies."""

import base64
from collections.abc import Sequence
from datetime import datetime

from shared.contracts import DEAD_LETTERS, RecordDead, derived_id
from shared.kafka.consume import Record
from shared.kafka.produce import Producer
from shared.telemetry import get_logger

LONGEST_REASON = 500
# 1 % of what was seen, once 1,000 were seen: a bad deploy must stop, one bad record in a quiet hour must not.
DEAD_SHARE_LIMIT = 0.01
SMALLEST_SAMPLE = 1_000
FEW_ENOUGH = 20
"""So many dead records are never an alarm by themselves."""


class TooManyDead(Exception):  # noqa: N818 - it names a state
    """More than 1 % of the records die: most likely this version of the code is wrong, not the records."""


class DeadLetters:
    """The dead-letter topics as seen by one consumer."""

    def __init__(self, producer: Producer, consumer: str) -> None:
        self._producer = producer
        self._consumer = consumer
        self._seen = 0
        self._dead = 0

    async def bury(self, dead: Sequence[tuple[Record, str]], *, seen: int, now: datetime) -> None:
        """Publish each `(record, reason)` to its dead-letter topic; `seen` is the size of the batch they came in.

        Reasons must not quote the record. Raises TooManyDead before publishing when the share passed 1 %.
        """
        self._seen += seen
        if self._seen > 100 * SMALLEST_SAMPLE:  # forget the distant past, so that a new fault shows
            self._seen //= 2
            self._dead //= 2
        if not dead:
            return
        self._dead += len(dead)
        if self._dead > FEW_ENOUGH and self._dead > DEAD_SHARE_LIMIT * max(self._seen, SMALLEST_SAMPLE):
            self._dead -= len(dead)  # the batch comes back; it must not be counted twice
            raise TooManyDead(f"{self._dead} of {self._seen} records of {self._consumer} are dead")
        for record, reason in dead:
            await self._publish(record, reason, now)

    async def _publish(self, record: Record, reason: str, now: datetime) -> None:
        topic = DEAD_LETTERS[record.topic]
        fact = topic.fact(
            RecordDead(
                source_topic=record.topic,
                source_partition=record.partition,
                source_offset=record.offset,
                consumer=self._consumer,
                reason=reason[:LONGEST_REASON],
                raw_base64=base64.b64encode(record.value).decode(),
                died_at=now,
            ),
            id=derived_id("dead", self._consumer, record.topic, record.partition, record.offset),
            source=self._consumer,
            subject=f"{record.topic}/{record.partition}/{record.offset}",
            time=now,
        )
        await self._producer.publish(topic.name, [(record.key, fact.to_bytes())])
        get_logger().warning(
            "record.buried",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason[:LONGEST_REASON],
        )
