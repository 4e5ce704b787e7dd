"""Writing: records grouped by partition, sent as whole batches, acknowledged by all in-sync replicas.

`send_batch` costs about 2 us a record where `send` costs 11-14 and `publish_batch` ignores keys, so partitions are
chosen here. All bounded in time: an idempotent aiokafka producer without a broker waits for ever.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from types import TracebackType
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.kafka.lane import Lane
from shared.settings import Settings

PUBLISH_TIMEOUT_S = 20.0
"""Longer than a leader election after a broker died (up to 9 s by the broker's session time-out)."""
LARGEST_BATCH_BYTES = 2 * 1024 * 1024
"""One record alone may be this large: a dead letter holds a 1 MiB record in base64."""
LINGER_MS = 0
"""What is handed over has gathered already (`Lane`): more waiting is pure delay (docs/decisions/0003-no-linger.md)."""


class ProducerBroken(Exception):  # noqa: N818 - it names a state
    """The producer met an error that breaks its sequence numbers: the process must start anew with another one."""


def partition_of(key: bytes, partitions: int) -> int:
    """Partition of a key: CRC-32 modulo their number. Changing it breaks the order of every key in flight."""
    return crc32(key) % partitions


class Producer:
    """An idempotent producer with acks=all; use it as an async context manager."""

    def __init__(self, settings: Settings, client_id: str) -> None:
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
        again: facts repeat harmlessly), ProducerBroken when this producer may not be used any more.
        """
        async with asyncio.timeout(timeout_s):
            inner = await self._connected()
            name = self._prefix + topic
            partitions = len(await inner.partitions_for(name))
            by_partition: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
            for key, value in records:
                by_partition[partition_of(key, partitions)].append((key, value))
            sent = await asyncio.gather(
                *(self._lane(inner, name, partition).send(batch) for partition, batch in by_partition.items())
            )
            # One delivery is seen by every publish that left with it: who times out must not cancel it for the others.
            deliveries = [asyncio.shield(delivery) for lane in sent for delivery in lane]
            results = await asyncio.gather(*deliveries, return_exceptions=True)
        for result in results:
            if isinstance(result, KafkaError) and not result.retriable:
                raise ProducerBroken(type(result).__name__)
            if isinstance(result, BaseException):
                raise result

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
                    max_batch_size=LARGEST_BATCH_BYTES,
                    max_request_size=2 * LARGEST_BATCH_BYTES,
                    request_timeout_ms=15_000,
                )
                try:
                    await inner.start()
                except BaseException:
                    await inner.stop()
                    raise
                self._inner = inner
            return self._inner
