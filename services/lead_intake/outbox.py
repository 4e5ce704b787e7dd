"""From the outbox to Kafka: right after the commit, and by a sweeper for whatever is still there.

The sweeper goes by the state of rows. An "id greater than the last" would pass over a row whose transaction committed
after a younger one's. Publishing twice is harmless, because a fact's id derives from its cause.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice

from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.lead_intake import db
from services.lead_intake.db import OutboxRow
from shared.kafka import Producer, ProducerBroken, publish_or_bury
from shared.postgres import RETRIABLE, Connection, Pool, PostgresUnavailable, acquire, allow_idle, transact
from shared.telemetry import get_logger

SOURCE = "lead_intake"
SWEEP_EVERY = timedelta(seconds=1)
LEFT_AFTER = timedelta(seconds=3)
"""A younger row is most likely on its way by its own process."""
SWEEP_ROWS = 1_000
MOST_IN_HAND = 20_000
"""Rows kept in memory for the direct way; when Kafka is slower than that, the sweeper has the rest."""
PUBLISH_WITHIN_S = 12.0
"""Above the longest leader election after a broker died (9 s)."""
SWEPT_WITHIN_S = 60
"""The rows of one look are locked for as long as that; other sweepers pass over them."""
PUBLISH_EVERY_S = 0.05
"""A publish costs the broker the same for one fact as for a hundred: what is committed meanwhile goes together."""
LONGEST_PAUSE_S = 5.0
STOP_WITHIN_S = 3.0


class Outbox:
    """The relay of one process."""

    def __init__(
        self,
        pool: Pool,
        make_producer: Callable[[], Producer],
        clock: Callable[[], datetime],
        registry: CollectorRegistry,
    ) -> None:
        self._pool = pool
        self._make_producer = make_producer
        self._producer = make_producer()
        self._clock = clock
        self._in_hand: list[OutboxRow] = []
        self._wake = asyncio.Event()
        self._kafka_is_down = False
        self._published = Counter("waypost_intake_outbox_published", "Facts acknowledged by Kafka", registry=registry)
        self._unpublished = Counter(
            "waypost_intake_unpublished", "Facts larger than their topic takes, buried instead", registry=registry
        )
        self._waiting = Gauge("waypost_intake_outbox_waiting", "Facts that wait for Kafka", registry=registry)
        self._oldest_s = Gauge(
            "waypost_intake_outbox_oldest_seconds", "Age of the oldest fact that waits", registry=registry
        )

    def publish_soon(self, rows: Iterable[OutboxRow]) -> None:
        """Committed rows to publish at once; while Kafka is down they are left to the sweeper."""
        if not self._kafka_is_down:
            self._in_hand.extend(islice(rows, MOST_IN_HAND - len(self._in_hand)))
            self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`, then what is in hand."""
        direct = asyncio.create_task(self._publish_in_hand(stop))
        sweeper = asyncio.create_task(self._sweep(stop))
        stopping = asyncio.create_task(stop.wait())
        # Neither ends before `stop`, unless it failed in a way that nobody thought of: then the process must end too.
        await asyncio.wait({direct, sweeper, stopping}, return_when=asyncio.FIRST_COMPLETED)
        self._wake.set()
        # What Kafka does not take now is in the outbox; a stop must not wait for a broker that is gone.
        _, late = await asyncio.wait({direct, sweeper}, timeout=STOP_WITHIN_S if stop.is_set() else 0)
        for task in {*late, stopping}:
            task.cancel()
        ended = await asyncio.gather(direct, sweeper, return_exceptions=True)
        await self._producer.close()
        for failure in ended:
            if isinstance(failure, Exception):
                raise failure

    async def _publish_in_hand(self, stop: asyncio.Event) -> None:
        while not stop.is_set() or self._in_hand:
            if not self._in_hand:
                self._wake.clear()
                await self._wake.wait()
                continue
            rows, self._in_hand = self._in_hand, []
            try:
                await self._publish(rows)
                async with acquire(self._pool) as connection:
                    await db.delete_outbox(connection, [row.id for row in rows if row.id is not None])
            except (*RETRIABLE, PostgresUnavailable, KafkaError, ProducerBroken) as error:
                self._in_hand.clear()
                get_logger().warning("outbox.left_to_sweeper", facts=len(rows), error=type(error).__name__)
            await _wait(stop, PUBLISH_EVERY_S)

    async def _sweep(self, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                while not stop.is_set() and await transact(self._pool, self._sweep_some, tries=1) == SWEEP_ROWS:
                    pass
                await self._measure()
                failures = 0
            except (*RETRIABLE, PostgresUnavailable, KafkaError, ProducerBroken) as error:
                failures += 1
                get_logger().warning("outbox.sweep_failed", error=type(error).__name__, failures_in_a_row=failures)
            pause_s = min(LONGEST_PAUSE_S, SWEEP_EVERY.total_seconds() * 2 ** min(failures, 5))
            # Jitter: processes that lost Kafka together must not all come back in one moment.
            await _wait(stop, pause_s * random.uniform(0.7, 1.0))  # noqa: S311 - not a secret

    async def _sweep_some(self, connection: Connection) -> int:
        rows = await db.take_leftovers(connection, self._clock() - LEFT_AFTER, SWEEP_ROWS)
        if rows:
            await allow_idle(connection, SWEPT_WITHIN_S)
            await self._publish(rows)
            await db.delete_outbox(connection, [row.id for row in rows if row.id is not None])
            get_logger().info("outbox.swept", facts=len(rows))
        return len(rows)

    async def _publish(self, rows: list[OutboxRow]) -> None:
        by_topic: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
        for row in rows:
            by_topic[row.topic].append((row.key, row.value))
        producer = self._producer
        try:
            for topic, records in by_topic.items():
                refused = await publish_or_bury(
                    producer, topic, records, source=SOURCE, now=self._clock(), timeout_s=PUBLISH_WITHIN_S
                )
                self._unpublished.inc(refused)
        except (TimeoutError, OSError, KafkaError, ProducerBroken):
            self._kafka_is_down = True
            # What it still holds would pile up in memory try after try; a new producer starts empty.
            if producer is self._producer:
                self._producer = self._make_producer()
                await producer.close()
            raise
        self._kafka_is_down = False
        self._published.inc(len(rows))

    async def _measure(self) -> None:
        async with acquire(self._pool) as connection:
            waiting, oldest = await db.count_outbox(connection)
        self._waiting.set(waiting)
        self._oldest_s.set((self._clock() - oldest).total_seconds() if oldest else 0)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
