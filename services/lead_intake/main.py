"""The intake, wired: read top to bottom."""

import asyncio
import os
import time
from collections.abc import Sequence
from functools import partial
from uuid import uuid4

from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from services.lead_intake.accept import Acceptance
from services.lead_intake.contacts import Contacts
from services.lead_intake.domain import Rules
from services.lead_intake.geocoding.opening import open_finder
from services.lead_intake.handlers import routes
from services.lead_intake.idempotency import forget_old_keys
from services.lead_intake.limits import Door
from services.lead_intake.outbox import Outbox
from services.lead_intake.places import load_places
from services.lead_intake.postal_files import load_postal_codes
from services.lead_intake.record import AnotherWasQuicker, Entry, Recorded, record
from services.lead_intake.seal import Seal
from services.lead_intake.settings import IntakeSettings
from services.lead_intake.source_keys import SourceKeys
from services.lead_intake.state import StateKeeper
from services.lead_intake.take import Intake, count_answers
from shared.clock_watch import ClockWatch
from shared.contracts import LEADS_DECIDED
from shared.http_server import ServerLimits, serve
from shared.kafka import DeadLetters, Producer, make_broker, run_broker, subscribe
from shared.keys import load_keys
from shared.postgres import SERVICE_LIMITS, Connection, acquire, open_pool, transact
from shared.process import run_together
from shared.telemetry import Progress, configure_logging
from shared.telemetry.health import serve_health
from shared.tracing import Tracing

SERVICE = "lead_intake"


async def main(settings: IntakeSettings, stop: asyncio.Event) -> None:
    """Run the intake until `stop`; what was taken by then is committed, answered and, if Kafka is there, published."""
    configure_logging(settings, SERVICE)
    keys = load_keys(settings.key_file)
    postal_codes = load_postal_codes(settings.postal_codes)
    registry = CollectorRegistry()
    progress = _ReadyWithoutKafka()
    seal = Seal(keys, os.urandom)

    async with (
        open_pool(settings, SERVICE, server_settings=SERVICE_LIMITS) as pool,
        Producer(settings, f"{SERVICE}-dead") as dead_producer,
        Tracing(settings, SERVICE) as tracing,
        open_finder(settings, keys.pepper, registry, time.monotonic) as finder,
    ):
        watch = ClockWatch(pool, registry)
        await watch.compare()
        clock = watch.clock
        outbox = Outbox(pool, partial(Producer, settings, SERVICE), clock, registry)

        async def record_batch(entries: Sequence[Entry]) -> Recorded:
            async def work(connection: Connection) -> Recorded:
                return await record(connection, entries, seal, clock(), uuid4)

            while True:
                try:
                    return await transact(pool, work)
                except AnotherWasQuicker:
                    continue

        acceptance = Acceptance(record_batch, outbox.publish_soon, settings, registry)
        intake = Intake(
            pool=pool,
            acceptance=acceptance,
            source_keys=SourceKeys(pool, time.monotonic),
            contacts=Contacts(pool, keys, seal, clock),
            rules=Rules(keys.pepper, load_places(), settings.intake_phone_region, postal_codes),
            settings=settings,
            clock=clock,
            random_bytes=os.urandom,
            answered=count_answers(registry),
            tracing=tracing,
            finder=finder,
        )

        broker = make_broker(settings, SERVICE)
        dead_letters = DeadLetters(
            dead_producer, SERVICE, registry=registry, progress=progress, hold=settings.hold_dead_letters
        )
        keeper = StateKeeper(pool, dead_letters, clock)
        subscribe(
            broker,
            [LEADS_DECIDED],
            group="lead-intake",
            handle=keeper.handle,
            settings=settings,
            progress=progress,
            dead_letters=dead_letters,
            clock=clock,
        )

        async def postgres_answers() -> str:
            async with acquire(pool) as connection:
                await connection.execute("SELECT 1")
            return ""

        # Stopped in this order: no more requests, then the last commit, then the last publish.
        answered, committed = asyncio.Event(), asyncio.Event()

        async def answer() -> None:
            app = guarded(routes(intake), settings)
            try:
                limits = ServerLimits.of(settings)
                await serve(app, settings.intake_host, settings.intake_port, stop, name=SERVICE, limits=limits)
            finally:
                answered.set()

        async def commit() -> None:
            try:
                await acceptance.run(answered)
            finally:
                committed.set()

        await run_together(
            stop,
            serve_health(settings, progress, registry, {"postgres": postgres_answers, "clock": watch.check}, stop),
            watch.run(stop),
            run_broker(broker, stop),
            forget_old_keys(pool, settings.intake_idempotency, clock, stop),
            answer(),
            commit(),
            outbox.run(committed),
        )


class _ReadyWithoutKafka(Progress):
    """Leads are taken while Kafka is down, so its absence must not take this process out of the load balancer."""

    def ready(self) -> tuple[bool, str]:
        """False only when this process cannot go on."""
        return (False, self.fatal) if self.fatal else (True, "ok")


def guarded(app: ASGIApp, settings: IntakeSettings) -> ASGIApp:
    """The guard around the routes, and CORS around both, so that a browser form may read a refusal too."""
    door = Door(app, settings.intake_max_in_flight)
    if not settings.intake_allowed_origins:
        return door
    return CORSMiddleware(
        door,
        allow_origins=settings.intake_allowed_origins,
        allow_methods=("GET", "POST"),
        allow_headers=("authorization", "content-type", "idempotency-key", "traceparent"),
        allow_credentials=False,
    )
