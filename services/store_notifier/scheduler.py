"""Sends what is due: claims endpoints first, then a few deliveries of each, so that a slow store delays only itself.

Any number of processes may run it on one database. A claim lasts one lease; a process that dies in between leaves it
to the reaper, and the store gets the same `webhook-id` again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import uuid4

import asyncpg

from services.store_notifier.db import deliveries, endpoints
from services.store_notifier.domain import Kind, Outcome, RetryPlan
from services.store_notifier.listening import listening, wait_any
from services.store_notifier.metrics import Metrics
from services.store_notifier.settling import Ended, settle
from shared.clock import no_earlier
from shared.pausing import sleep_or_stop
from shared.postgres import Connection, Pool, PostgresUnavailable, acquire, transact
from shared.telemetry import get_logger

LONGEST_NAP_S = 1.0
"""How long a notification that got lost can delay a delivery."""
MOST_ENDPOINTS_PER_CLAIM = 100
SETTLE_BATCH = 200
SETTLE_LINGER_S = 0.01
"""Attempts that end within this time are recorded together."""
PATIENCE_AT_STOP_S = 5.0

Send = Callable[[asyncpg.Record, asyncpg.Record], Awaitable[Outcome]]
"""Makes one attempt: (delivery, endpoint) -> outcome."""


class Scheduler:
    """Claims, sends and settles until it is stopped."""

    def __init__(
        self,
        pool: Pool,
        send: Send,
        *,
        plan: RetryPlan,
        lease: timedelta,
        max_in_flight: int,
        max_per_host: int,
        metrics: Metrics,
        rng: Random,
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._send = send
        self._plan = plan
        self._lease = lease
        self._max_in_flight = max_in_flight
        self._max_per_host = max_per_host
        self._per_host: Counter[str] = Counter()
        self._metrics = metrics
        self._rng = rng
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Queue[Ended] = asyncio.Queue()
        self._in_flight = 0
        self._freed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then wait 5 s for requests under way and record the rest as unknown, to be sent again."""
        settler = asyncio.create_task(self._settle_for_ever())
        try:
            while not stop.is_set():
                try:
                    async with listening(self._pool, deliveries.WAKE) as (connection, heard):
                        self._freed = heard
                        await self._work(connection, heard, settler, stop)
                except (PostgresUnavailable, asyncpg.PostgresError) as error:
                    get_logger().warning("scheduler.postgres_unavailable", error=type(error).__name__)
                    await sleep_or_stop(stop, LONGEST_NAP_S)
            await self._finish()
        finally:
            settler.cancel()

    async def _work(
        self, listener: Connection, heard: asyncio.Event, settler: "asyncio.Task[None]", stop: asyncio.Event
    ) -> None:
        while not stop.is_set():
            if settler.done():
                settler.result()  # raises: without it nothing that is sent would ever be recorded
            if listener.is_closed():
                raise PostgresUnavailable("the listening connection was lost")
            room = self._max_in_flight - self._in_flight
            claimed = await self._claim(room) if room > 0 else 0
            if claimed:
                continue
            await wait_any(heard, stop, await self._nap_s() if room > 0 else LONGEST_NAP_S)

    async def _claim(self, room: int) -> int:
        now = self._clock()
        lease = uuid4()

        async def work(connection: Connection) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
            heads = await endpoints.claim_due(
                connection,
                now,
                min(room, MOST_ENDPOINTS_PER_CLAIM),
                busy=self._per_host,
                host_cap=self._max_per_host,
            )
            if not heads:
                return [], []
            return heads, await deliveries.claim(
                connection,
                [head["endpoint_id"] for head in heads],
                now,
                lease=lease,
                lease_until=now + self._lease,
                limit=room,
            )

        heads, claimed = await transact(self._pool, work)
        by_id = {head["endpoint_id"]: head for head in heads}
        for delivery in claimed:
            endpoint = by_id[delivery["endpoint_id"]]
            self._in_flight += 1
            self._per_host[endpoint["host"]] += 1
            task = asyncio.create_task(self._attempt(delivery, endpoint))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._metrics.in_flight.set(self._in_flight)
        return len(heads)

    async def _nap_s(self) -> float:
        async with acquire(self._pool) as connection:
            wake_at = await endpoints.next_wake(connection)
        if wake_at is None:
            return LONGEST_NAP_S
        # Something may be due and held back by its host's limit: whatever frees a slot there also wakes us.
        shortest_s = 0.2 if any(n >= self._max_per_host for n in self._per_host.values()) else 0.02
        return min(LONGEST_NAP_S, max(shortest_s, (wake_at - self._clock()).total_seconds()))

    async def _attempt(self, delivery: asyncpg.Record, endpoint: asyncpg.Record) -> None:
        at = no_earlier(self._clock(), delivery["decided_at"])
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            outcome = await self._send(delivery, endpoint)
        except asyncio.CancelledError:
            outcome = Outcome(Kind.TRANSIENT, "the sender was stopped before an answer came")
        except Exception as error:  # noqa: BLE001 - our own fault, not the store's: say so, keep the delivery
            get_logger().exception("delivery.attempt_failed", delivery_id=str(delivery["delivery_id"]))
            outcome = Outcome(Kind.TRANSIENT, f"the sender failed ({type(error).__name__})")
        took_s = loop.time() - started
        self._per_host -= Counter([endpoint["host"]])  # a host at zero is dropped: the counter stays small
        self._metrics.attempt_seconds.observe(took_s)
        self._ended.put_nowait(Ended(delivery, outcome, at, round(took_s * 1000)))

    async def _settle_for_ever(self) -> None:
        while True:
            batch = [await self._ended.get()]
            await asyncio.sleep(SETTLE_LINGER_S)
            while not self._ended.empty() and len(batch) < SETTLE_BATCH:
                batch.append(self._ended.get_nowait())
            await self._settle(batch)

    async def _settle(self, batch: Sequence[Ended]) -> None:
        """Record the batch, for as long as its lease lasts; what PostgreSQL did not take by then is the reaper's."""
        give_up_at = batch[0].delivery["lease_until"]
        while True:
            try:
                counts = await transact(
                    self._pool, partial(settle, ended=batch, now=self._clock(), rng=self._rng, plan=self._plan)
                )
                break
            except PostgresUnavailable:
                get_logger().warning("deliveries.not_settled", attempts=len(batch))
                if self._clock() > give_up_at:
                    counts = {}
                    break
                await asyncio.sleep(LONGEST_NAP_S)
        self._in_flight -= len(batch)
        self._metrics.in_flight.set(self._in_flight)
        for result, count in counts.items():
            self._metrics.attempts.labels(result=result).inc(count)
        get_logger().info("deliveries.settled", **{str(result): count for result, count in counts.items()})
        self._freed.set()

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE_AT_STOP_S)
        for task in list(self._tasks):
            task.cancel()
        try:
            async with asyncio.timeout(2):
                while self._in_flight:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            get_logger().warning("deliveries.left_to_the_reaper", deliveries=self._in_flight)


async def reap(connection: Connection, now: datetime, rng: Random, plan: RetryPlan, limit: int) -> int:
    """Take back deliveries whose sender vanished; nobody knows whether the store has them. Returns how many."""
    rows = await deliveries.expired_leases(connection, now, limit)
    unknown = Outcome(Kind.TRANSIENT, "the sender vanished before an answer came")
    if rows:
        await settle(connection, [Ended(row, unknown, row["lease_until"], 0) for row in rows], now, rng, plan)
    return len(rows)
