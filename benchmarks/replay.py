"""Replay: the audit decides every lead of the router's first pass again and compares the bytes."""

import asyncio
import sys
import time
from functools import partial

from benchmarks.catch_up import count_rows
from benchmarks.contest import Count, drain, process
from benchmarks.ground import Grounds
from benchmarks.workload import Lead
from services.router.sites import Site


async def waypost(grounds: Grounds, sites: list[Site], leads: list[Lead]) -> tuple[float, float]:
    """(first pass, replay) in leads a second, one process each, on the same leads.

    The replay's time is the whole command's: start-up, reading, deciding, comparing. Raises RuntimeError when the
    replay is not clean.
    """
    ground = await grounds.fresh()
    await ground.install(sites)
    await ground.fill(leads)
    connection = await ground.connect()
    decided = partial(count_rows, connection, "router.decisions")
    with process(["services.cli", "run", "router"], ground.environment, ground.folder / "router.log") as router:
        first = await drain(decided, len(leads), [router.pid])
        await _until(decided, len(leads))
        await _until(partial(count_rows, connection, "router.announcements WHERE published_at IS NOT NULL"), 2)
        kept = partial(count_rows, connection, "audit.records WHERE topic = 'leads.decided'")
        with process(["services.cli", "run", "audit"], ground.environment, ground.folder / "audit.log"):
            await _until(kept, len(leads))
            announced = partial(count_rows, connection, "audit.records WHERE topic = 'network.changed'")
            await _until(announced, 1)
    await connection.close()
    begun = time.perf_counter()
    replay = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "audit", "replay"),
        *("--from", "2000-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "--json"),
        env={"PATH": "/usr/bin:/bin", **ground.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await replay.communicate()
    seconds = time.perf_counter() - begun
    if replay.returncode != 0:
        raise RuntimeError(f"the replay is not clean: {output.decode()[-500:]} {errors.decode()[-500:]}")
    return first.per_s, len(leads) / seconds


async def _until(count: Count, total: int) -> None:
    async with asyncio.timeout(180):
        while await count() < total:
            await asyncio.sleep(0.2)
