"""Wiring of the notifier, read from top to bottom."""

import asyncio
import os
from contextlib import AsyncExitStack
from random import SystemRandom

import aiohttp
import asyncpg
from prometheus_client import CollectorRegistry

from services.store_notifier.api import Api
from services.store_notifier.channels import inbox, webhook
from services.store_notifier.contacts import Contacts
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind, Outcome
from services.store_notifier.endpoints import secrets_of
from services.store_notifier.handlers import Handler
from services.store_notifier.metrics import Metrics
from services.store_notifier.outbox import Relay
from services.store_notifier.pages.live import LiveInboxes
from services.store_notifier.pages.routes import inbox_routes
from services.store_notifier.reminding import Reminders
from services.store_notifier.scheduler import Scheduler
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.sweeping import Sweeper
from shared.clock_watch import ClockWatch
from shared.contracts import LEADS_DECIDED, LEADS_RECEIVED
from shared.http_server import ServerLimits, application, serve
from shared.kafka import DeadLetters, Producer, make_broker, run_broker, subscribe
from shared.keys import load_keys
from shared.postgres import SERVICE_LIMITS, PostgresUnavailable, acquire, open_pool
from shared.process import run_together
from shared.telemetry import Progress, configure_logging
from shared.telemetry.health import serve_health
from shared.tracing import Tracing

SERVICE = "store_notifier"


async def main(settings: NotifierSettings, stop: asyncio.Event) -> None:
    """Tell sites of their assignments and take their answers until `stop` is set."""
    log = configure_logging(settings, SERVICE)
    keys = load_keys(settings.key_file)
    registry = CollectorRegistry()
    metrics, progress, rng = Metrics(registry), Progress(), SystemRandom()
    guard = AddressGuard(settings.notifier_allow_networks)

    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(settings, SERVICE, max_size=16, server_settings=SERVICE_LIMITS)
        )
        stores = await stack.enter_async_context(webhook.open_session(guard, settings.notifier_request_timeout_s))
        intake = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        producer = await stack.enter_async_context(Producer(settings, f"waypost-{SERVICE}"))
        tracing = await stack.enter_async_context(Tracing(settings, SERVICE))
        watch = ClockWatch(pool, registry)
        await watch.compare()
        now = watch.clock

        async def send(delivery: asyncpg.Record, endpoint: asyncpg.Record) -> Outcome:
            attempt = webhook.Webhook(
                delivery["delivery_id"],
                delivery["endpoint_id"],
                delivery["attempt"],
                endpoint["url"],
                secrets_of(endpoint, keys.endpoint_key, now()),
                webhook.body_of(delivery, settings.public_url),
                delivery["traceparent"],
            )
            started = now()
            outcome = await webhook.send(stores, attempt, started)
            if tracing.enabled:
                tracing.record(
                    "delivery.attempt",
                    traceparent=attempt.trace,
                    parent=attempt.traceparent,
                    started=started,
                    ended=now(),
                    failed=outcome.kind is not Kind.DELIVERED,
                    lead_id=str(delivery["lead_id"]),
                    epoch=delivery["epoch"],
                    site_id=delivery["site_id"],
                    attempt=attempt.attempt,
                    result=outcome.kind.value,
                )
            return outcome

        async def postgres() -> str:
            try:
                async with acquire(pool) as connection:
                    await connection.execute("SELECT 1")
            except PostgresUnavailable as error:
                return str(error)
            return ""

        scheduler = Scheduler(
            pool,
            send,
            plan=settings.retry_plan,
            lease=settings.lease,
            max_in_flight=settings.notifier_max_in_flight,
            max_per_host=settings.notifier_max_per_host,
            metrics=metrics,
            rng=rng,
            clock=now,
        )
        broker = make_broker(settings, f"waypost-{SERVICE}")
        dead_letters = DeadLetters(
            producer, SERVICE, registry=registry, progress=progress, hold=settings.hold_dead_letters
        )
        subscribe(
            broker,
            [LEADS_DECIDED, LEADS_RECEIVED],
            group=settings.notifier_group,
            handle=Handler(pool, dead_letters, now),
            settings=settings,
            progress=progress,
            dead_letters=dead_letters,
            clock=now,
        )
        contacts = Contacts(intake, settings.intake_url, keys.service_secret, now)
        live = LiveInboxes(settings, pool, log)
        app = application(
            [
                *Api(pool, contacts, keys.endpoint_key, metrics, now).routes(),
                *inbox_routes(
                    pool=pool,
                    live=live,
                    answer=inbox.answering(pool, metrics, now),
                    reveal=inbox.revealing(pool, contacts),
                    now=now,
                    random_bytes=os.urandom,
                    zone=settings.notifier_zone,
                    secure_cookies=settings.secure_cookies,
                    log=log,
                ),
            ]
        )
        await run_together(
            stop,
            serve_health(settings, progress, registry, {"postgres": postgres, "clock": watch.check}, stop),
            watch.run(stop),
            serve(
                app,
                settings.notifier_host,
                settings.notifier_port,
                stop,
                name="notifier",
                limits=ServerLimits.of(settings),
            ),
            live.run(stop),
            Relay(pool, producer, metrics, tracing, now).run(stop),
            scheduler.run(stop),
            Sweeper(pool, settings, rng, now).run(stop),
            Reminders(pool, metrics, now).run(stop),
            run_broker(broker, stop),
        )
