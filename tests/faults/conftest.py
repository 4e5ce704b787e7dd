"""One installation per test: what a fault leaves behind must not help or hurt the next."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from deploy.local import Stack
from services.store_notifier.db.endpoints import Owner
from services.store_notifier.endpoints import add_webhook
from shared.keys import load_keys
from shared.postgres import open_pool
from tests.faults.load import SITES_WITH_WEBHOOKS, Load, Sites
from tests.faults.system import NETWORK, System, installation

_numbers = itertools.count(1)


@asynccontextmanager
async def own_system(stack: Stack, folder: Path, *, network: bool = True) -> AsyncIterator[System]:
    """All services running on a database and topics of their own."""
    name = f"faults_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(stack.postgres_dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    async with installation(stack, stack.postgres.dsn_of(name), f"{name}.", folder, network=network) as running:
        yield running
    connection = await asyncpg.connect(stack.postgres_dsn)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def system(stack: Stack, tmp_path: Path) -> AsyncIterator[System]:
    """All services running with the demo's network."""
    async with own_system(stack, tmp_path) as running:
        yield running


@pytest.fixture
def answering() -> list[str]:
    """The sites that have an endpoint: a dozen of the network."""
    names = [line.split(",", 1)[0] for line in NETWORK.read_text(encoding="utf-8").splitlines()[1:]]
    return names[:: len(names) // SITES_WITH_WEBHOOKS][:SITES_WITH_WEBHOOKS]


@pytest.fixture
async def sites(system: System, answering: list[str]) -> AsyncIterator[Sites]:
    """Webhook endpoints of the sites that answer, listening."""
    sites = Sites(system)
    app = web.Application()
    app.router.add_post("/hooks/{site_id}", sites.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    key = load_keys(system.settings.key_file).endpoint_key
    async with open_pool(system.settings, "store_notifier", max_size=1) as pool:
        for site_id in answering:
            endpoint_id = uuid4()
            secret = await add_webhook(
                pool,
                endpoint_id,
                Owner(site_id),
                f"{url}/{site_id}",
                in_flight_cap=2,
                key=key,
                random_bytes=os.urandom,
                now=datetime.now(UTC),
            )
            sites.secrets[site_id] = (str(endpoint_id), secret)
    yield sites
    await runner.cleanup()


Fault = Callable[[], Awaitable[None]]


@pytest.fixture
async def load(system: System) -> Load:
    """A sender with its key."""
    key = await system.clean("source", "add", "load", "--key-only")
    return Load(system, key.strip())


@asynccontextmanager
async def under(load: Load, per_s: int) -> AsyncIterator[None]:
    """Leads keep coming while the block breaks something, from two seconds before to two seconds after."""
    stop = asyncio.Event()
    running = asyncio.create_task(load.run(per_s, stop))
    try:
        await asyncio.sleep(2)
        yield
        await asyncio.sleep(2)
    finally:
        stop.set()
        await running
