"""Forgetting Idempotency-Keys that are past their time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from services.lead_intake import db
from shared.postgres import RETRIABLE, Connection, Pool, PostgresUnavailable, transact
from shared.telemetry import get_logger

EVERY = timedelta(minutes=10)


async def forget_old_keys(pool: Pool, keep: timedelta, clock: Callable[[], datetime], stop: asyncio.Event) -> None:
    """Do it now and then until `stop`; a failure is logged and made good the next time."""

    async def work(connection: Connection) -> None:
        await db.forget_keys(connection, clock() - keep)

    while not stop.is_set():
        try:
            await transact(pool, work, tries=1)
        except (*RETRIABLE, PostgresUnavailable) as error:
            get_logger().warning("idempotency.not_forgotten", error=type(error).__name__)
        try:
            async with asyncio.timeout(EVERY.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue
