"""WGS-84, GCJ-02 and BD-09: the three coordinate systems of points in China, converted exactly both ways.

GCJ-02 is WGS-84 moved by 300-700 m with the polynomial that all public implementations share (Krasovsky 1940 ellipsoid,
origin 35 N 105 E); BD-09 is GCJ-02 moved once more by up to 1 km. Neither has a closed inverse. The shift changes by
about a thousandth of the distance moved, so `w = g - shift(w)` gains three digits a step: three steps are within
0.2 mm for GCJ-02 and two within 0.01 mm for BD-09, where one step alone is up to 4.6 m off.
The formula itself is about 2 m (at most 10 m) from what map vendors answer; no better is possible without their data.

Only the datum that a point is tagged with decides. A box round China would shift Seoul and Hanoi by half a kilometre,
so there is none: what is tagged wgs84 is never moved, wherever it lies.
"""

from math import atan2, cos, degrees, hypot, pi, radians, sin, sqrt
from typing import assert_never

from shared.vocabulary import Datum

SEMI_MAJOR_AXIS_M = 6378245.0
"""Krasovsky 1940. Copies with WGS-84's 6378137 differ by 5 mm."""
ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD = pi * 3000 / 180
_STEPS = 3
"""Fewer steps break the 1 mm round trip that network revisions and replays rely on."""


def to_wgs84(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """The WGS-84 point (lat, lon; degrees) of a point tagged `datum`.

    Raises ValueError when the result is no point on earth: GCJ-02 and BD-09 mean nothing near the poles.
    """
    match datum:
        case Datum.WGS84:
            return lat, lon
        case Datum.GCJ02:
            point = gcj02_to_wgs84(lat, lon)
        case Datum.BD09:
            point = gcj02_to_wgs84(*bd09_to_gcj02(lat, lon))
        case _:
            assert_never(datum)
    if not (abs(point[0]) <= 90 and abs(point[1]) <= 180):
        raise ValueError(f"a {datum} point this far from China has no WGS-84 position")
    return point


def from_wgs84(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """The numbers (lat, lon; degrees) that `datum` gives to a WGS-84 point."""
    match datum:
        case Datum.WGS84:
            return lat, lon
        case Datum.GCJ02:
            return wgs84_to_gcj02(lat, lon)
        case Datum.BD09:
            return gcj02_to_bd09(*wgs84_to_gcj02(lat, lon))
        case _:
            assert_never(datum)


def wgs84_to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Forward by the published polynomial."""
    d_lat, d_lon = _shift(lat, lon)
    return lat + d_lat, lon + d_lon


def gcj02_to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """Inverse by a fixed point, within 0.2 mm of exact."""
    wgs_lat, wgs_lon = lat, lon
    for _ in range(_STEPS):
        d_lat, d_lon = _shift(wgs_lat, wgs_lon)
        wgs_lat, wgs_lon = lat - d_lat, lon - d_lon
    return wgs_lat, wgs_lon


def gcj02_to_bd09(lat: float, lon: float) -> tuple[float, float]:
    """Forward by the published formula: a small wave on radius and angle, then an offset."""
    radius = hypot(lon, lat) + 2e-5 * sin(lat * _BD)
    angle = atan2(lat, lon) + 3e-6 * cos(lon * _BD)
    return radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065


def bd09_to_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Inverse by a fixed point; without it the common one-step inverse is 15 cm off."""
    gcj_lat, gcj_lon = lat - 0.006, lon - 0.0065
    for _ in range(_STEPS):
        bd_lat, bd_lon = gcj02_to_bd09(gcj_lat, gcj_lon)
        gcj_lat, gcj_lon = gcj_lat + (lat - bd_lat), gcj_lon + (lon - bd_lon)
    return gcj_lat, gcj_lon


def _shift(lat: float, lon: float) -> tuple[float, float]:
    """How far GCJ-02 moves a WGS-84 point: degrees of latitude and longitude."""
    x, y = lon - 105.0, lat - 35.0
    root = 0.1 * sqrt(abs(x))
    wave = 20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 2 * root
    north_m += (
        (wave + 20 * sin(y * pi) + 40 * sin(y / 3 * pi) + 160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi)) * 2 / 3
    )
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + root
    east_m += (wave + 20 * sin(x * pi) + 40 * sin(x / 3 * pi) + 150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    sin_lat = sin(radians(lat))
    curve = 1 - ECCENTRICITY_SQUARED * sin_lat * sin_lat
    meridian_m = SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) / curve**1.5
    parallel_m = SEMI_MAJOR_AXIS_M / sqrt(curve) * cos(radians(lat))
    return degrees(north_m / meridian_m), degrees(east_m / parallel_m)
