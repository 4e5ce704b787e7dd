"""Schedulers that run in a test, with the real sender."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.store_notifier.db import deliveries, endpoints
from services.store_notifier.domain import Outcome, RetryPlan
from services.store_notifier.metrics import Metrics
from services.store_notifier.scheduler import Scheduler
from shared.postgres import Connection, Pool, transact
from tests.services.store_notifier.world import Behaviour, Received, now

Send = Callable[[asyncpg.Record, asyncpg.Record], Awaitable[Outcome]]
QUICK = RetryPlan(
    ceilings_s=(0.05,), shortest_wait_s=0.01, most_attempts=4, misconfigured_wait_s=0.05, time_to_answer_s=0
)


def scheduler_of(
    pool: Pool,
    send: Send,
    plan: RetryPlan = QUICK,
    lease_s: float = 20,
    max_in_flight: int = 50,
    max_per_host: int = 50,
) -> Scheduler:
    """A scheduler that is quick to try again."""
    return Scheduler(
        pool,
        send,
        plan=plan,
        lease=timedelta(seconds=lease_s),
        max_in_flight=max_in_flight,
        max_per_host=max_per_host,
        metrics=Metrics(CollectorRegistry()),
        rng=Random(7),
        clock=now,
    )


@asynccontextmanager
async def running(*schedulers: Scheduler) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for scheduler in schedulers:
            tasks.create_task(scheduler.run(stop))
        try:
            yield
        finally:
            stop.set()


def saying(*codes: int) -> Behaviour:
    """Answers with these, one after the other, and then with the last one for ever."""
    left = list(codes)

    async def behave(_: web.Request, __: Received) -> web.StreamResponse:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0])

    return behave


async def deadlocks_of(db: Connection) -> int:
    await db.execute("SELECT pg_stat_clear_snapshot()")
    count: int = await db.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return count


async def claim(pool: Pool, *expected: UUID) -> list[asyncpg.Record]:
    async def work(connection: Connection) -> list[asyncpg.Record]:
        heads = await endpoints.claim_due(connection, now(), 10, busy={}, host_cap=50)
        assert {head["endpoint_id"] for head in heads} <= set(expected)
        return await deliveries.claim(
            connection,
            [head["endpoint_id"] for head in heads],
            now(),
            lease=uuid4(),
            lease_until=now() + timedelta(seconds=20),
            limit=100,
        )

    return await transact(pool, work)
