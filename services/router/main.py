"""Wiring of the router, top to bottom."""

import asyncio

from prometheus_client import CollectorRegistry

from services.router.handlers import LeadHandler
from services.router.locked_rows import LOCK_WAIT_S
from services.router.metrics import RouterMetrics
from services.router.reading import TOPICS_READ
from services.router.reload import Reload
from services.router.settings import RouterSettings
from services.router.timers import Timers
from services.router.travel.opening import open_travel_times
from services.router.vacancies import Vacancies
from shared.clock_watch import ClockWatch
from shared.contracts import NETWORK_CHANGED, POLICIES_PUBLISHED
from shared.kafka import DeadLetters, Producer, hear, make_broker, run_broker, subscribe
from shared.postgres import SERVICE_LIMITS, PostgresUnavailable, acquire, open_pool
from shared.process import run_together
from shared.telemetry import Progress, configure_logging
from shared.telemetry.health import serve_health
from shared.tracing import Tracing

SERVICE = "router"
CHANGES = (NETWORK_CHANGED, POLICIES_PUBLISHED)
"""A record on these makes every router process look at once for what is in effect."""
# Every statement looks rows up by key. With fresh statistics missing, a plan made for an empty table would read the
# whole table for ever after; just-in-time compilation never pays for statements of milliseconds.
PLANNING = {"enable_seqscan": "off", "jit": "off"}
SESSION = {**SERVICE_LIMITS, **PLANNING, "lock_timeout": f"{LOCK_WAIT_S}s"}
"""What the sessions of a router are told."""


async def main(settings: RouterSettings, stop: asyncio.Event) -> None:
    """Decide leads until `stop` is set; then finish the batch in flight."""
    configure_logging(settings, SERVICE)
    registry = CollectorRegistry()
    metrics, progress = RouterMetrics(registry), Progress()
    async with (
        open_pool(settings, SERVICE, server_settings=SESSION) as pool,
        Producer(settings, SERVICE) as producer,
        Tracing(settings, SERVICE) as tracing,
        open_travel_times(settings, registry) as travel,
    ):
        watch = ClockWatch(pool, registry)
        await watch.compare()
        now = watch.clock
        reload, vacancies = Reload(pool, metrics), Vacancies()
        dead_letters = DeadLetters(
            producer, SERVICE, registry=registry, progress=progress, hold=settings.hold_dead_letters
        )
        handler = LeadHandler(pool, producer, dead_letters, reload, settings, metrics, now, tracing, travel, vacancies)
        timers = Timers(pool, producer, reload, settings, metrics, now, tracing, vacancies)
        broker = make_broker(settings, SERVICE)
        subscribe(
            broker,
            TOPICS_READ,
            group=settings.router_group,
            handle=handler,
            settings=settings,
            progress=progress,
            max_records=settings.router_max_poll,
            dead_letters=dead_letters,
            clock=now,
        )

        async def postgres() -> str:
            try:
                async with acquire(pool) as connection:
                    await connection.execute("SELECT 1")
            except PostgresUnavailable as error:
                return str(error)
            return ""

        async def policy() -> str:
            return "" if reload.is_ready else "no policy yet: run `waypost policy publish FILE`"

        async def route() -> None:
            await reload.wait_until_ready(stop, settings.router_poll_network_s)
            await run_together(
                stop,
                reload.run(stop, settings.router_poll_network_s),
                hear(CHANGES, reload.wake, stop, settings=settings, client_id=SERVICE),
                timers.run(stop),
                timers.fill_vacancies(stop),
                run_broker(broker, stop),
            )

        checks = {"postgres": postgres, "policy": policy, "clock": watch.check}
        await run_together(stop, serve_health(settings, progress, registry, checks, stop), watch.run(stop), route())
