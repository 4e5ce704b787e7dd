"""Tidying that keeps the queues honest: lost senders, deliveries that came too late, and what nobody needs any more."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import UUID

from services.store_notifier.db import answers, assignments, deliveries, endpoints
from services.store_notifier.scheduler import reap
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.settling import fail_hopeless
from shared.pausing import sleep_or_stop
from shared.postgres import Connection, Pool, PostgresUnavailable, transact
from shared.telemetry import get_logger

EVERY_S = 1.0
ROWS = 500
"""Most rows of one kind in one transaction; forgetting takes one such chunk a second, so it delays no sweep."""
FORGET_EVERY_ROUNDS = 300
FORGET_REQUESTS_AFTER = timedelta(days=1)
"""Far longer than a signature stays fresh, so that no request can come twice."""


class Sweeper:
    """Runs beside every scheduler; several of them share the work row by row."""

    def __init__(self, pool: Pool, settings: NotifierSettings, rng: Random, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._settings = settings
        self._rng = rng
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep once a second until `stop`."""
        rounds, more = 0, False
        while not stop.is_set():
            try:
                await self.sweep(self._clock())
                if more or rounds % FORGET_EVERY_ROUNDS == 0:
                    more = await self.forget(self._clock())
            except PostgresUnavailable as error:
                get_logger().warning("sweep.postgres_unavailable", error=str(error))
            rounds += 1
            await sleep_or_stop(stop, EVERY_S)

    async def sweep(self, now: datetime) -> None:
        """Take back lost deliveries, give up hopeless ones, wake forgotten endpoints."""
        plan = self._settings.retry_plan
        reaped = await transact(self._pool, partial(reap, now=now, rng=self._rng, plan=plan, limit=ROWS))
        hopeless = await transact(self._pool, partial(fail_hopeless, now=now, limit=ROWS))
        forgotten = await transact(self._pool, partial(endpoints.wake_forgotten, now=now))
        if reaped or hopeless or forgotten:
            get_logger().info("deliveries.swept", reaped=reaped, hopeless=hopeless, woken=forgotten)

    async def forget(self, now: datetime) -> bool:
        """Delete what is older than it needs to be, one chunk of each kind; says whether there may be more.

        Leads that are waiting for a site or for its answer are never among it, whatever their age.
        """
        keep, keep_held = self._settings.notifier_keep, self._settings.notifier_keep_held

        async def over(connection: Connection) -> int:
            return await _forget_leads(connection, await assignments.lock_over(connection, now - keep, ROWS))

        async def held(connection: Connection) -> int:
            return await _forget_leads(connection, await assignments.lock_held_since(connection, now - keep_held, ROWS))

        forgotten = {
            "leads_over": await transact(self._pool, over),
            "leads_held": await transact(self._pool, held),
            "deliveries": await transact(self._pool, lambda c: deliveries.forget_finished(c, now - keep, ROWS)),
            "vehicles": await transact(self._pool, lambda c: assignments.forget_vehicles(c, now - keep_held, ROWS)),
            "requests": await transact(
                self._pool, lambda c: answers.forget_requests(c, now - FORGET_REQUESTS_AFTER, ROWS)
            ),
        }
        if any(forgotten.values()):
            get_logger().info("notifier.forgot", **forgotten)
        return ROWS in forgotten.values()


async def _forget_leads(connection: Connection, lead_ids: Sequence[UUID]) -> int:
    await assignments.forget(connection, lead_ids)
    return len(lead_ids)
