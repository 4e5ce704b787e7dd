"""What every command of the router needs: a pool for its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from services.router.settings import RouterSettings, read_settings
from shared.postgres import Pool, open_pool

T = TypeVar("T")


def run(work: Callable[[Pool], Awaitable[T]], server_settings: Mapping[str, str] | None = None) -> T:
    """Do `work` with a pool of one connection."""

    async def within(settings: RouterSettings) -> T:
        async with open_pool(settings, "router", max_size=1, server_settings=server_settings) as pool:
            return await work(pool)

    return asyncio.run(within(read_settings()))
