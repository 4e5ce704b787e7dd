"""A network in which a few sites take most leads until they are full, and the leads that go there."""

from dataclasses import replace

import numpy as np

from benchmarks.workload import Lead, leads_at, make_leads, make_sites
from services.router.sites import Site
from shared.vocabulary import SiteKind

HOT_SITES = 24
HOT_SHARE = 0.8
"""Of the leads."""
HOT_SPREAD_DEG = 0.002
"""About 200 m: the site there is the nearest to nearly every one."""
LEAST_FULL, MOST_FULL = 0.1, 0.9
"""The limits, as shares of the leads that come to a hot site: spread, so that one site after another fills."""
COMES_AGAIN_EVERY, BEFORE = 100, 5
"""One lead in so many is of the person of the lead this many before, for the same thing."""


def hot_network(site_count: int, lead_count: int) -> list[Site]:
    """Sites of which the first delivery centers are hot: by turns with a limit of open leads and of a day's leads."""
    sites = make_sites(site_count)
    for place, index in enumerate(hot_indexes(sites)):
        share = LEAST_FULL + (MOST_FULL - LEAST_FULL) * place / (HOT_SITES - 1)
        limit = max(1, round(share * lead_count * HOT_SHARE / HOT_SITES))
        if place % 2:
            sites[index] = replace(sites[index], daily_lead_limit=limit)
        else:
            sites[index] = replace(sites[index], open_lead_limit=limit)
    return sites


def hot_leads(sites: list[Site], count: int, seed: int = 13) -> list[Lead]:
    """Leads at the hot sites, and the rest in all cities; one in a hundred is of a person who came before."""
    rng = np.random.default_rng(seed)
    hot = hot_indexes(sites)
    is_hot = rng.random(count) < HOT_SHARE
    near = np.array([[sites[index].lat, sites[index].lon] for index in hot])[rng.integers(len(hot), size=count)]
    near += rng.normal(0, HOT_SPREAD_DEG, (count, 2))
    anywhere = np.array([[lead.lat, lead.lon] for lead in make_leads(count, seed)])
    points = np.where(is_hot[:, None], near, anywhere).round(4)
    persons = [
        number - BEFORE if number % COMES_AGAIN_EVERY == COMES_AGAIN_EVERY - 1 else number for number in range(count)
    ]
    return leads_at(points.tolist(), persons, seed)


def hot_indexes(sites: list[Site]) -> list[int]:
    """Places in `sites` of the hot ones: delivery centers can do every work, so no lead passes them by."""
    centers = [place for place, site in enumerate(sites) if site.kind is SiteKind.DELIVERY_CENTER]
    return centers[:HOT_SITES]
