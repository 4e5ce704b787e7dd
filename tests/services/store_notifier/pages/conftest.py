"""The page of a notifier, served on a real PostgreSQL."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from shared.migrate import migrate
from shared.postgres import open_pool
from shared.settings import Settings
from tests.services.store_notifier.pages.intake import Intake
from tests.services.store_notifier.pages.world import World


@pytest_asyncio.fixture(scope="module")
async def world(postgres_dsn: str) -> AsyncIterator[World]:
    """The served page; every test opens a site of its own in it."""
    await migrate(postgres_dsn, ["store_notifier"])
    settings = Settings(postgres=SecretStr(postgres_dsn))
    intake = Intake()
    intake_app = web.Application()
    intake_app.router.add_post("/internal/contacts", intake.contacts)
    runner = web.AppRunner(intake_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    intake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with (
        open_pool(settings, "store_notifier") as pool,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
    ):
        world = World(settings, pool, client, intake)
        await world.start()
        yield world
        await world.stop()
    await runner.cleanup()
