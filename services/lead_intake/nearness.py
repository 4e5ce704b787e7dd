"""Places that are near each other: how far apart, and the one in the middle that says how uncertain it is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from shared.vocabulary import Accuracy

_MEAN_RADIUS_M = 6_371_008.8
"""IUGG mean radius; on a sphere distances are up to 0.6 % off, which no limit here notices."""

_FINEST_WITHIN_M = ((300.0, Accuracy.POINT), (10_000.0, Accuracy.DISTRICT), (30_000.0, Accuracy.CITY))
"""How fine a place may claim to be when what it stands for lies this far round it: a mall, a district, a city."""
_COARSENESS = tuple(Accuracy)


@dataclass(frozen=True, slots=True)
class Spot:
    """A WGS-84 point (degrees) and how well it is known."""

    lat: float
    lon: float
    accuracy: Accuracy


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Metres between two points along a sphere (haversine)."""
    up, across = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    chord = sin(up) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(across) ** 2
    return 2 * _MEAN_RADIUS_M * asin(min(1.0, sqrt(chord)))


def coarsest(*accuracies: Accuracy) -> Accuracy:
    """The one that claims least."""
    return max(accuracies, key=_COARSENESS.index)


def meet(spots: Sequence[Spot]) -> Spot | None:
    """One place for several: the middle, no finer than they lie apart. None when it would be larger than a city.

    Points on either side of the 180th meridian are far apart here: they stay ambiguous, which costs a person's look.
    """
    if not spots:
        return None
    lat = sum(spot.lat for spot in spots) / len(spots)
    lon = sum(spot.lon for spot in spots) / len(spots)
    radius_m = max(distance_m(lat, lon, spot.lat, spot.lon) for spot in spots)
    for within_m, finest in _FINEST_WITHIN_M:
        if radius_m <= within_m:
            return Spot(lat, lon, coarsest(finest, *(spot.accuracy for spot in spots)))
    return None
