"""PostgreSQL's NOTIFY as a wake-up call. A lost one costs a moment, never a row: who waits also looks by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.postgres import Connection, Pool, acquire


@asynccontextmanager
async def listening(pool: Pool, channel: str) -> AsyncIterator[tuple[Connection, asyncio.Event]]:
    """A connection of one's own that listens, and the event that each notification sets."""
    heard = asyncio.Event()

    def on_notify(*_: Any) -> None:
        heard.set()

    async with acquire(pool) as connection:
        await connection.add_listener(channel, on_notify)
        try:
            yield connection, heard
        finally:
            if not connection.is_closed():
                await connection.remove_listener(channel, on_notify)


async def wait_any(heard: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    """Return when `heard` or `stop` is set, or after `seconds`; `heard` is cleared."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (heard, stop)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiting:
            waiter.cancel()
    heard.clear()
