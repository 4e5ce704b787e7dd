"""The marks of a map as plain numbers, for a template to draw: no tiles, no outlines, only network and demand."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.router.gaps import wording
from services.router.gaps.demand import Entry
from services.router.gaps.frame import (
    HEIGHT,
    KM_PER_DEGREE,
    LEAST_KM,
    WIDTH,
    Frame,
    Line,
    meridians,
    parallels,
    round_below,
    shrink,
)
from services.router.gaps.report import Report
from services.router.gaps.suggestions import Suggestion
from services.router.sites import Site
from shared.vocabulary import SiteStatus
from shared.words import counted

_CELL_PX = 14
"""Demand so close together is one circle: a circle a lead would be a page of megabytes."""
_ONE_LEAD_PX, _LEAST_PX, _MOST_PX = 5.0, 2.5, 18.0
"""Radius of a circle for one lead, and of the smallest and largest of a map: they must leave each other room."""
_PIN_PX = 36


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
    return _draw(report, Frame.around(points), "The network and its unmet demand", [site.city for site in report.sites])


def detail(report: Report, rank: int) -> Chart:
    """The surroundings of the suggestion of this rank, counted from 1."""
    one = report.suggestions[rank - 1]
    # What it serves lies within a few times the mean; the tail is on the overview.
    km = max(LEAST_KM, 2.5 * one.mean_km_after)
    height = km / KM_PER_DEGREE
    width = height / shrink(one.lat)
    corners = [(one.lat - height, one.lon - width), (one.lat + height, one.lon + width)]
    names = [f"{site.city} {site.district}".strip() for site in report.sites]
    return _draw(report, Frame.around(corners), f"Around suggestion {rank}: {one.place.label}", names)


def _draw(report: Report, frame: Frame, title: str, names: Sequence[str]) -> Chart:
    seen = [site for site in report.sites if frame.holds(site.lat, site.lon)]
    demand = _demand([one for one in report.demand.entries() if frame.holds(one.lat, one.lon)], frame)
    suggested = [
        _suggested(one, rank, frame)
        for rank, one in enumerate(report.suggestions, start=1)
        if frame.holds(one.lat, one.lon)
    ]
    scale_km = round_below(WIDTH / 4 / frame.px_per_km)
    return Chart(
        title,
        f"{wording.leads(int(sum(mark.size for mark in demand)))} of unmet demand, "
        f"{counted(len(seen), 'capable site')} and {counted(len(suggested), 'suggested place')}; "
        "the tables below have the same figures.",
        meridians(frame),
        parallels(frame),
        [_site(site, frame) for site in seen],
        _names(zip(report.sites, names, strict=True), frame, suggested),
        _sized(demand),
        suggested,
        round(scale_km * frame.px_per_km, 1),
        f"{scale_km:g} km",
    )


def _sized(demand: Sequence[Mark]) -> list[Mark]:
    """The marks with radii for leads: areas grow with the leads, the smallest excepted."""
    largest = max((mark.size for mark in demand), default=1)
    one_lead_px = min(_ONE_LEAD_PX, _MOST_PX / math.sqrt(largest))
    return [mark._replace(size=round(max(_LEAST_PX, one_lead_px * math.sqrt(mark.size)), 1)) for mark in demand]


def _demand(entries: Iterable[Entry], frame: Frame) -> list[Mark]:
    """One mark a cell, at the mean of its leads, `size` their number; the largest first, so that small ones show."""
    cells: dict[tuple[int, int], list[Entry]] = {}
    for one in entries:
        cell = (int(frame.x(one.lon) // _CELL_PX), int(frame.y(one.lat) // _CELL_PX))
        cells.setdefault(cell, []).append(one)
    marks = [_cell(cell, frame) for cell in cells.values()]
    return sorted(marks, key=lambda mark: (-mark.size, mark.x, mark.y))


def _cell(entries: Sequence[Entry], frame: Frame) -> Mark:
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


def _suggested(one: Suggestion, rank: int, frame: Frame) -> Mark:
    title = f"Suggestion {rank}, {one.place.label}: {wording.leads(one.leads)} would gain"
    return Mark(frame.x(one.lon), frame.y(one.lat), title, text=str(rank))


def _site(site: Site, frame: Frame) -> Mark:
    return Mark(frame.x(site.lon), frame.y(site.lat), wording.site(site), is_open=site.status is SiteStatus.OPEN)


def _names(named: Iterable[tuple[Site, str]], frame: Frame, pins: Sequence[Mark]) -> list[Mark]:
    """Each name once, under or over the middle of its sites; one that would cover a name or a pin is left out."""
    points: dict[str, list[tuple[float, float]]] = {}
    for site, name in named:
        if frame.holds(site.lat, site.lon):
            points.setdefault(name, []).append((frame.x(site.lon), frame.y(site.lat)))
    taken = [_Box(pin.x, pin.y - _PIN_PX / 2, 13, _PIN_PX / 2) for pin in pins]
    placed: list[Mark] = []
    for name, at in sorted(points.items(), key=lambda item: (-len(item[1]), item[0])):
        x, y = sum(x for x, _ in at) / len(at), sum(y for _, y in at) / len(at)
        # About the width of a letter at the page's size; a Chinese character takes two.
        half = sum(12 if ord(letter) > 0x2E80 else 6.5 for letter in name) / 2
        x = min(max(x, half + 4), WIDTH - half - 4)
        for line in (min(y + 18, HEIGHT - 20), max(y - 10, 14)):
            box = _Box(x, line - 5, half, 7)
            if not any(box.covers(other) for other in taken):
                taken.append(box)
                placed.append(Mark(round(x, 1), round(line, 1), name, text=name))
                break
    return placed


class _Box(NamedTuple):
    x: float
    y: float
    half_width: float
    half_height: float

    def covers(self, other: "_Box") -> bool:
        return (
            abs(self.x - other.x) < self.half_width + other.half_width
            and abs(self.y - other.y) < self.half_height + other.half_height
        )
