"""Places of sites: rows of loads, then of days, each by site: always in one order, so that routers cannot deadlock."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from services.router.db import days, loads
from shared.postgres import Connection


class Place(NamedTuple):
    """What a site has a limited number of."""

    site_id: str
    day: date | None
    """None: for an open lead; else for a lead that is given on this day of the site's own."""


async def spend(connection: Connection, changes: Mapping[Place, int]) -> dict[Place, int]:
    """Take so many more of these places, or give them back; returns how many are taken then.

    A place of which neither is done (0) is locked, as the others are.
    """
    open_leads, today = _apart(changes)
    taken = _open(await loads.spend(connection, {site_id: changes[Place(site_id, None)] for site_id in open_leads}))
    if today:
        given = {site_id: changes[Place(site_id, day)] for site_id, day in today.items()}
        taken |= _of(today, await days.spend(connection, given, today))
    return taken


async def keep(connection: Connection, places: Collection[Place]) -> dict[Place, int]:
    """Lock these places, waiting for each; returns how many are taken."""
    open_leads, today = _apart(places)
    kept = _open(await loads.keep(connection, open_leads)) if open_leads else {}
    return kept | _of(today, await days.keep(connection, today)) if today else kept


async def keep_free(connection: Connection, places: Collection[Place]) -> dict[Place, int]:
    """Lock those of these places that nobody else has and that were taken from before, without waiting."""
    open_leads, today = _apart(places)
    kept = _open(await loads.keep_free(connection, open_leads)) if open_leads else {}
    return kept | _of(today, await days.keep_free(connection, today)) if today else kept


def _apart(places: Collection[Place]) -> tuple[list[str], dict[str, date]]:
    open_leads = [place.site_id for place in places if place.day is None]
    return open_leads, {place.site_id: place.day for place in places if place.day is not None}


def _open(counts: Mapping[str, int]) -> dict[Place, int]:
    return {Place(site_id, None): count for site_id, count in counts.items()}


def _of(today: Mapping[str, date], counts: Mapping[str, int]) -> dict[Place, int]:
    return {Place(site_id, today[site_id]): count for site_id, count in counts.items()}
