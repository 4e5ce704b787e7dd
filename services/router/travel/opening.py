"""Travel times as the settings want them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from services.router.settings import RouterSettings
from services.router.travel.answer import Interface
from services.router.travel.cache import TravelCache
from services.router.travel.client import open_engine
from services.router.travel.metrics import TravelMetrics
from services.router.travel.osrm import Osrm
from services.router.travel.times import TravelTimes
from services.router.travel.valhalla import Valhalla
from shared.breaker import Breaker

FAILURES_BEFORE_REST = 3
"""Batches in a row without any answer: at most so many wait for an engine that is down."""
REST_S = 10.0
"""Never longer: one batch in ten seconds may well wait for its look."""


def interface_of(settings: RouterSettings) -> Interface:
    """How the engine of these settings is asked."""
    match settings.travel_api:
        case "osrm":
            return Osrm(settings.travel_profile)
        case "valhalla":
            return Valhalla(settings.travel_profile)


@asynccontextmanager
async def open_travel_times(settings: RouterSettings, registry: CollectorRegistry) -> AsyncIterator[TravelTimes]:
    """The travel times of one process; without an address they are none, and say so."""
    cache = TravelCache(settings.travel_cache_size, settings.travel_cache_hours * 3600)
    breaker, metrics = Breaker(FAILURES_BEFORE_REST, REST_S, longest_rest_s=REST_S), TravelMetrics(registry)
    timeout_s = settings.travel_timeout_ms / 1000
    if not settings.travel_url:
        yield TravelTimes(None, cache, breaker, metrics, timeout_s)
        return
    async with open_engine(settings.travel_url, interface_of(settings), settings.travel_connections) as engine:
        yield TravelTimes(engine, cache, breaker, metrics, timeout_s)
