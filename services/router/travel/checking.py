"""Whether the engine of travel times answers, for `waypost doctor`."""

import asyncio

import asyncpg

from services.router.barriers import Point
from services.router.db import network as db
from services.router.network import sites_of
from services.router.settings import RouterSettings
from services.router.travel.answer import NoTimes
from services.router.travel.client import open_engine
from services.router.travel.opening import interface_of
from shared.contracts import WhyDistance
from shared.postgres import PostgresUnavailable, acquire, open_pool
from shared.vocabulary import SiteStatus

PATIENCE_S = 5.0
# Two ends of a street in Suzhou, while there is no network to take sites from.
_SOMEWHERE: tuple[tuple[str, Point], ...] = (("here", (31.2989, 120.5853)), ("there", (31.3110, 120.5960)))

_WHAT_TO_DO = {
    WhyDistance.UNAVAILABLE: "start it, or correct WAYPOST_TRAVEL_URL",
    WhyDistance.REFUSED: "correct WAYPOST_TRAVEL_API and WAYPOST_TRAVEL_PROFILE, or its limits",
    WhyDistance.UNREADABLE: "is WAYPOST_TRAVEL_API right for it?",
}


async def check_travel(settings: RouterSettings) -> list[str]:
    """What is wrong with the engine that the settings name: asked for the way between two open sites of the network."""
    (name, start), (other, end) = await _two_sites(settings)
    try:
        async with (
            open_engine(settings.travel_url, interface_of(settings), 1) as engine,
            asyncio.timeout(PATIENCE_S),
        ):
            [[seconds]] = await engine.seconds([start], [end])
    except TimeoutError:
        return [f"the engine gave no travel time within {PATIENCE_S:g} s: start it, or correct WAYPOST_TRAVEL_URL"]
    except NoTimes as error:
        detail = f" ({error.detail})" if error.detail else ""
        return [
            f"the engine gave no travel time: {error.why.value}{detail}: {_WHAT_TO_DO.get(error.why, 'see its log')}"
        ]
    if seconds is None:
        return [f"the engine knows no way from {name} to {other}: was it given the map of this region?"]
    return []


async def _two_sites(settings: RouterSettings) -> tuple[tuple[str, Point], ...]:
    """The ids and points of two open sites of one city; of one site twice when no city has two."""
    try:
        async with open_pool(settings, "router", max_size=1) as pool, acquire(pool) as connection:
            sites = [site for site in sites_of(await db.revision(connection)) if site.status is SiteStatus.OPEN]
    except (PostgresUnavailable, asyncpg.PostgresError, OSError):
        # That PostgreSQL is away, or has no tables yet, is for other checks to say.
        return _SOMEWHERE
    by_city: dict[str, list[tuple[str, Point]]] = {}
    for site in sites:
        together = by_city.setdefault(site.city, [])
        together.append((site.site_id, (site.lat, site.lon)))
        if len(together) == 2:
            return tuple(together)
    return next((tuple(alone * 2) for alone in by_city.values()), _SOMEWHERE)
