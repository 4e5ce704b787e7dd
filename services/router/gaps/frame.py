"""The projection of a map and its graticule.

Longitudes are shrunk by the cosine of the middle latitude (equirectangular projection with that standard parallel;
Snyder, "Map Projections: A Working Manual", USGS 1395, chapter 12): distances are right along both axes there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH, HEIGHT = 960, 560
"""Of every map, in pixels."""
LEAST_KM = 6.0
"""Half the least height of a map: one lead alone must not fill it with its rounding."""
KM_PER_DEGREE = 111.2
"""Of latitude."""
_MARGIN = 48
_STEPS = (1, 2, 5)


class Line(NamedTuple):
    """A line of the graticule, at `x` (a meridian) or `y` (a parallel), and its degrees."""

    at: float
    label: str


@dataclass(frozen=True)
class Frame:
    """What a map shows: its middle, and how large a kilometre is."""

    lat: float
    lon: float
    px_per_km: float

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]]) -> "Frame":
        """The frame that holds all points (latitude, longitude), with a margin."""
        lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
        lat, lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
        tall = max((max(lats) - min(lats)) * KM_PER_DEGREE, 2 * LEAST_KM)
        wide = max((max(lons) - min(lons)) * KM_PER_DEGREE * shrink(lat), 2 * LEAST_KM)
        return cls(lat, lon, min((HEIGHT - 2 * _MARGIN) / tall, (WIDTH - 2 * _MARGIN) / wide))

    def x(self, lon: float) -> float:
        """Pixels from the left."""
        return round(WIDTH / 2 + (lon - self.lon) * KM_PER_DEGREE * shrink(self.lat) * self.px_per_km, 1)

    def y(self, lat: float) -> float:
        """Pixels from the top."""
        return round(HEIGHT / 2 - (lat - self.lat) * KM_PER_DEGREE * self.px_per_km, 1)

    def holds(self, lat: float, lon: float) -> bool:
        """Whether the point is on the map."""
        return 0 <= self.x(lon) <= WIDTH and 0 <= self.y(lat) <= HEIGHT


def meridians(frame: Frame) -> list[Line]:
    """Lines of round longitudes."""
    half = WIDTH / 2 / frame.px_per_km / KM_PER_DEGREE / shrink(frame.lat)
    return [Line(frame.x(lon), _degrees(lon, "E", "W")) for lon in _ticks(frame.lon - half, frame.lon + half)]


def parallels(frame: Frame) -> list[Line]:
    """Lines of round latitudes."""
    half = HEIGHT / 2 / frame.px_per_km / KM_PER_DEGREE
    return [Line(frame.y(lat), _degrees(lat, "N", "S")) for lat in _ticks(frame.lat - half, frame.lat + half)]


def _ticks(start: float, end: float) -> list[float]:
    step = round_below((end - start) / 3)
    return [number * step for number in range(math.ceil(start / step), math.floor(end / step) + 1)]


def round_below(value: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in _STEPS if step * power <= value * (1 + 1e-9))


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(round(value, 4)):g}°{positive if value >= 0 else negative}"


def shrink(lat: float) -> float:
    """How much shorter a degree of longitude is here than one of latitude."""
    return max(0.01, math.cos(math.radians(lat)))
