"""The nearest capable site by looking at all of them: a loop as everybody writes it first, and the same in numpy."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.router.domain import LeadFeatures
from services.router.policy import Policy
from services.router.sites import Site
from shared.vocabulary import Intent

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius: haversines know a sphere only."""


def by_loop(lead: LeadFeatures, sites: Sequence[Site], policy: Policy) -> str | None:
    """Site id of the nearest by haversine; None when no site may serve the lead."""
    if lead.point is None:
        return None
    rule = policy.intents[lead.intent]
    required, kinds = frozenset(rule.requires), frozenset(rule.kinds)
    best, best_m = None, math.inf
    for site in sites:
        if site.kind in kinds and required <= site.capabilities:
            metres = haversine_m(*lead.point, site.lat, site.lon)
            if metres < best_m:
                best, best_m = site.site_id, metres
    return best


def haversine_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Metres between two points in degrees, on a sphere."""
    lat_1, lat_2 = math.radians(lat), math.radians(other_lat)
    across = math.sin(math.radians(other_lon - lon) / 2)
    up = math.sin((lat_2 - lat_1) / 2)
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(up * up + math.cos(lat_1) * math.cos(lat_2) * across * across))


class BruteForce:
    """The same for all sites of a kind of work at once; which those are is worked out before."""

    def __init__(self, sites: Sequence[Site], policy: Policy) -> None:
        self._able: dict[Intent, tuple[list[str], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = {}
        for intent, rule in policy.intents.items():
            able = [site for site in sites if site.kind in rule.kinds and site.capabilities.issuperset(rule.requires)]
            lats, lons = np.radians([site.lat for site in able]), np.radians([site.lon for site in able])
            self._able[intent] = [site.site_id for site in able], lats, np.cos(lats), lons

    def nearest(self, lead: LeadFeatures) -> str | None:
        """Site id of the nearest by haversine; None when no site may serve the lead."""
        names, lats, cosines, lons = self._able[lead.intent]
        if lead.point is None or not names:
            return None
        lat, lon = np.radians(lead.point)
        # The haversine grows with the distance: without the arc sine the order is the same.
        squared = np.sin((lats - lat) / 2) ** 2 + np.cos(lat) * cosines * np.sin((lons - lon) / 2) ** 2
        return names[int(np.argmin(squared))]
