"""The marks of a map as plain numbers, for a template to draw: no tiles, no outlines, only the network and its demand.

Longitudes are shrunk by the cosine of the middle latitude (equirectangular projection with that standard parallel;
Snyder, "Map Projections: A Working Manual", USGS 1395, chapter 12): distances are right along both axes there.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.router.gaps import wording
from services.router.gaps.demand import Entry
from services.router.gaps.report import Report
from services.router.gaps.suggestions import Suggestion
from services.router.sites import Site
from shared.vocabulary import SiteStatus

WIDTH, HEIGHT = 960, 560
_MARGIN = 48
_KM_PER_DEGREE = 111.2
_LEAST_KM = 6.0
"""Half the least height of a map: one lead alone must not fill it with its rounding."""
_CELL_PX = 14
"""Demand so close together is one circle: a circle a lead would be a page of megabytes."""
_LEAST_RADIUS_PX, _MOST_RADIUS_PX = 5, 18
_STEPS = (1, 2, 5)


class Mark(NamedTuple):
    """Something at a point of the drawing, in pixels, with the words that a reader hears."""

    x: float
    y: float
    title: str
    size: float = 0
    """Radius of a circle."""
    text: str = ""
    """Written beside it, or in it."""
    is_open: bool = True


class Line(NamedTuple):
    """A line of the graticule, at `x` (a meridian) or `y` (a parallel), and its degrees."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One map."""

    title: str
    description: str
    meridians: list[Line]
    parallels: list[Line]
    sites: list[Mark]
    names: list[Mark]
    demand: list[Mark]
    suggested: list[Mark]
    scale_px: float
    scale_label: str


def overview(report: Report) -> Chart:
    """The whole demand with the sites that could serve it."""
    points = [(one.lat, one.lon) for one in report.demand.entries()]
    points += [(one.lat, one.lon) for one in report.suggestions]
    points += [(site.lat, site.lon) for site in report.sites]
    return _draw(
        report, _Frame.around(points), "The network and its unmet demand", [site.city for site in report.sites]
    )


def detail(report: Report, rank: int) -> Chart:
    """The surroundings of the suggestion of this rank, counted from 1."""
    one = report.suggestions[rank - 1]
    # What it serves lies within a few times the mean; the tail is on the overview.
    km = max(_LEAST_KM, 2.5 * one.mean_km_after)
    height = km / _KM_PER_DEGREE
    width = height / max(0.01, math.cos(math.radians(one.lat)))
    corners = [(one.lat - height, one.lon - width), (one.lat + height, one.lon + width)]
    names = [f"{site.city} {site.district}".strip() for site in report.sites]
    return _draw(report, _Frame.around(corners), f"Around suggestion {rank}: {one.place.label}", names)


@dataclass(frozen=True)
class _Frame:
    lat: float
    lon: float
    px_per_km: float

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]]) -> "_Frame":
        lats, lons = [lat for lat, _ in points], [lon for _, lon in points]
        lat, lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
        tall = max((max(lats) - min(lats)) * _KM_PER_DEGREE, 2 * _LEAST_KM)
        wide = max((max(lons) - min(lons)) * _KM_PER_DEGREE * _shrink(lat), 2 * _LEAST_KM)
        return cls(lat, lon, min((HEIGHT - 2 * _MARGIN) / tall, (WIDTH - 2 * _MARGIN) / wide))

    def x(self, lon: float) -> float:
        return round(WIDTH / 2 + (lon - self.lon) * _KM_PER_DEGREE * _shrink(self.lat) * self.px_per_km, 1)

    def y(self, lat: float) -> float:
        return round(HEIGHT / 2 - (lat - self.lat) * _KM_PER_DEGREE * self.px_per_km, 1)

    def holds(self, lat: float, lon: float) -> bool:
        return 0 <= self.x(lon) <= WIDTH and 0 <= self.y(lat) <= HEIGHT


def _draw(report: Report, frame: _Frame, title: str, names: Sequence[str]) -> Chart:
    seen = [site for site in report.sites if frame.holds(site.lat, site.lon)]
    demand = _demand([one for one in report.demand.entries() if frame.holds(one.lat, one.lon)], frame)
    suggested = [
        _suggested(one, rank, frame)
        for rank, one in enumerate(report.suggestions, start=1)
        if frame.holds(one.lat, one.lon)
    ]
    scale_km = _round_below(WIDTH / 4 / frame.px_per_km)
    return Chart(
        title,
        f"{wording.leads(int(sum(mark.size for mark in demand)))} of unmet demand, {len(seen)} capable sites "
        f"and {len(suggested)} suggested places; the tables below have the same figures.",
        _meridians(frame),
        _parallels(frame),
        [_site(site, frame) for site in seen],
        _names(zip(report.sites, names, strict=True), frame),
        [mark._replace(size=_radius_px(mark.size)) for mark in demand],
        suggested,
        round(scale_km * frame.px_per_km, 1),
        f"{scale_km:g} km",
    )


