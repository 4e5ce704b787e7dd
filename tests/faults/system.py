"""A whole Waypost for fault tests: real services as processes on the session stack, and the proof after each fault."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from pydantic import SecretStr

from deploy.local import Stack
from deploy.local_services import LocalServices, prepare
from deploy.supervisor import Supervisor
from services.audit import machine
from services.audit.count import count
from services.audit.db.reader import open_reader
from services.audit.freshness import Patience, records_behind
from services.audit.moments import window_of
from services.audit.replay_jobs import replay_window
from services.audit.settings import AuditSettings
from services.audit.verify import verify
from services.router.network import apply, read_network_file
from shared.postgres import open_pool
from shared.settings import Settings

NETWORK = Path(__file__).parents[2] / "deploy" / "demo" / "network.csv"
SETTLE_WITHIN_S = 90
PROVE_WITHIN_S = 60
KNOWN_WITHIN_S = 60


def _say_nothing(_done: int) -> None:
    """No bar to move."""


@dataclass
class System:
    """A running installation with its own database, topics and data folder."""

    stack: Stack
    settings: Settings
    supervisor: Supervisor
    services: LocalServices
    said: list[str]
    """What the supervisor had to say: one line for every service that ended by itself."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What a command of this installation is told."""
        return self.services.environment("command")

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Exit status and standard output of `waypost ARGUMENTS`; standard error is added when it failed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli", *arguments),
            env=dict(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        status = process.returncode if process.returncode is not None else -1
        return status, output.decode() + (errors.decode() if status else "")

    async def clean(self, *arguments: str) -> str:
        """Output of a command that must succeed."""
        status, output = await self.command(*arguments)
        assert status == 0, f"waypost {' '.join(arguments)} ended with {status}:\n{output}"
        return output

    async def prove(self, acknowledged: set[str]) -> dict[str, Any]:
        """Every invariant that the audit can judge, for everything so far; returns the count's report.

        I1 every acknowledged lead is in the ledger, I2 one holder at most, I3 only forward, I4 the equation is exact,
        I5 replay finds nothing unexplained, and I9 the lag is gone within the time that count may wait.

        What `waypost audit count`, `replay` and `verify` do, without a process for each; the commands themselves are
        run by tests/e2e and the README's tour.
        """
        await self.settled(acknowledged)
        settings = AuditSettings(**self.settings.model_dump())
        async with open_reader(settings) as connection:
            everything = window_of(None, None, datetime.now(UTC))
            counted = await count(settings, connection, everything, Patience(PROVE_WITHIN_S), _say_nothing)
            report = machine.count_object(counted)
            assert counted.clean, f"count: {report}"
            behind = await records_behind(settings, connection, Patience(PROVE_WITHIN_S))
            assert not behind, f"the ledger lacks {behind} records after {PROVE_WITHIN_S} s"
            everything = window_of(None, None, datetime.now(UTC))
            replayed = await replay_window(
                settings, everything, topic=None, total=0, jobs=1, wait_s=PROVE_WITHIN_S, on_progress=_say_nothing
            )
            assert replayed.clean, f"replay: {machine.replay_object(replayed, everything, behind)}"
            verified = await verify(connection, _say_nothing)
            assert verified.clean, f"verify: {machine.verify_object(verified)}"
        return report

    async def settled(self, acknowledged: set[str]) -> None:
        """Wait until every acknowledged lead has a decision. Fails naming how many are missing."""
        connection = await asyncpg.connect(self.settings.require_postgres())
        missing = len(acknowledged)
        try:
            async with asyncio.timeout(SETTLE_WITHIN_S):
                while missing:
                    missing = await connection.fetchval(
                        "SELECT count(*) FROM unnest($1::uuid[]) AS accepted(lead_id) "
                        "WHERE NOT EXISTS (SELECT FROM router.decisions d WHERE d.lead_id = accepted.lead_id)",
                        list(acknowledged),
                    )
                    await asyncio.sleep(0.2 if missing else 0)
        except TimeoutError:
            raise AssertionError(
                f"{missing} of {len(acknowledged)} acknowledged leads have no decision after {SETTLE_WITHIN_S} s"
            ) from None
        finally:
            await connection.close()

    async def routers_know(self, *, revision: int = 0, version: int = 0, ports: Sequence[int] = ()) -> None:
        """Wait until every router decides by this network revision and this policy version, or by newer ones.

        A lead that is sent right after a change meets the old setting in a router that has not heard of it yet. `ports`
        are the health ports of routers besides the installation's own.
        """
        wanted = {"waypost_router_network_revision": revision, "waypost_router_policy_version": version}
        async with asyncio.timeout(KNOWN_WITHIN_S), aiohttp.ClientSession() as http:
            for port in (self.services.health_ports["router"], *ports):
                while not await _is_at(http, port, wanted):
                    await asyncio.sleep(0.05)

    async def kill_again_and_again(self, service: str, rounds: int, pause_s: float) -> None:
        """kill -9 a service `rounds` times, each time after it has been at work again for `pause_s`."""
        for _ in range(rounds):
            await self.running(service)
            await self.services.ready(service)
            await asyncio.sleep(pause_s)
            self.supervisor.kill(service)
        await self.running(service)

    async def running(self, service: str) -> None:
        """Wait until the supervisor has started it again."""
        async with asyncio.timeout(60):
            while not self.supervisor.pid(service):
                await asyncio.sleep(0.05)


async def _is_at(http: aiohttp.ClientSession, port: int, wanted: Mapping[str, int]) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
            lines = (await response.text()).splitlines()
    except aiohttp.ClientError:  # it is being started again
        return False
    found = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] != "#")}
    return all(found.get(name, 0.0) >= least for name, least in wanted.items())


@asynccontextmanager
async def installation(
    stack: Stack, dsn: str, topic_prefix: str, folder: Path, *, network: bool = True
) -> AsyncIterator[System]:
    """Everything started, with the demo's network in effect unless `network` is False; ends with all of it."""
    settings = Settings(
        kafka=stack.kafka_bootstrap, postgres=SecretStr(dsn), topic_prefix=topic_prefix, data_folder=folder
    )
    said: list[str] = []
    await prepare(settings, said.append)
    # Killed twenty times, a service is not to blame: it need not wait longer each time.
    supervisor = Supervisor(folder / "logs", said.append, longest_pause_s=1.0)
    services = LocalServices(settings, supervisor)
    system = System(stack, settings, supervisor, services, said)
    try:
        await services.start(said.append)
        if network:
            async with open_pool(settings, "router", max_size=1) as pool:
                change = await apply(pool, read_network_file(NETWORK), datetime.now(UTC))
            await system.routers_know(revision=change.revision)
        yield system
    finally:
        await supervisor.stop()
