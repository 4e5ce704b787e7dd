"""Gathering requests into transactions: a lead is answered after its commit, and a commit serves many leads.

The queue is bounded, every wait is bounded, and a lead that nobody waits for any more is not written.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Gauge, Histogram

from services.lead_intake.db import OutboxRow
from services.lead_intake.problems import overloaded, unavailable
from services.lead_intake.record import Entry, Outcome, Recorded
from services.lead_intake.settings import IntakeSettings
from shared.errors import where
from shared.postgres import PostgresUnavailable
from shared.telemetry import get_logger

RecordBatch: TypeAlias = Callable[[Sequence[Entry]], Awaitable[Recorded]]
"""Writes a batch in one transaction and returns after its commit; raises PostgresUnavailable or TimeoutError."""

PublishSoon: TypeAlias = Callable[[Sequence[OutboxRow]], None]
"""Told of committed rows to publish; returns at once."""

RETRY_AFTER_S = 2
LONGEST_GATHER_S = 0.025
"""A transaction gathers while another is under way, but no longer: one that is stuck must not hold up the next."""


@dataclass(slots=True)
class _Waiting:
    entries: Sequence[Entry]
    answer: "asyncio.Future[list[Outcome]]" = field(repr=False)


class Acceptance:
    """The queue between requests and PostgreSQL."""

    def __init__(
        self,
        record_batch: RecordBatch,
        publish_soon: PublishSoon,
        settings: IntakeSettings,
        registry: CollectorRegistry,
    ) -> None:
        self._record_batch = record_batch
        self._publish_soon = publish_soon
        self._settings = settings
        self._queue: deque[_Waiting] = deque()
        self._leads = 0
        self._wake = asyncio.Event()
        self._gathering = asyncio.Lock()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._batches = Histogram(
            "waypost_intake_batch_leads",
            "Leads per transaction",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
            registry=registry,
        )
        self._commits = Histogram("waypost_intake_commit_seconds", "From the queue to the commit", registry=registry)
        Gauge("waypost_intake_waiting_leads", "Leads that wait for a commit", registry=registry).set_function(
            lambda: self._leads
        )

    async def submit(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Accept the leads of one request together, and return after their commit.

        Raises Problem 503 when too much is waiting, or when PostgreSQL did not take them in time; then nothing is
        promised, and sending them again is safe.
        """
        if self._leads + len(entries) > self._settings.intake_max_waiting_leads:
            raise overloaded()
        waiting = _Waiting(entries, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._leads += len(entries)
        self._wake.set()
        try:
            async with asyncio.timeout(self._settings.intake_commit_timeout.total_seconds()):
                return await waiting.answer
        except (TimeoutError, PostgresUnavailable) as error:
            raise unavailable(RETRY_AFTER_S) from error

    async def run(self, stop: asyncio.Event) -> None:
        """Write batches until `stop`, then what is still waiting."""
        writers = [asyncio.create_task(self._write(stop)) for _ in range(self._settings.intake_writers)]
        await stop.wait()
        self._wake.set()
        await asyncio.gather(*writers)

    async def _write(self, stop: asyncio.Event) -> None:
        while True:
            async with self._gathering:
                while not self._queue:
                    if stop.is_set():
                        return
                    self._wake.clear()
                    await self._wake.wait()
                if self._leads < self._settings.intake_batch_leads and not stop.is_set():
                    await self._gather()
                batch = self._take()
            if batch:
                self._under_way += 1
                self._idle.clear()
                try:
                    await self._commit(batch)
                finally:
                    self._under_way -= 1
                    if not self._under_way:
                        self._idle.set()

    async def _gather(self) -> None:
        # A commit costs the same for one lead as for a hundred, so the more is coming in, the fewer there should be.
        await asyncio.sleep(self._settings.intake_gather.total_seconds())
        if self._under_way and self._leads < self._settings.intake_batch_leads:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_GATHER_S):
                    await self._idle.wait()

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0].entries) <= self._settings.intake_batch_leads):
            waiting = self._queue.popleft()
            self._leads -= len(waiting.entries)
            if not waiting.answer.done():
                batch.append(waiting)
                size += len(waiting.entries)
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        entries = [entry for waiting in batch for entry in waiting.entries]
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._settings.intake_commit_timeout.total_seconds()):
                recorded = await self._record_batch(entries)
        except (PostgresUnavailable, TimeoutError) as error:
            self._fail(batch, PostgresUnavailable(type(error).__name__))
            get_logger().warning("leads.not_committed", leads=len(entries), error=type(error).__name__)
            return
        except Exception as error:  # noqa: BLE001 - it goes to the requests that wait for it
            get_logger().error("leads.failed", leads=len(entries), error=type(error).__name__, at=where(error))
            if len(batch) == 1:
                self._fail(batch, error)
            else:
                # One lead that PostgreSQL will not take must not fail its neighbours.
                for waiting in batch:
                    await self._commit([waiting])
            return
        self._publish_soon(recorded.outbox)
        took_s = time.perf_counter() - began
        self._batches.observe(len(entries))
        self._commits.observe(took_s)
        outcomes = iter(recorded.outcomes)
        for waiting in batch:
            answers = [next(outcomes) for _ in waiting.entries]
            if not waiting.answer.done():
                waiting.answer.set_result(answers)
        get_logger().info(
            "leads.committed",
            leads=len(entries),
            new=len(recorded.outbox),
            requests=len(batch),
            waiting=self._leads,
            took_ms=round(took_s * 1000, 1),
        )

    @staticmethod
    def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
