"""A new network of 100,000 sites taken over by a router that goes on working: how long, and how long its loop stands.

The router reads the revision from PostgreSQL and builds the snapshot with all trees in a thread. Threads share the
interpreter's lock, so the event loop, which answers health checks and Kafka's heartbeats, still waits at times.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from benchmarks.decide import make_traffic
from benchmarks.ground import Grounds
from services.router.metrics import RouterMetrics
from services.router.network import apply
from services.router.reload import Reload
from services.router.snapshot import Snapshot
from shared.postgres import open_pool

TICK_S = 0.001


@dataclass(frozen=True)
class Rebuilt:
    """One round."""

    build_s: float
    """Sites to a snapshot with the trees of the whole policy, in a thread."""
    build_stall_ms: float
    """Longest time between two ticks of the loop meanwhile, beyond the tick itself."""
    reload_s: float
    """The router's own way: the revision read from PostgreSQL, parsed, built, swapped."""
    reload_stall_ms: float


async def waypost(grounds: Grounds, site_count: int) -> Rebuilt:
    """Both, on one network."""
    traffic = make_traffic(site_count, 0)
    keys = traffic.policy.tree_keys()
    ground = await grounds.fresh()
    await ground.install(traffic.sites[:1])
    async with open_pool(ground.settings, "router", max_size=2) as pool:
        reload = Reload(pool, RouterMetrics(CollectorRegistry()))
        await reload.refresh()
        await apply(pool, tuple(traffic.sites), datetime.now(UTC))
        gc.collect()
        build_s, build_stall_ms = await timed(
            asyncio.to_thread(lambda: Snapshot.build(traffic.sites, 2).warm(keys).revision)
        )
        gc.collect()
        reload_s, reload_stall_ms = await timed(reload.refresh())
        if len(reload().snapshot.sites) != site_count:
            raise RuntimeError("the router did not take the new network over")
    return Rebuilt(build_s, build_stall_ms, reload_s, reload_stall_ms)


async def timed(work: Awaitable[object]) -> tuple[float, float]:
    """Seconds of `work`, and the longest stall of the loop in milliseconds while it runs."""
    longest_s = 0.0

    async def tick() -> None:
        nonlocal longest_s
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            longest_s = max(longest_s, now - last - TICK_S)
            last = now

    ticking = asyncio.create_task(tick())
    # The first tick begins before the work does.
    await asyncio.sleep(0)
    started = time.perf_counter()
    await work
    seconds = time.perf_counter() - started
    # A stall that the work ended is seen by the tick after it.
    await asyncio.sleep(2 * TICK_S)
    ticking.cancel()
    return seconds, longest_s * 1_000
