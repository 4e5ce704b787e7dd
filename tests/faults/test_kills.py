"""kill -9 in mid-batch, again and again: nothing is lost, nobody holds a lead twice, and the audit is clean."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from shared.migrate import SERVICES
from tests.faults.conftest import under
from tests.faults.load import Load, Sites
from tests.faults.system import System

PER_S = 40


LONG = [pytest.param([service], 20, marks=pytest.mark.faults, id=f"{service}, long") for service in SERVICES]


@pytest.mark.parametrize(("services", "rounds"), [pytest.param(SERVICES, 1, id="short"), *LONG])
async def test_killed_services_lose_nothing(
    system: System, sites: Sites, load: Load, services: Sequence[str], rounds: int
) -> None:
    async with under(load, PER_S):
        for service in services:
            await system.kill_again_and_again(service, rounds, pause_s=1.5)

    report = await system.prove(load.acknowledged)
    for service in services:
        ends = [line for line in system.said if line.startswith(f"{service} ended (signal 9)")]
        assert len(ends) == rounds, f"{service} was killed {len(ends)} times"
    assert report["terms"]["accepted"]["count"] >= len(load.acknowledged) > 2 * PER_S
    assert sites.seen, "no site was told anything"


@pytest.mark.parametrize("rounds", [2, pytest.param(12, marks=pytest.mark.faults)], ids=["short", "long"])
async def test_routers_that_come_and_go_share_the_work_without_a_double_holder(
    system: System, load: Load, rounds: int
) -> None:
    second = "router-2"
    environment = system.services.environment("router") | {"WAYPOST_HEALTH_PORT": "0"}
    async with under(load, PER_S):
        system.supervisor.start(second, system.services.arguments("router"), environment)
        for turn in range(rounds):
            await system.running(second)
            await asyncio.sleep(3)
            # Alternately, so that each takes over the other's partitions in the middle of its batches.
            system.supervisor.kill(second if turn % 2 else "router")

    await system.prove(load.acknowledged)


async def test_a_stopping_service_finishes_its_batch_within_ten_seconds(system: System, load: Load) -> None:
    sending = asyncio.create_task(load.run(PER_S, asyncio.Event()))
    await asyncio.sleep(2)
    begun = asyncio.get_running_loop().time()
    await system.supervisor.stop()
    took_s = asyncio.get_running_loop().time() - begun
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    assert [line for line in system.said if "killed" in line] == []
    assert took_s < 11
    for service in SERVICES:
        log = (system.settings.data_folder / "logs" / f"{service}.log").read_text()
        events = [json.loads(line).get("event") for line in log.splitlines() if line.startswith("{")]
        assert events[-1] == "process.stopped", service
