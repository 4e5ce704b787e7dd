"""Routers held still in the middle of a batch, so that another meets what they have and have not committed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.router.reading import read
from services.router.settle import settle
from shared.kafka import Record
from shared.postgres import acquire
from tests.services.router.networks import NOW
from tests.services.router.world import Router, World


@asynccontextmanager
async def about_to_commit(router: Router, *records: Record) -> AsyncIterator[None]:
    """Another router, which has recorded what it decided of these and commits when the block ends."""
    async with acquire(router.pool) as connection, connection.transaction():
        await settle(connection, read(records).arrivals, router.reload(), NOW, keep=frozenset(), travel={})
        yield


async def settled_once(router: Router, *records: Record) -> None:
    """A batch in a transaction that nobody repeats."""
    async with about_to_commit(router, *records):
        pass


async def until_wait(world: World, transactions: int) -> list[int]:
    """The processes of PostgreSQL that wait for others, once there are so many."""
    async with asyncio.timeout(60):
        while True:
            waiting = await world.rows(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if len(waiting) == transactions:
                return [pid for (pid,) in waiting]
            await asyncio.sleep(0.01)


async def meet(world: World, router: Router, first: Record, *then: Record) -> None:
    """A batch that wants what another has: it waits for it, and goes on when the other has committed."""
    async with about_to_commit(router, first):
        second = asyncio.create_task(router.handle(*then))
        await until_wait(world, 1)
    await second
