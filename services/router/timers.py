"""The router's clock: finds what is due in PostgreSQL and says so on Kafka. It never decides; the ledger does.

Everything is found by the state of a row, so a sweep that was lost, cut short or done twice changes nothing. Several
routers sweep at once: rows are claimed with SKIP LOCKED and marked, and asked for again only when still due later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
from aiokafka.errors import KafkaError

from services.router.changes.due import put_due_into_effect
from services.router.db import announcements, queues, timers, waiting
from services.router.emission import SOURCE
from services.router.metrics import RouterMetrics
from services.router.reload import InEffect
from services.router.settings import RouterSettings
from services.router.spans import due_step, trace_due
from services.router.vacancies import Vacancies
from shared.contracts import LEADS_DUE, LeadDue, derived_id
from shared.kafka import Producer, publish_or_bury
from shared.pausing import sleep_or_stop
from shared.postgres import Connection, Pool, PostgresUnavailable, allow_idle, transact
from shared.telemetry import get_logger
from shared.tracing import Tracing

VACANCY_PAUSE_S = 0.01
"""Between two looks at who is next where a place was freed."""
ANNOUNCED_WITHIN_S = 60
"""Kafka may take so long for one look's announcements; their rows are locked meanwhile, which nobody else waits for."""


def due_record(due: timers.Due, kind: Literal["respond_by", "retry"], cause: str, now: datetime) -> tuple[bytes, bytes]:
    """Key and value of a leads.due record; `cause` tells apart the times that one epoch may be asked for again."""
    fact = LEADS_DUE.fact(
        LeadDue(lead_id=due.lead_id, epoch=due.epoch, due=kind, due_at=due.due_at),
        id=derived_id("due", due.lead_id, due.epoch, kind, cause),
        source=SOURCE,
        subject=str(due.lead_id),
        # A deadline passes once: said again, it is the same fact to the byte.
        time=due.due_at if kind == "respond_by" else now,
        traceparent=due_step(due),
    )
    return str(due.lead_id).encode(), fact.to_bytes()


