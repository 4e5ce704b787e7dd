"""Brings committed facts to Kafka, in the order of their commit for each lead, and deletes them once acknowledged.

While Kafka is down the rows wait; what was promised to a store with 202 is not lost.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import groupby

import asyncpg
from aiokafka.errors import KafkaError

from services.store_notifier.db import outbox
from services.store_notifier.facts import SOURCE
from services.store_notifier.listening import listening, wait_any
from services.store_notifier.metrics import Metrics
from services.store_notifier.spans import trace_published
from shared.kafka import Producer, publish_or_bury
from shared.pausing import sleep_or_stop
from shared.postgres import Connection, Pool, PostgresUnavailable
from shared.telemetry import get_logger
from shared.tracing import Tracing

BATCH = 500
SWEEP_S = 1.0
"""Rows are looked for by themselves this often: a notification may get lost, and a relay elsewhere may die."""
PUBLISH_TIMEOUT_S = 10.0
LONGEST_PAUSE_S = 5.0


class Relay:
    """The process's candidate for the one relay of the installation."""

    def __init__(
        self, pool: Pool, producer: Producer, metrics: Metrics, tracing: Tracing, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop`. A broken producer is raised: the process must start anew with another one."""
        while not stop.is_set():
            try:
                async with listening(self._pool, outbox.WAKE) as (connection, heard):
                    try:
                        await self._relay(connection, heard, stop)
                    finally:
                        if not connection.is_closed():
                            await outbox.resign_relay(connection)
            except (PostgresUnavailable, asyncpg.PostgresError) as error:
                get_logger().warning("outbox.postgres_unavailable", error=type(error).__name__)
                await sleep_or_stop(stop, SWEEP_S)

    async def _relay(self, connection: Connection, heard: asyncio.Event, stop: asyncio.Event) -> None:
        leading, failures = False, 0
        while not stop.is_set():
            leading = leading or await outbox.become_relay(connection)
            if leading:
                try:
                    while not stop.is_set() and await self._publish_some(connection):
                        failures = 0
                except (KafkaError, TimeoutError) as error:
                    failures += 1
                    get_logger().warning("outbox.kafka_unavailable", error=type(error).__name__, failures=failures)
                self._metrics.outbox.set(await outbox.size(connection))
            pause_s = SWEEP_S if not failures else min(LONGEST_PAUSE_S, 0.2 * 2 ** min(failures, 8))
            await wait_any(asyncio.Event() if failures else heard, stop, pause_s)

    async def _publish_some(self, connection: Connection) -> bool:
        rows = await outbox.waiting(connection, BATCH)
        if not rows:
            return False
        # Topics one after the other: only facts of one topic about one lead have an order to keep.
        by_topic = sorted(rows, key=lambda row: row[1].topic)
        for topic, group in groupby(by_topic, key=lambda row: row[1].topic):
            numbered = list(group)
            refused = await publish_or_bury(
                self._producer,
                topic,
                [(fact.key, fact.value) for _, fact in numbered],
                source=SOURCE,
                now=self._clock(),
                timeout_s=PUBLISH_TIMEOUT_S,
            )
            self._metrics.unpublished.inc(refused)
            if self._tracing.enabled:
                trace_published(self._tracing, [fact for _, fact in numbered], self._clock())
            await outbox.delete(connection, [number for number, _ in numbered])
        get_logger().info("outbox.published", facts=len(rows))
        return True
