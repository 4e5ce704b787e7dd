"""Points that are none: what fields, maps and forms hold when nobody gave a position, and pairs in the wrong order."""

from shared.datum import certainly_abroad

NO_POSITION = "0 for lat or lon, a point in the sea at 0, 0, and a pole mean 'no position'; give the real one"
"""What a person is told who may correct it."""
SWAPPED = "lat and lon look swapped"

_EMPTY_SEA_DEGREES = 1.1
"""Nothing but sea is that near to 0 N 0 E: dummies such as 0.0001, -1 and 1 lie there, and maps' shifts of 0."""
_UNTOUCHED_DEGREES = 1e-6
"""A tenth of a metre. A coordinate this near to zero beside a real one is a field that was never filled in."""
_NEAR_A_POLE_DEGREES = 85.0
_A_POLE_DEGREES = 90.0
"""Nobody is reached at a pole; 90, 180 and -90, -180 are what fields are filled with."""


def no_position(lat: float, lon: float) -> bool:
    """Whether a point (degrees, of any datum) is what an empty field becomes, and nobody's place."""
    if max(abs(lat), abs(lon)) <= _EMPTY_SEA_DEGREES or abs(lat) == _A_POLE_DEGREES:
        return True
    return min(abs(lat), abs(lon)) < _UNTOUCHED_DEGREES and abs(lat) <= _NEAR_A_POLE_DEGREES


def look_swapped(lat: float, lon: float) -> bool:
    """Whether the numbers are no point of China, and would be one in the other order; or no point at all but so."""
    if abs(lat) > 90:
        return abs(lat) <= 180 and abs(lon) <= 90
    return certainly_abroad(lat, lon) and not certainly_abroad(lon, lat)


def is_point(lat: float, lon: float) -> bool:
    """Whether the numbers are somewhere on earth where a person may be."""
    return abs(lat) <= 90 and abs(lon) <= 180 and not no_position(lat, lon)