class Timers:
    """One router's sweeper."""

    def __init__(
        self,
        pool: Pool,
        producer: Producer,
        in_effect: Callable[[], InEffect],
        settings: RouterSettings,
        metrics: RouterMetrics,
        clock: Callable[[], datetime],
        tracing: Tracing,
        vacancies: Vacancies,
    ) -> None:
        self._pool = pool
        self._producer = producer
        self._in_effect = in_effect
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._tracing = tracing
        self._vacancies = vacancies

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`. An outage of PostgreSQL or Kafka is logged and waited out."""
        log = get_logger()
        while not stop.is_set():
            try:
                await self.sweep()
            except (PostgresUnavailable, asyncpg.PostgresError, KafkaError, TimeoutError, OSError) as error:
                # The sweep found its work by the state of rows, so the next one finds it again.
                log.warning("timers.sweep_failed", error=type(error).__name__)
            # Also after a full batch: waiting leads are released at this pace. A site that has just opened is not
            # flooded, and the older leads are decided before younger ones are asked for.
            await sleep_or_stop(stop, self._settings.router_sweep_s)

    async def fill_vacancies(self, stop: asyncio.Event) -> None:
        """Ask for whoever is next at sites where this process has freed a place, until `stop`."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                noted = asyncio.create_task(self._vacancies.wait())
                await asyncio.wait({stopping, noted}, return_when=asyncio.FIRST_COMPLETED)
                noted.cancel()
                try:
                    await self.ask_next(self._vacancies.take())
                except (PostgresUnavailable, asyncpg.PostgresError, KafkaError, TimeoutError, OSError) as error:
                    get_logger().warning("timers.vacancies_left_to_sweep", error=type(error).__name__)
                # One look for all that was freed in the meantime.
                await sleep_or_stop(stop, VACANCY_PAUSE_S)
        finally:
            stopping.cancel()

    async def ask_next(self, site_ids: Collection[str]) -> int:
        """Ask for the oldest leads that wait for these sites, as many as those have room; returns how many."""
        snapshot, policy, now = self._in_effect().snapshot, self._in_effect().policy, self._clock()
        limited = [site_id for site_id in site_ids if snapshot.can_be_full(site_id)]
        if not limited:
            return 0
        today = snapshot.today(now, limited)
        sites = [site for site in map(snapshot.get, limited) if site is not None]
        limits = [
            timers.Limits(site.site_id, site.open_lead_limit, site.daily_lead_limit, today.get(site.site_id))
            for site in sites
        ]
        return await self._ask(
            now, "retry", "room", lambda connection: timers.claim_next(connection, limits, now, policy.retry.batch)
        )

    async def sweep(self) -> int:
        """Look once at everything; returns how many leads were asked for.

        All whose deadline has passed: somebody waits for them. Of the waiting leads a batch of the policy for each
        cause, the oldest first.
        """
        now = self._clock()
        await self._put_changes_into_effect(now)
        await self._publish_announcements(now)
        snapshot, policy = self._in_effect().snapshot, self._in_effect().policy
        batch = policy.retry.batch
        opening = snapshot.last_opening(now)
        full_before = now - timedelta(minutes=policy.retry.full_minutes)
        published = silent = await self._ask_silent(now, batch)
        while silent == batch:
            silent = await self._ask_silent(now, batch)
            published += silent
        published += await self._ask(
            now,
            "retry",
            f"{snapshot.revision}.{policy.version}" + (f".{opening:%Y%m%dT%H%M}" if opening else ""),
            lambda connection: timers.claim_outdated(
                connection, snapshot.revision, policy.version, opening, now, batch
            ),
        )
        published += await self._ask(
            now, "retry", "time", lambda connection: timers.claim_timed(connection, now, batch)
        )
        published += await self.ask_next(await transact(self._pool, queues.sites_waited_for))
        published += await self._ask(
            now, "retry", "full", lambda connection: timers.claim_long_full(connection, full_before, now, batch)
        )
        lines = await transact(self._pool, waiting.waiting_lines)
        overdue = await transact(self._pool, lambda connection: timers.longest_overdue(connection, now))
        self._metrics.saw_oldest(lines, overdue, now)
        return published

    async def _ask_silent(self, now: datetime, batch: int) -> int:
        return await self._ask(now, "respond_by", "", lambda connection: timers.claim_silent(connection, now, batch))

    async def _ask(
        self,
        now: datetime,
        kind: Literal["respond_by", "retry"],
        cause: str,
        claim: Callable[[Connection], Awaitable[list[timers.Due]]],
    ) -> int:
        due = await transact(self._pool, claim)
        if due:
            # Published after the claim is committed: a crash in between leaves the mark, and the lead is asked for
            # again when the mark is old.
            await self._publish(LEADS_DUE.name, [due_record(one, kind, cause, now) for one in due], now)
            if self._tracing.enabled:
                trace_due(self._tracing, due, kind, now, self._clock())
            self._metrics.asked_for(kind, len(due))
            get_logger().info("timers.asked", due=kind, leads=len(due), cause=cause or kind)
        return len(due)

    async def _publish(self, topic: str, records: list[tuple[bytes, bytes]], now: datetime) -> None:
        refused = await publish_or_bury(self._producer, topic, records, source=SOURCE, now=now)
        self._metrics.unpublished.inc(refused)

    async def _put_changes_into_effect(self, now: datetime) -> None:
        log = get_logger()
        ended = await put_due_into_effect(self._pool, now)
        for change in ended:
            self._metrics.changes.labels(change.kind.value, change.state.value).inc()
            if change.refusal is None:
                log.info("changes.in_effect", change=change.change_id, kind=change.kind.value, became=change.became)
            else:
                log.warning("changes.refused", change=change.change_id, kind=change.kind.value, why=change.refusal)

    async def _publish_announcements(self, now: datetime) -> None:
        async def publish(connection: Connection) -> int:
            waiting = await announcements.lock_unpublished(connection, 100)
            if waiting:
                await allow_idle(connection, ANNOUNCED_WITHIN_S)
            for one in waiting:
                await self._publish(one.topic, [(one.key, one.value)], now)
            if waiting:
                await announcements.mark_published(connection, [one.fact_id for one in waiting], now)
            return len(waiting)

        published = await transact(self._pool, publish)
        if published:
            get_logger().info("timers.announced", facts=published)
