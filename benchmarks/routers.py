"""Router processes that share the work before there is much of it."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.contest import process
from benchmarks.ground import Ground
from benchmarks.workload import Lead
from deploy.ports import choose_ports

DECIDED = "waypost_router_leads_decided_total"
AT_FIRST = 60
"""Leads in one sending until all routers take part: some for each of the 12 partitions."""
ROUTER = ("services.cli", "run", "router")
"""What is started as `python -m`."""
WITHOUT_QUEUES = ("benchmarks.peers.router_without_queues",)
UP_WITHIN_S = JOINED_WITHIN_S = 60.0


@dataclass(frozen=True)
class Router:
    """One process."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def counters(self) -> dict[str, dict[str, int]]:
        """What it has counted so far, as `counters` says."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            answer.raise_for_status()
            return counters(await answer.text())

    async def decided(self) -> int:
        """Decisions that it has written so far."""
        return sum((await self.counters()).get(DECIDED, {}).values())


@asynccontextmanager
async def running_routers(
    ground: Ground, processes: int, program: Sequence[str] = ROUTER
) -> AsyncIterator[list[Router]]:
    """So many routers on an installed ground, all up; they end with the block."""
    ports = choose_ports(ground.folder / "health.json", [f"router-{number}" for number in range(1, processes + 1)])
    with ExitStack() as running:
        routers = []
        for name, port in ports.items():
            environment = {**ground.environment, "WAYPOST_HEALTH_PORT": str(port)}
            log = ground.folder / f"{name}.log"
            routers.append(Router(running.enter_context(process([*program], environment, log)), port))
        for router in routers:
            await _until_up(router)
        yield routers


async def fill_for(routers: Sequence[Router], ground: Ground, leads: list[Lead]) -> None:
    """Send a few leads until every router has decided some, then all the others at once. Raises TimeoutError.

    On a backlog that is there before them, the first router would be far ahead before the second has its partitions.
    """
    sent, deadline = 0, time.monotonic() + JOINED_WITHIN_S
    while not all([await router.decided() for router in routers]):
        if time.monotonic() > deadline:
            raise TimeoutError(f"of {len(routers)} routers some had no lead to decide within {JOINED_WITHIN_S:.0f} s")
        await ground.fill(leads[sent : sent + AT_FIRST])
        sent += AT_FIRST
        await asyncio.sleep(0.5)
    await ground.fill(leads[sent:])


def counters(text: str) -> dict[str, dict[str, int]]:
    """Samples with one label, by name and by the label's value, from the text that Prometheus reads."""
    found: dict[str, dict[str, int]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if len(sample.labels) == 1:
                [value] = sample.labels.values()
                found.setdefault(sample.name, {})[value] = int(sample.value)
    return found


async def _until_up(router: Router) -> None:
    async with asyncio.timeout(UP_WITHIN_S):
        while True:
            try:
                await router.counters()
            except aiohttp.ClientError:
                if router.process.poll() is not None:
                    raise RuntimeError(f"a router ended with status {router.process.returncode}") from None
                await asyncio.sleep(0.05)
            else:
                return
