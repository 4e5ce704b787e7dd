"""WGS-84, GCJ-02 and BD-09: the three coordinate systems of points in China, converted exactly both ways.

GCJ-02 is WGS-84 moved by 300-700 m with the polynomial that all public implementations share (Krasovsky 1940 ellipsoid,
origin 35 N 105 E); BD-09 is GCJ-02 moved once more by up to 1 km. Neither has a closed inverse. The shift changes by
about a thousandth of the distance moved, so `w = g - shift(w)` gains three digits a step: three steps are within
0.2 mm for GCJ-02 and two within 0.01 mm for BD-09, where one step alone is up to 4.6 m off.
The formula itself is about 2 m (at most 10 m) from what map vendors answer; no better is possible without their data.

What is tagged wgs84 is never moved, wherever it lies. What is tagged gcj02 or bd09 is moved unless it is certainly
abroad: there the map vendors give plain WGS-84, and moving Seoul or Hanoi would put them half a kilometre off. A box
round China cannot tell, for it holds both; the boxes here hold only foreign land and sea, and the tag decides the rest.
"""

from math import atan2, cos, degrees, hypot, pi, radians, sin, sqrt
from typing import assert_never

from shared.vocabulary import Datum

SEMI_MAJOR_AXIS_M = 6378245.0
"""Krasovsky 1940. Copies with WGS-84's 6378137 differ by 5 mm."""
ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD = pi * 3000 / 180
_CHINA = (3.0, 73.0, 54.0, 135.5)
"""South, west, north, east in degrees: every point of China is inside, and what is outside is abroad."""
_ABROAD_WITHIN = (
    (3.0, 124.9, 39.5, 135.5),  # Korea, Kyushu: the border at Dandong is at 39.9 N, Chiwei Yu at 124.6 E
    (3.0, 73.0, 30.0, 80.5),  # Delhi, Mumbai: Ngari reaches down to 30.9 N here
    (3.0, 80.5, 21.0, 107.9),  # Bangkok, Yangon: Yunnan ends at 21.1 N
    (3.0, 103.0, 21.3, 107.5),  # Hanoi, Haiphong: Guangxi stays above 21.5 N here
    (43.5, 97.5, 54.0, 110.5),  # Ulaanbaatar: Inner Mongolia stays below 43 N here
)
"""Boxes without a point of China, each at least 10 km clear of the border."""
_NEAR_A_POLE = 85.0
_STEPS = 3
"""Fewer steps break the 1 mm round trip that network revisions and replays rely on."""


def to_wgs84(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """The WGS-84 point (lat, lon; degrees) of a point tagged `datum`; the same numbers where it is certainly abroad.

    Raises ValueError for GCJ-02 and BD-09 near a pole: no map service gives such a point, so the numbers are wrong.
    """
    if datum is Datum.WGS84:
        return lat, lon
    if abs(lat) > _NEAR_A_POLE:
        raise ValueError(f"a {datum} point this far from China has no WGS-84 position")
    if certainly_abroad(lat, lon):
        return lat, lon
    match datum:
        case Datum.GCJ02:
            return gcj02_to_wgs84(lat, lon)
        case Datum.BD09:
            return gcj02_to_wgs84(*bd09_to_gcj02(lat, lon))
        case _:
            assert_never(datum)


def from_wgs84(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """The numbers (lat, lon; degrees) that `datum` gives to a WGS-84 point.

    The way back meets it again, but for points within 2 km of the edge of a box that is abroad.
    """
    if datum is Datum.WGS84 or certainly_abroad(lat, lon):
        return lat, lon
    match datum:
        case Datum.GCJ02:
            return wgs84_to_gcj02(lat, lon)
        case Datum.BD09:
            return gcj02_to_bd09(*wgs84_to_gcj02(lat, lon))
        case _:
            assert_never(datum)


def certainly_abroad(lat: float, lon: float) -> bool:
    """Whether a point lies where China does not, whatever its datum; False says nothing."""
    return not _inside(_CHINA, lat, lon) or any(_inside(box, lat, lon) for box in _ABROAD_WITHIN)


def _inside(box: tuple[float, float, float, float], lat: float, lon: float) -> bool:
    south, west, north, east = box
    return south <= lat <= north and west <= lon <= east


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
