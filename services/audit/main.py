"""The audit service: one consumer of every topic, and its health page."""

import asyncio

from prometheus_client import CollectorRegistry

from services.audit.handlers import Recorder
from services.audit.settings import AuditSettings
from shared.clock_watch import ClockWatch
from shared.contracts import DEAD_LETTERS, TOPICS
from shared.kafka import make_broker, run_broker, subscribe
from shared.postgres import acquire, open_pool
from shared.process import run_together
from shared.telemetry import Progress, configure_logging
from shared.telemetry.health import serve_health

LIMITS = {"idle_in_transaction_session_timeout": "20s"}
"""A frozen process keeps the heads of its partitions locked for as long; a batch of 16 MiB is read in less."""


async def main(settings: AuditSettings, stop: asyncio.Event) -> None:
    """Record until `stop` is set."""
    configure_logging(settings, "audit")
    registry = CollectorRegistry()
    progress = Progress()
    async with open_pool(settings, "audit", max_size=4, server_settings=LIMITS) as pool:
        watch = ClockWatch(pool, registry)
        await watch.compare()

        async def postgres() -> str:
            async with acquire(pool) as connection:
                await connection.fetchval("SELECT 1")
            return ""

        broker = make_broker(settings, "waypost-audit")
        subscribe(
            broker,
            [*TOPICS, *DEAD_LETTERS.values()],
            group="audit",
            handle=Recorder(pool, registry),
            settings=settings,
            progress=progress,
            max_records=settings.audit_max_records,
        )
        await run_together(
            stop,
            run_broker(broker, stop),
            serve_health(settings, progress, registry, {"postgres": postgres, "clock": watch.check}, stop),
            watch.run(stop),
        )
