"""A process beside a real PostgreSQL, whose own clock is set by the test."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from shared.clock import own_clock
from shared.clock_watch import ClockWatch
from shared.migrate import migrate
from shared.postgres import Pool, acquire, clock_time, open_pool
from shared.settings import Settings

UNSURE = timedelta(seconds=10)
"""On a busy machine an answer takes its time, and so much of an offset is its way."""


class Own:
    """This machine's clock, and by how much it is wrong."""

    off = timedelta(0)

    def __call__(self) -> datetime:
        """What it shows."""
        return own_clock() + self.off


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Pool]:
    await migrate(postgres_dsn, ["audit"])
    async with open_pool(Settings(postgres=SecretStr(postgres_dsn)), "audit", max_size=1) as pool:
        yield pool


async def theirs(pool: Pool) -> datetime:
    async with acquire(pool) as connection:
        return await clock_time(connection)


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(seconds=-45), timedelta(days=400)], ids=str)
async def test_a_wrong_clock_is_told_with_its_offset_and_not_gone_by(pool: Pool, off: timedelta) -> None:
    own, registry = Own(), CollectorRegistry()
    own.off = off
    watch = ClockWatch(pool, registry, own)
    assert await watch.check() == ""

    before = await theirs(pool)
    await watch.compare()
    now = watch.clock()
    after = await theirs(pool)

    assert before <= now <= after + UNSURE
    told = await watch.check()
    side = "behind" if off < timedelta(0) else "ahead of"
    offset_s = registry.get_sample_value("waypost_clock_offset_seconds")
    assert offset_s is not None
    assert abs(timedelta(seconds=offset_s) - off) < UNSURE
    assert f" {abs(offset_s):.1f} s {side} PostgreSQL's: synchronise both with NTP" in told


async def test_a_clock_that_is_set_while_the_process_runs_is_told_and_changes_nothing(pool: Pool) -> None:
    own = Own()
    watch = ClockWatch(pool, CollectorRegistry(), own)
    await watch.compare()
    assert await watch.check() == ""

    for step in (timedelta(hours=-1), timedelta(hours=2)):
        own.off = step
        await watch.compare()
        assert "this machine's clock is" in await watch.check()
        assert watch.clock() <= await theirs(pool) + UNSURE
    own.off = timedelta(0)
    await watch.compare()
    assert await watch.check() == ""


async def test_without_postgresql_the_time_goes_on_as_it_was(pool: Pool, postgres_dsn: str) -> None:
    own = Own()
    own.off = timedelta(hours=-1)
    watch = ClockWatch(pool, CollectorRegistry(), own)
    await watch.compare()
    before = watch.clock()

    async with acquire(pool) as connection:
        admin = await asyncpg.connect(postgres_dsn)
        await admin.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        await admin.close()
    await watch.compare()

    assert before <= watch.clock() < before + timedelta(minutes=5)
    assert "behind PostgreSQL's" in await watch.check()
