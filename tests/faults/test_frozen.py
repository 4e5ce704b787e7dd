"""A process that freezes in the middle of its work: its locks are gone in seconds, and awake again it harms nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import psutil

from tests.faults.load import Load
from tests.faults.system import System
from tests.faults.wrong_clock import Extra

KUNSHAN, SHENZHEN = (31.372869, 120.958001, "wgs84"), (22.54, 114.06, "wgs84")
WITHIN_S = 30
"""Far more than a frozen transaction may last (5 s), far less than it did when its session could be idle for 60 s."""


@asynccontextmanager
async def connected(system: System) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(system.settings.require_postgres())
    try:
        yield connection
    finally:
        await connection.close()


class Frozen:
    """The router that waits for a lock, stopped while it waits; `session` is its session's process of PostgreSQL."""

    def __init__(self, pid: int, session: int) -> None:
        self.pid, self.session = pid, session

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


async def freeze_who_waits(system: System, pids: list[int]) -> Frozen:
    """Stop the router that waits for a lock within its transaction, while it waits."""
    async with connected(system) as connection, asyncio.timeout(WITHIN_S):
        while True:
            rows = await connection.fetch(
                "SELECT pid, client_port FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'waypost-router' AND wait_event_type = 'Lock'"
            )
            for row in rows:
                pid = next((pid for pid in pids if row["client_port"] in ports_of(pid)), None)
                if pid is None:
                    continue
                os.kill(pid, signal.SIGSTOP)
                waits = await connection.fetchval(
                    "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1", row["pid"]
                )
                if waits:
                    return Frozen(pid, row["pid"])
                os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.01)


def ports_of(pid: int) -> set[int]:
    """The ports from which a process has connections."""
    return {connection.laddr.port for connection in psutil.Process(pid).net_connections("tcp") if connection.laddr}


async def until(connection: "asyncpg.Connection[asyncpg.Record]", query: str, *arguments: object) -> None:
    """Wait until the query says true."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not await connection.fetchval(query, *arguments):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {WITHIN_S} s: {query} {arguments}") from None


async def test_a_router_frozen_within_its_transaction_keeps_no_other_city_waiting(system: System, load: Load) -> None:
    second = Extra(system, "router", "second-router", {})
    await second.until_clock_says("ok")
    pids = [system.supervisor.pid("router"), second.pid]

    async with connected(system) as holder, connected(system) as looking:
        # One lead, so that its site has a row. While we hold that, whoever decides the next ones waits within its
        # transaction; stopped there, it is given the row when we let go, and does not know.
        load.points = [KUNSHAN]
        await load.send(1)
        await until(looking, "SELECT EXISTS (SELECT FROM router.site_loads)")
        async with holder.transaction():
            await holder.execute("SELECT 1 FROM router.site_loads FOR UPDATE")
            sending = asyncio.create_task(load.send(20))
            frozen = await freeze_who_waits(system, pids)
        try:
            # Its transaction goes on without it: it has the site's row now, and nobody commits.
            await until(
                looking,
                "SELECT coalesce(bool_or(state = 'idle in transaction'), true) FROM pg_stat_activity WHERE pid = $1",
                frozen.session,
            )
            await sending
            load.points = [SHENZHEN]
            await load.send(20)
            await until(looking, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", frozen.session)
            await until(
                looking,
                "SELECT NOT EXISTS (SELECT FROM unnest($1::uuid[]) AS accepted(lead_id) "
                "WHERE lead_id NOT IN (SELECT lead_id FROM router.decisions))",
                list(load.acknowledged),
            )
        finally:
            frozen.wake()

    await load.send(20)
    await system.prove(load.acknowledged)
