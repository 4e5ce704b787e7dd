"""The audit service: one consumer of every topic, and its health page."""

import asyncio

from prometheus_client import CollectorRegistry

from services.audit.handlers import Recorder
from services.audit.settings import AuditSettings
from shared.contracts import DEAD_LETTERS, TOPICS
from shared.kafka import make_broker, run_broker, subscribe
from shared.postgres import acquire, open_pool
from shared.settings import Settings
from shared.telemetry import Progress, configure_logging, serve_health


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Record until `stop` is set."""
    own = settings if isinstance(settings, AuditSettings) else AuditSettings(**settings.model_dump())
    configure_logging(own, "audit")
    registry = CollectorRegistry()
    progress = Progress()
    async with open_pool(own, "audit", max_size=4) as pool:

        async def postgres() -> str:
            async with acquire(pool) as connection:
                await connection.fetchval("SELECT 1")
            return ""

        broker = make_broker(own, "waypost-audit")
        subscribe(
            broker,
            [*TOPICS, *DEAD_LETTERS.values()],
            group="audit",
            handle=Recorder(pool, registry),
            settings=own,
            progress=progress,
            max_records=own.audit_max_records,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_broker(broker, stop))
            tasks.create_task(serve_health(own, progress, registry, {"postgres": postgres}, stop))
