"""Writing: records grouped by partition, sent as whole batches, acknowledged by all in-sync replicas.

`send_batch` costs about 2 us a record where `send` costs 11-14 and `publish_batch` ignores keys, so partitions are
chosen here. All bounded in time: an idempotent aiokafka producer without a broker waits for ever.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from types import TracebackType
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from shared.kafka.lane import Lane
from shared.kafka.limits import MAX_DEAD_MESSAGE_BYTES, largest_record
from shared.settings import Settings
from shared.words import counted

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
PUBLISH_TIMEOUT_S = 20.0
"""Longer than a leader election after a broker died (up to 9 s by the broker's session time-out)."""
LINGER_MS = 0
"""What is handed over has gathered already (`Lane`): more waiting is pure delay (docs/decisions/0003-no-linger.md)."""


class ProducerBroken(Exception):  # noqa: N818 - it names a state
    """The producer met an error that breaks its sequence numbers: the process must start anew with another one."""


class RecordTooLarge(Exception):  # noqa: N818 - it names a state
    """Some of the records are more than their topic takes; all others were acknowledged. To send them again is vain."""

    def __init__(self, positions: list[int]) -> None:
        super().__init__(f"larger than their topic takes: {counted(len(positions), 'record')}")
        self.positions = positions
        """Which of the given records, counted from 0."""


def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key: CRC-32 modulo their number. Changing it breaks the order of every key in flight."""
    return crc32(key) % partitions


class Producer:
    """An idempotent producer with acks=all; use it as an async context manager."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._settings = settings
        self._prefix = settings.topic_prefix
        self._bootstrap = settings.require_kafka()
        self._client_id = client_id
        self._inner: AIOKafkaProducer | None = None
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> "Producer":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Flush and close, for at most 3 s."""
        inner, self._inner = self._inner, None
        self._lanes = {}
        if inner is not None:
            try:
                async with asyncio.timeout(3):
                    await inner.stop()
            except TimeoutError:
                return

    async def publish(
        self, topic: str, records: Iterable[tuple[bytes, bytes]], *, timeout_s: float = PUBLISH_TIMEOUT_S
    ) -> None:
        """Send `(key, value)` pairs and return when every one of them is acknowledged.

        Order is kept within a key. Raises TimeoutError or a retriable KafkaError when the outcome is unknown (send
        again: facts repeat harmlessly), RecordTooLarge when only records that never fit are left, ProducerBroken when
        this producer may not be used any more.
        """
        given, limit = list(records), largest_record(topic)
        refused = [i for i, (key, value) in enumerate(given) if len(key) + len(value) > limit]
        fitting = [record for i, record in enumerate(given) if i not in refused] if refused else given
        async with asyncio.timeout(timeout_s):
            if not await self._publish(topic, fitting):
                refused = await self._publish_one_by_one(topic, given, refused)
        if refused:
            raise RecordTooLarge(refused)

    async def _publish_one_by_one(
        self, topic: str, records: list[tuple[bytes, bytes]], refused: list[int]
    ) -> list[int]:
        """The topic takes less than it should (`max.message.bytes`): find out which records it takes.

        With a producer apart: here a record leaves in company, and would be refused for the size of another.
        """
        found = []
        async with Producer(self._settings, self._client_id) as apart:
            for i, record in enumerate(records):
                if i in refused or not await apart._publish(topic, [record]):
                    found.append(i)
        return found

    async def _publish(self, topic: str, records: list[tuple[bytes, bytes]]) -> bool:
        """False when a batch was too large for the topic; then what became of the others is unknown."""
        inner = await self._connected()
        try:
            results = await self._deliver(inner, self._prefix + topic, records)
        except KafkaError as error:
            results = [error]
        if any(isinstance(result, TOO_LARGE) for result in results):
            await self._renew(inner)
            return False
        for result in results:
            if isinstance(result, KafkaError) and not result.retriable:
                if inner is not self._inner:
                    # A batch of somebody else was too large, which leaves a gap behind it: a new producer has none.
                    raise KafkaConnectionError("the producer was replaced meanwhile")
                raise ProducerBroken(type(result).__name__)
            if isinstance(result, BaseException):
                raise result
        return True

    async def _deliver(
        self, inner: AIOKafkaProducer, name: str, records: list[tuple[bytes, bytes]]
    ) -> Sequence[object]:
        """Hand the records over; the outcome of every batch that they left in."""
        partitions = len(await inner.partitions_for(name))
        by_partition: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        for key, value in records:
            by_partition[partition_of(key, partitions)].append((key, value))
        sent = await asyncio.gather(
            *(self._lane(inner, name, partition).send(batch) for partition, batch in by_partition.items())
        )
        # One delivery is seen by every publish that left with it: who times out must not cancel it for the others.
        deliveries = [asyncio.shield(delivery) for lane in sent for delivery in lane]
        results: Sequence[object] = await asyncio.gather(*deliveries, return_exceptions=True)
        return results

    async def _renew(self, inner: AIOKafkaProducer) -> None:
        if inner is self._inner:
            await self.close()

    def _lane(self, inner: AIOKafkaProducer, topic: str, partition: int) -> Lane:
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = Lane(inner, topic, partition)
        return lane

    async def _connected(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._inner is None:
                inner = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=LINGER_MS,
                    max_batch_size=MAX_DEAD_MESSAGE_BYTES,
                    max_request_size=2 * MAX_DEAD_MESSAGE_BYTES,
                    request_timeout_ms=15_000,
                )
                try:
                    await inner.start()
                except BaseException:
                    await inner.stop()
                    raise
                self._inner = inner
            return self._inner
