"""Water and other barriers: lines whose crossing costs a detour, for "nearest" as a person means it.

A straight line does not see a river or a bay; an operator who draws the water and says what its crossing costs puts
that right without a road map. Everything is decided from the policy's own lines, so a replay decides alike.
"""

from collections.abc import Sequence
from math import cos, radians
from typing import NamedTuple

Point = tuple[float, float]
"""Latitude and longitude in WGS-84 degrees."""

_MM_PER_DEGREE = 111_000_000
"""Of latitude, rounded down (110.6 km at the equator to 111.7 km at the poles): only ever makes a search box larger."""


class _Line(NamedTuple):
    points: tuple[Point, ...]
    south: float
    west: float
    north: float
    east: float
    detour_mm: int

    @property
    def middle(self) -> float:
        """The longitude half-way between its ends in the west and in the east."""
        return (self.west + self.east) / 2


class Barriers:
    """The barriers of one policy. A line costs its detour once, however often a way crosses it.

    Ways and lines are drawn straight in degrees, as a map draws them: over the few dozen kilometres in which sites
    compete, that differs from the ground by metres. A way may cross the 180th meridian, a line may not.
    """

    def __init__(self, lines: Sequence[tuple[Sequence[Point], int]]) -> None:
        """`lines`: the points of each, at least two, and the detour in mm that its crossing costs."""
        self._lines = [
            _Line(
                tuple(points),
                min(lat for lat, _ in points),
                min(lon for _, lon in points),
                max(lat for lat, _ in points),
                max(lon for _, lon in points),
                detour_mm,
            )
            for points, detour_mm in lines
        ]

    def __bool__(self) -> bool:
        return bool(self._lines)

    def within(self, point: Point, radius_mm: int) -> "Barriers":
        """Those that a way of at most this length from here could meet; most leads are near none."""
        lat, lon = point
        d_lat = 1.02 * radius_mm / _MM_PER_DEGREE
        d_lon = d_lat / max(0.01, cos(radians(min(89.0, abs(lat) + d_lat))))
        near = Barriers(())
        near._lines = [
            line
            for line in self._lines
            if line.south <= lat + d_lat
            and lat - d_lat <= line.north
            and line.west <= _beside(lon, line.middle) + d_lon
            and _beside(lon, line.middle) - d_lon <= line.east
        ]
        return near

    def detour_mm(self, start: Point, end: Point) -> int:
        """What the way from `start` to `end` costs beyond its straight length."""
        return sum(line.detour_mm for line in self._lines if _crosses(line, start, end))


def _beside(lon: float, other: float) -> float:
    """The same longitude, counted so that it is at most half a turn from the other."""
    return lon - 360 * round((lon - other) / 360)


def _crosses(line: _Line, start: Point, end: Point) -> bool:
    start = start[0], _beside(start[1], line.middle)
    end = end[0], _beside(end[1], start[1])
    if (
        min(start[0], end[0]) > line.north
        or max(start[0], end[0]) < line.south
        or min(start[1], end[1]) > line.east
        or max(start[1], end[1]) < line.west
    ):
        return False
    points = line.points
    return any(_meet(start, end, points[place], points[place + 1]) for place in range(len(points) - 1))


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments ab and cd cross: each one's ends lie on both sides of the other.

    An end that lies on the other segment is on no side of it: who stands on the line has not crossed it.
    """
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, p: Point) -> int:
    """1 when p lies left of the way from a to b, -1 right of it, 0 on it."""
    turn = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    return (turn > 0) - (turn < 0)
