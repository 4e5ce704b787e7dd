"""The router's one batch handler: read, decide and record, emit; Kafka commits the offsets when it returns.

A crash at any point repeats the batch. What was recorded by then is found again by its key or its cause and emitted
with the same bytes; what was not is decided now.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from services.router.db import places
from services.router.db.room import Place
from services.router.domain import LeadFeatures, Travel
from services.router.emission import SOURCE
from services.router.line import QueuesOutdated
from services.router.locked_rows import raising_rows_locked, settle_around_locks
from services.router.metrics import RouterMetrics
from services.router.reading import Arrival, read
from services.router.reload import InEffect, Reload
from services.router.repeating import MOST_REPEATS, until_settled
from services.router.requeue import requeue
from services.router.settings import RouterSettings
from services.router.settle import NOTHING_SETTLED, Settled, settle
from services.router.spans import trace_decisions
from services.router.travel.asking import concerned
from services.router.travel.times import Start, TravelTimes
from services.router.vacancies import Vacancies
from shared.contracts import LEADS_DECIDED
from shared.kafka import DeadLetters, Producer, Record, publish_or_bury
from shared.postgres import Connection, Pool, acquire, transact
from shared.telemetry import get_logger
from shared.tracing import Tracing
from shared.vocabulary import Intent
from shared.words import counted

DECIDING_AT_ONCE = 2
"""While PostgreSQL writes one batch, the next is decided: two keep both busy, more would only wait for one another."""
MOST_AT_ONCE = 4
"""With those that are being published, which takes little but time."""


class LookedUp(NamedTuple):
    """The travel times of a batch, and the network and policy for which they were looked up."""

    in_effect: InEffect
    travel: dict[Start, Travel]


class LeadHandler:
    """Handles what Kafka has waiting, in batches of at most `router_max_batch` arrivals.

    Batches without a common lead overlap, as those of two routers do: the ledger settles what they both want.
    """

    def __init__(
        self,
        pool: Pool,
        producer: Producer,
        dead_letters: DeadLetters,
        reload: Reload,
        settings: RouterSettings,
        metrics: RouterMetrics,
        clock: Callable[[], datetime],
        tracing: Tracing,
        travel: TravelTimes,
        vacancies: Vacancies,
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._dead_letters = dead_letters
        self._reload = reload
        self._max_batch = settings.router_max_batch
        self._metrics = metrics
        self._clock = clock
        self._tracing = tracing
        self._travel = travel
        self._vacancies = vacancies
        self._deciding = asyncio.Semaphore(DECIDING_AT_ONCE)

    async def __call__(self, records: list[Record]) -> None:
        """Handle one poll of Kafka; returns when every decision in it is acknowledged by Kafka."""
        started = time.perf_counter()
        running: dict[asyncio.Task[Settled], set[str]] = {}
        tasks: list[asyncio.Task[Settled]] = []
        dead = 0
        try:
            for start in range(0, len(records), self._max_batch):
                part = records[start : start + self._max_batch]
                reading = read(part)
                await self._dead_letters.bury(reading.dead, seen=len(part), now=self._clock())
                dead += len(reading.dead)
                leads = {arrival.lead_id for arrival in reading.arrivals}
                # What happens to one lead is decided and published in order; other leads need not wait for it.
                await self._wait_for_room(running, leads)
                task = asyncio.create_task(self._decide_and_publish(reading.arrivals))
                running[task] = leads
                tasks.append(task)
            done = [await task for task in tasks]
        except BaseException:
            # The whole poll comes back; nothing of it may still be on its way when it does.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        self._report(records, done, dead, time.perf_counter() - started)

    async def _wait_for_room(self, running: dict[asyncio.Task[Settled], set[str]], leads: set[str]) -> None:
        while running:
            if len(running) < MOST_AT_ONCE and all(leads.isdisjoint(others) for others in running.values()):
                return
            finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                del running[task]
                task.result()

    async def _decide_and_publish(self, arrivals: Sequence[Arrival]) -> Settled:
        # Before it is this batch's turn to be decided: while it waits for an engine, another is decided.
        looked_up = await self._look_up(arrivals, self._reload())

        async def settle_some(some: Sequence[Arrival], lock_wait_ms: int | None) -> Settled:
            return await self._settle_and_publish(some, looked_up, lock_wait_ms)

        return await settle_around_locks(arrivals, settle_some, self._metrics.retried.labels("locked").inc)

    async def _settle_and_publish(
        self, arrivals: Sequence[Arrival], looked_up: LookedUp, lock_wait_ms: int | None
    ) -> Settled:
        started = self._clock()
        async with self._deciding:
            settled = await self._settle(arrivals, looked_up, lock_wait_ms)
        self._vacancies.note(settled.vacated)
        refused = await publish_or_bury(
            self._producer, LEADS_DECIDED.name, settled.emissions, source=SOURCE, now=self._clock()
        )
        self._metrics.unpublished.inc(refused)
        if self._tracing.enabled:
            trace_decisions(self._tracing, arrivals, settled.emissions, started, self._clock())
        return settled

    async def _look_up(self, arrivals: Sequence[Arrival], in_effect: InEffect) -> LookedUp:
        """The travel times of leads that are about to be given a site, when the policy compares them.

        Outside of every transaction, and bounded: nothing that an engine does can keep a lead from being decided.
        """
        snapshot, policy = in_effect.snapshot, in_effect.policy
        if not policy.travel.candidates:
            return LookedUp(in_effect, {})
        leads, known = concerned(arrivals)
        if known:
            async with acquire(self._pool) as connection:
                leads = leads + [_features(row) for row in await places.of_leads(connection, known)]
        return LookedUp(in_effect, await self._travel.of(leads, snapshot, policy))

    async def _settle(self, arrivals: Sequence[Arrival], looked_up: LookedUp, lock_wait_ms: int | None) -> Settled:
        """Decide and record all of them: first those that can be together, then what that left."""
        settled, left = NOTHING_SETTLED, arrivals
        if not arrivals:
            return settled
        for _ in range(MOST_REPEATS):
            settled = settled.then(await self._settle_together(left, looked_up, lock_wait_ms))
            left = [arrival for arrival in left if arrival.lead_id in settled.left]
            if not left:
                return settled
            self._metrics.left.inc(len(left))
        raise RuntimeError(f"{counted(len(left), 'lead')} of a batch overtaken {MOST_REPEATS} times")

    async def _settle_together(
        self, arrivals: Sequence[Arrival], looked_up: LookedUp, lock_wait_ms: int | None
    ) -> Settled:
        """Decide and record in one transaction, again when another router was quicker. Raises RowsLocked."""

        trust_queues = False

        async def attempt(keep: frozenset[Place]) -> Settled:
            nonlocal looked_up, trust_queues
            in_effect = self._reload()
            if in_effect is not looked_up.in_effect:
                looked_up = await self._look_up(arrivals, in_effect)
            travel, trust = looked_up.travel, trust_queues

            async def work(connection: Connection) -> Settled:
                # In the transaction, which does not survive a process that stands still: the time is never an old one.
                now = self._clock()
                async with raising_rows_locked(connection, lock_wait_ms):
                    return await settle(
                        connection, arrivals, in_effect, now, keep=keep, travel=travel, trust_queues=trust
                    )

            try:
                return await transact(self._pool, work)
            except QueuesOutdated:
                await requeue(self._pool, in_effect, self._clock())
                # What is outdated even now is being decided by others, or has older ones before it: neither is waited
                # for.
                trust_queues = True
                raise

        def count(reason: str) -> None:
            self._metrics.retried.labels(reason).inc()

        return await until_settled(attempt, count, f"a batch of {len(arrivals)}")

    def _report(self, records: Sequence[Record], done: Sequence[Settled], dead: int, seconds: float) -> None:
        outcomes: Counter[str] = sum((one.outcomes for one in done), Counter())
        stale: Counter[tuple[str, str]] = sum((one.stale for one in done), Counter())
        repeated = sum(one.repeated for one in done)
        for outcome, count in outcomes.items():
            self._metrics.decided.labels(outcome).inc(count)
        for (topic, reason), count in stale.items():
            self._metrics.stale.labels(topic, reason).inc(count)
        self._metrics.repeated.inc(repeated)
        self._metrics.batches.inc(len(done))
        self._metrics.decided_again.inc(sum(one.again for one in done))
        self._metrics.batch_seconds.observe(seconds)
        in_effect = self._reload()
        get_logger().info(
            "router.batch",
            records=len(records),
            **outcomes,
            repeated=repeated,
            stale={f"{topic}:{reason}": count for (topic, reason), count in sorted(stale.items())},
            dead=dead,
            network_revision=in_effect.snapshot.revision,
            policy_version=in_effect.policy.version,
            ms=round(seconds * 1000, 1),
        )


def _features(row: places.PlacedLead) -> LeadFeatures:
    point = row.lat, row.lon
    return LeadFeatures(row.lead_id, row.person_id, Intent(row.intent), point, None, row.received_at, row.vehicle or "")
