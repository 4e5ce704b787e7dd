"""One partition as the producer writes it: publishes that wait for the same turn leave in the same batch.

aiokafka takes one batch of a partition at a time and keeps one request in flight. Publishes that each bring a batch of
their own would go out one per round trip, and at more publishes than round trips a second their queue never ends.
"""

import asyncio
from collections import deque
from itertools import chain

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from shared.kafka.limits import RECORD_OVERHEAD_BYTES

BATCH_BYTES = 900 * 1024
"""A batch is shipped at this size: below the 1 MiB that a topic takes."""

Delivery = asyncio.Future[RecordMetadata]


class _Load:
    """Records that leave together, and what becomes of each batch of them."""

    def __init__(self) -> None:
        self.parts: list[list[tuple[bytes, bytes]]] = []
        """One of each publish, in the order in which they came."""
        self.left: deque[tuple[bytes, bytes]] | None = None
        """What is in no batch yet; None while publishes may still join."""
        self.deliveries: list[Delivery] = []


class Lane:
    """The turns of one partition of one topic, for one aiokafka producer."""

    def __init__(self, inner: AIOKafkaProducer, topic: str, partition: int) -> None:
        self._inner = inner
        self._topic = topic
        self._partition = partition
        self._turn = asyncio.Lock()
        self._gathering = _Load()

    async def send(self, records: list[tuple[bytes, bytes]]) -> list[Delivery]:
        """Hand the records over, in order; returns the deliveries of all that left with them.

        Cancelled while it waits for its turn, nothing of it is sent; later, the outcome is unknown.
        """
        load = self._gathering
        load.parts.append(records)
        try:
            await self._turn.acquire()
        except BaseException:
            if load.left is None:
                load.parts = [part for part in load.parts if part is not records]
            raise
        try:
            if load.left is None:
                load.left, self._gathering = deque(chain(*load.parts)), _Load()
            # Whoever has the first turn ships for all; when it failed half-way, the next goes on from there.
            while load.left:
                await self._ship_batch(load, load.left)
        finally:
            self._turn.release()
        return load.deliveries

    async def _ship_batch(self, load: _Load, left: "deque[tuple[bytes, bytes]]") -> None:
        batch, used, count = self._inner.create_batch(), 0, 0
        for key, value in left:
            size = len(key) + len(value) + RECORD_OVERHEAD_BYTES
            if used and used + size > BATCH_BYTES:
                break
            if batch.append(key=key, value=value, timestamp=None) is None:
                raise ValueError(f"a record of {size} bytes is larger than a batch may be")
            used += size
            count += 1
        load.deliveries.append(await self._inner.send_batch(batch, self._topic, partition=self._partition))
        # Only now: whoever goes on after a failure must find these, for the publishes that still wait for them.
        for _ in range(count):
            left.popleft()
