"""Names for points, by the network's own cities and districts: the router knows no other list of places.

Near a site, whatever its status, a point is in the site's district. Farther off the district says nothing: there the
point is named by direction and rounded distance from the nearest site's city; points of one such sector are one place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.geo import ecef_m, surface_mm
from services.router.sites import Site

DISTRICT_REACH_KM = 30
"""How far from a site its district still names a point: about the radius of an outer district."""
SECTOR_KM = 50
"""Depth of a sector beyond that."""
_DIRECTIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


class Place(NamedTuple):
    """Where something is, in words; places sort by their words."""

    city: str
    district: str
    beyond_km: int | None = None
    """Middle of the sector that it is in, from the city's nearest site; None: it is in the district."""
    direction: str = ""

    @property
    def label(self) -> str:
        """The place as people say it."""
        if self.beyond_km is not None:
            return f"about {self.beyond_km} km {self.direction} of {self.city}"
        return f"{self.city} {self.district}".strip()


NO_NETWORK = Place("no site in the network", "")


def places_of(lat_lon: NDArray[np.float64], sites: Sequence[Site]) -> list[Place]:
    """The place of each WGS-84 point (n, 2) in degrees, by the nearest of `sites`."""
    if not sites:
        return [NO_NETWORK] * len(lat_lon)
    # Imported here, like the snapshot's: an order needs no places.
    from scipy.spatial import cKDTree

    # Sites of one mall are equally near: the order of ids makes the choice the same every time.
    ordered = sorted(sites, key=lambda site: site.site_id)
    at = np.array([(site.lat, site.lon) for site in ordered])
    chords_m, found = cKDTree(ecef_m(at[:, 0], at[:, 1])).query(ecef_m(lat_lon[:, 0], lat_lon[:, 1]))
    away_km = surface_mm(chords_m) / 1e6
    bearings = _bearing_deg(at[found], lat_lon)
    return [
        _place(ordered[index], float(km), float(bearing))
        for index, km, bearing in zip(np.atleast_1d(found), away_km, bearings, strict=True)
    ]


def _place(site: Site, away_km: float, bearing_deg: float) -> Place:
    if away_km <= DISTRICT_REACH_KM:
        return Place(site.city, site.district)
    beyond_km = max(SECTOR_KM, SECTOR_KM * round(away_km / SECTOR_KM))
    return Place(site.city, "", beyond_km, _DIRECTIONS[round(bearing_deg / 45) % 8])


def _bearing_deg(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direction of the great circle from each start to each end, degrees clockwise from north."""
    lat1, lon1 = np.radians(start).T
    lat2, lon2 = np.radians(end).T
    east = np.sin(lon2 - lon1) * np.cos(lat2)
    north = np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(lon2 - lon1)
    return np.asarray(np.degrees(np.arctan2(east, north)) % 360)
