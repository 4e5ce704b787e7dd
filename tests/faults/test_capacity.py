"""Four routers, a few hot sites and kill -9: no site ever holds, and no day ever has, more than its limit (I7)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from deploy.local import Stack
from services.router.network import apply
from shared.postgres import open_pool
from tests.faults import hot_sites, whose_turn
from tests.faults.conftest import own_system, under
from tests.faults.hot_sites import Recount
from tests.faults.load import Load, Sites
from tests.faults.system import System
from tests.services.router.networks import site

PER_S = 40
ROUTERS = ("router", "router-2", "router-3", "router-4")
ZONE = ZoneInfo("Asia/Shanghai")
HOT = (
    site("hot-few", 31.300, 120.600, limit=2),
    site("hot-some", 31.301, 120.600, limit=4, daily_limit=60),
    site("hot-day", 31.300, 120.601, daily_limit=90),
    site("hot-both", 31.301, 120.601, limit=3, daily_limit=120),
)


@pytest.fixture
async def system(stack: Stack, tmp_path: Path) -> AsyncIterator[System]:
    """Four routers, and nothing but the hot sites."""
    async with own_system(stack, tmp_path, network=False) as running:
        connection = await asyncpg.connect(running.settings.require_postgres())
        await connection.execute(hot_sites.WITNESS)
        await connection.close()
        async with open_pool(running.settings, "router", max_size=1) as pool:
            change = await apply(pool, HOT, datetime.now(UTC))
        await running.routers_know(revision=change.revision)
        environment = running.services.environment("router") | {"WAYPOST_HEALTH_PORT": "0"}
        for name in ROUTERS[1:]:
            running.supervisor.start(name, running.services.arguments("router"), environment)
        yield running


@pytest.fixture
def answering() -> list[str]:
    """All of them answer."""
    return [site.site_id for site in HOT]


@pytest.mark.parametrize("rounds", [2, pytest.param(16, marks=pytest.mark.faults)], ids=["short", "long"])
async def test_hot_sites_are_never_given_more_than_they_take(
    system: System, sites: Sites, load: Load, rounds: int
) -> None:
    sites.stances = 2
    load.points = [(site.lat, site.lon, "wgs84") for site in HOT]
    async with under(load, PER_S):
        for turn in range(rounds):
            await asyncio.sleep(1.5)
            # Two at once, so that the other two meet each other's and the dead ones' unfinished work.
            for name in ROUTERS[turn % 2 :: 2]:
                await system.running(name)
                system.supervisor.kill(name)

    report = await system.prove(load.acknowledged)
    ledger, counters = await hot_sites.read(system.settings.require_postgres(), ZONE)
    recount = Recount.of(HOT, ledger)
    assert recount.counters() == counters
    assert load.acknowledged <= counters.states.keys()
    turns = whose_turn.Turns.of(HOT, await whose_turn.read(system.settings.require_postgres(), ZONE))
    assert turns.served, "nobody was served who had waited"
    assert report["terms"]["accepted"]["count"] == len(counters.states)
    # The proof says something only where the limits were what stopped a router.
    for limited in HOT:
        if limited.open_lead_limit is not None:
            assert recount.most_held[limited.site_id] == limited.open_lead_limit
    days_filled = [
        site_id for (site_id, _), count in recount.taken.items() if count == recount.daily_limits.get(site_id)
    ]
    assert days_filled, "no day was full"
    for name in ROUTERS:
        assert [line for line in system.said if line.startswith(f"{name} ended (signal 9)")], f"{name} was not killed"
