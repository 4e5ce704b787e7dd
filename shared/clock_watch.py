"""Compares a process's clock with PostgreSQL's, corrects the time that the process goes by, and tells a wrong clock."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.clock import TOLERANCE, Clock, Comparison, own_clock, since_boot_s, told
from shared.pausing import sleep_or_stop
from shared.postgres import RETRIABLE, Pool, PostgresUnavailable, acquire, clock_time
from shared.telemetry import get_logger

EVERY_S = 2.0
"""So long a machine that wakes up without having noticed that it slept may go by the time of before."""


class ClockWatch:
    """Of one process. `compare` once before anything is stamped, then `run` beside the work."""

    def __init__(
        self,
        pool: Pool,
        registry: CollectorRegistry,
        own: Callable[[], datetime] = own_clock,
        since_boot: Callable[[], float] = since_boot_s,
    ) -> None:
        self._pool = pool
        self._own, self._since_boot_s = own, since_boot
        self.clock = Clock(own, since_boot)
        """The time that the whole process goes by."""
        self._seen: Comparison | None = None
        self._offset = Gauge(
            "waypost_clock_offset_seconds", "This machine's clock minus PostgreSQL's; beyond 2 s is an alarm",
            registry=registry,
        )  # fmt: skip
        self._steps = Counter(
            "waypost_clock_steps", "How often PostgreSQL's time had moved by more than 2 s", registry=registry
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Compare every 2 s until `stop`."""
        while not stop.is_set():
            await sleep_or_stop(stop, EVERY_S)
            await self.compare()

    async def compare(self) -> None:
        """Look at PostgreSQL's clock; while PostgreSQL does not answer, the time goes on as it was."""
        try:
            async with acquire(self._pool) as connection:
                asked_s = self._since_boot_s()
                theirs = await clock_time(connection)
                seen = Comparison(asked_s, self._since_boot_s(), theirs, self._own())
        except (*RETRIABLE, asyncpg.PostgresError, PostgresUnavailable) as error:
            get_logger().info("clock.not_compared", error=type(error).__name__)
            return
        self._follow(seen)

    async def check(self) -> str:
        """For readiness: empty while this machine's clock is right, else by how much it is wrong and what to do."""
        seen = self._seen
        return told(seen.offset) if seen is not None and seen.is_off else ""

    def _follow(self, seen: Comparison) -> None:
        before, self._seen = self._seen, seen
        moved = self.clock.follow(seen)
        self._offset.set(seen.offset.total_seconds())
        was_off = before is not None and before.is_off
        if seen.is_off and not was_off:
            get_logger().error("clock.off", offset_s=round(seen.offset.total_seconds(), 3), hint=told(seen.offset))
        elif was_off and not seen.is_off:
            get_logger().info("clock.right_again", offset_s=round(seen.offset.total_seconds(), 3))
        # The first comparison corrects the machine's clock; a later one has nothing to correct but a step.
        if before is not None and abs(moved) > TOLERANCE:
            self._steps.inc()
            get_logger().warning(
                "clock.stepped",
                by_s=round(moved.total_seconds(), 3),
                hint="PostgreSQL's clock was set, or this machine slept",
            )
