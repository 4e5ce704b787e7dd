"""Services are kept alive, say so when they die, and stop together."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from deploy.supervisor import Supervisor, pause_s

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(3600)"]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, said: list[str]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "logs", say=said.append)
    yield supervisor
    await supervisor.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_killed_service_is_started_again_and_the_person_is_told_once(
    supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start("router", SLEEPER)
    first = supervisor.pid("router")

    supervisor.kill("router")
    await until(lambda: supervisor.pid("router") not in (0, first))

    assert len(said) == 1
    assert said[0].startswith("router ended (signal 9); starting it again in 0.5 s; log: ")


async def test_a_service_that_gave_up_is_started_again_and_its_status_is_told(
    supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start("router", [sys.executable, "-c", "raise SystemExit(1)"])

    await until(lambda: len(said) >= 2)

    assert said[0].startswith("router ended (exit status 1); starting it again in 0.5 s; log: ")
    assert said[1].startswith("router ended (exit status 1); starting it again in 1 s; log: ")


async def test_output_goes_to_the_service_s_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start("router", [sys.executable, "-c", "import os; print(os.environ['COLOUR'])"], {"COLOUR": "green"})

    await until(lambda: (tmp_path / "logs" / "router.log").read_text().startswith("green\n"))


async def test_a_program_that_does_not_exist_is_reported_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start("router", ["/no/such/program"])

    await until(lambda: "cannot run /no/such/program: No such file" in (tmp_path / "logs" / "router.log").read_text())


async def test_stop_ends_all_and_starts_none_again(tmp_path: Path, said: list[str]) -> None:
    supervisor = Supervisor(tmp_path / "logs", say=said.append)
    names = ["intake", "router", "notifier"]
    for name in names:
        supervisor.start(name, SLEEPER)
    pids = [supervisor.pid(name) for name in names]

    await supervisor.stop()

    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert [supervisor.pid(name) for name in names] == [0, 0, 0]
    assert said == []


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.5), (2, 1), (3, 2), (7, 30), (10_000, 30)])
def test_a_service_that_keeps_failing_is_started_less_and_less_often(failures: int, seconds: float) -> None:
    assert pause_s(failures) == seconds