def _radius_px(leads: float) -> float:
    """The area grows with the leads, as far as circles leave each other room."""
    return round(min(_MOST_RADIUS_PX, _LEAST_RADIUS_PX * math.sqrt(leads)), 1)


def _demand(entries: Iterable[Entry], frame: _Frame) -> list[Mark]:
    """One mark a cell, at the mean of its leads, `size` their number; the largest first, so that small ones show."""
    cells: dict[tuple[int, int], list[Entry]] = {}
    for one in entries:
        cell = (int(frame.x(one.lon) // _CELL_PX), int(frame.y(one.lat) // _CELL_PX))
        cells.setdefault(cell, []).append(one)
    marks = [_cell(cell, frame) for cell in cells.values()]
    return sorted(marks, key=lambda mark: (-mark.size, mark.x, mark.y))


def _cell(entries: Sequence[Entry], frame: _Frame) -> Mark:
    number = sum(one.unmet.leads for one in entries)
    heaviest = max(entries, key=lambda one: one.unmet.leads)
    away = [one.nearest_km for one in entries if one.nearest_km is not None]
    nearest = f"nearest capable site {wording.kilometres(min(away))}" if away else "no capable site is open"
    return Mark(
        round(sum(frame.x(one.lon) * one.unmet.leads for one in entries) / number, 1),
        round(sum(frame.y(one.lat) * one.unmet.leads for one in entries) / number, 1),
        f"{heaviest.place.label}: {wording.leads(number)}, {nearest}",
        number,
    )


def _suggested(one: Suggestion, rank: int, frame: _Frame) -> Mark:
    title = f"Suggestion {rank}, {one.place.label}: {wording.leads(one.leads)} would gain"
    return Mark(frame.x(one.lon), frame.y(one.lat), title, text=str(rank))


def _site(site: Site, frame: _Frame) -> Mark:
    return Mark(frame.x(site.lon), frame.y(site.lat), wording.site(site), is_open=site.status is SiteStatus.OPEN)


def _names(named: Iterable[tuple[Site, str]], frame: _Frame) -> list[Mark]:
    """Each name once, at the middle of its sites; a name that would cover another is left out."""
    points: dict[str, list[tuple[float, float]]] = {}
    for site, name in named:
        if frame.holds(site.lat, site.lon):
            points.setdefault(name, []).append((frame.x(site.lon), frame.y(site.lat)))
    placed: list[Mark] = []
    for name, at in sorted(points.items(), key=lambda item: (-len(item[1]), item[0])):
        x, y = sum(x for x, _ in at) / len(at), sum(y for _, y in at) / len(at) + 18
        # About the width of a letter at the page's size; a Chinese character takes two.
        half = sum(12 if ord(letter) > 0x2E80 else 6.5 for letter in name) / 2
        x = min(max(x, half + 4), WIDTH - half - 4)
        if all(abs(x - other.x) > half + other.size or abs(y - other.y) > 15 for other in placed):
            placed.append(Mark(round(x, 1), round(min(y, HEIGHT - 20), 1), name, half, name))
    return placed


def _meridians(frame: _Frame) -> list[Line]:
    half = WIDTH / 2 / frame.px_per_km / _KM_PER_DEGREE / _shrink(frame.lat)
    return [Line(frame.x(lon), _degrees(lon, "E", "W")) for lon in _ticks(frame.lon - half, frame.lon + half)]


def _parallels(frame: _Frame) -> list[Line]:
    half = HEIGHT / 2 / frame.px_per_km / _KM_PER_DEGREE
    return [Line(frame.y(lat), _degrees(lat, "N", "S")) for lat in _ticks(frame.lat - half, frame.lat + half)]


def _ticks(start: float, end: float) -> list[float]:
    step = _round_below((end - start) / 3)
    return [number * step for number in range(math.ceil(start / step), math.floor(end / step) + 1)]


def _round_below(value: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in _STEPS if step * power <= value * (1 + 1e-9))


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(round(value, 4)):g}°{positive if value >= 0 else negative}"


def _shrink(lat: float) -> float:
    return max(0.01, math.cos(math.radians(lat)))
