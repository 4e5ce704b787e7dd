"""Service processes whose machine's clock is wrong, by libfaketime; Kafka, PostgreSQL and the test have the right one.

The clock that nobody sets stays real: event loops live by it.
"""

import asyncio
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp

from deploy.ports import LOOPBACK, choose_ports
from tests.faults.system import System

INSTALL = Path(__file__).parents[2] / "deploy" / "install_faketime.sh"
LIBRARIES = ("lib/*/faketime", "lib*/faketime")
"""Where distributions put it, in /usr."""
WITHIN_S = 90


@cache
def find_faketime() -> str:
    """The library to be loaded first, installed where it is missing."""
    done = subprocess.run(["/bin/sh", str(INSTALL)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return str(next(file for place in LIBRARIES for file in Path("/usr").glob(f"{place}/libfaketimeMT.so.1")))


def wrong_clock(offset: str) -> Mapping[str, str]:
    """The environment of a process whose clock is wrong by `offset`, such as -1h or +45s."""
    return {**_shim(), "FAKETIME": offset}


def clock_set_by(file: Path) -> Mapping[str, str]:
    """The environment of a process whose clock is wrong by what the file says at the moment."""
    return {**_shim(), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}


def _shim() -> Mapping[str, str]:
    return {
        "LD_PRELOAD": find_faketime(),
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Its remedy for an old C library lets every timed wait of a thread end at once: two threads of Python that want
        # to run take 30 times as long (tried with 0.9.10).
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


class Extra:
    """One more process of a service of a running installation, with ports of its own."""

    def __init__(self, system: System, service: str, name: str, environment: Mapping[str, str]) -> None:
        self._system, self.name = system, name
        ports = choose_ports(system.settings.data_folder / f"ports of {name}.json", ["health", "intake", "notifier"])
        self._health = f"http://{LOOPBACK}:{ports['health']}"
        self.url = f"http://{LOOPBACK}:{ports['intake']}"
        """Of an intake."""
        own = {
            "WAYPOST_HEALTH_PORT": str(ports["health"]),
            "WAYPOST_INTAKE_PORT": str(ports["intake"]),
            "WAYPOST_NOTIFIER_PORT": str(ports["notifier"]),
        }
        services = system.services
        system.supervisor.start(
            name, services.arguments(service), {**services.environment(service), **own, **environment}
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._system.supervisor.pid(self.name)

    async def readiness(self) -> tuple[int, dict[str, str]]:
        """Status of /healthz/ready and what each check says; 0 while nobody answers."""
        status, body = await self._get("/healthz/ready")
        return status, body["checks"] if body else {}

    async def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        async with aiohttp.ClientSession() as session, session.get(f"{self._health}/metrics") as response:
            lines = (await response.text()).splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])

    async def until_clock_says(self, expected: str) -> dict[str, str]:
        """Wait until its readiness says so of its clock (a part of the text) and nothing else is wrong with it."""
        status, checks = 0, dict[str, str]()
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    status, checks = await self.readiness()
                    others = {text for name, text in checks.items() if name != "clock"}
                    if others == {"ok"} and expected in checks["clock"]:
                        assert (status == 200) == (checks["clock"] == "ok")
                        return checks
                    await asyncio.sleep(0.1)
        except TimeoutError:
            log = (self._system.settings.data_folder / "logs" / f"{self.name}.log").read_text().splitlines()[-20:]
            raise AssertionError("\n".join([f"{self.name} says {status} {checks}, not {expected!r}", *log])) from None

    async def _get(self, path: str) -> tuple[int, dict[str, Any]]:
        try:
            async with aiohttp.ClientSession() as session, session.get(self._health + path) as response:
                return response.status, await response.json()
        except aiohttp.ClientError:
            return 0, {}
