"""What a map shows, as numbers."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.gaps.chart import Chart, detail, overview
from services.router.gaps.frame import HEIGHT, WIDTH
from shared.points import no_position
from tests.services.router.gaps.builders import HEFEI, STORE, SUZHOU, named, report, unmet

# 0, 0 is no place of a lead.
POINT = st.tuples(st.floats(-80, 80), st.floats(-179, 179)).filter(lambda point: not no_position(*point))


def largest(chart: Chart) -> float:
    return max(mark.size for mark in chart.demand)


@given(st.lists(POINT, min_size=1, max_size=8))
def test_wherever_the_demand_is_all_of_it_is_on_the_map(points: list[tuple[float, float]]) -> None:
    told = report(*[unmet(lat, lon) for lat, lon in points], sites=[STORE])
    chart = overview(told)
    marks = [*chart.demand, *chart.sites, *chart.suggested]
    assert chart.suggested
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in marks)
    assert 1 <= len(chart.meridians) <= 12
    assert 1 <= len(chart.parallels) <= 12
    assert detail(told, 1).demand


def test_the_scale_is_as_long_as_it_says() -> None:
    # Two points a degree of latitude apart are 111 km apart, so many pixels too.
    chart = overview(report(unmet(31.0, 120.0), unmet(32.0, 120.0), sites=[]))
    south, north = sorted(chart.demand, key=lambda mark: -mark.y)
    kilometres = float(chart.scale_label.removesuffix(" km"))
    assert (south.y - north.y) / 111.2 * kilometres == pytest.approx(chart.scale_px, rel=0.01)


def test_more_leads_are_a_larger_circle_and_no_crowd_covers_the_map() -> None:
    chart = overview(report(unmet(31.0, 120.0, 1), unmet(31.5, 120.5, 4), sites=[]))
    four, one = chart.demand
    assert (one.size, four.size) == (5, 10)
    assert largest(overview(report(unmet(31.0, 120.0, 100_000)))) == 18


def test_no_name_covers_another_or_a_pin() -> None:
    crowd = [
        named(replace(STORE, site_id=f"s{number}", lat=31.3 + number / 500), "Store", "Suzhou", f"District {number}")
        for number in range(20)
    ]
    chart = detail(report(*SUZHOU, sites=crowd), 1)
    assert 1 <= len(chart.names) < 20
    assert all(abs(one.y - two.y) >= 14 or abs(one.x - two.x) > 60 for one, two in combinations(chart.names, 2))
    [pin] = chart.suggested
    assert all(name.y > pin.y or name.y < pin.y - 36 or abs(name.x - pin.x) > 60 for name in chart.names)


def test_a_site_that_is_not_open_yet_looks_otherwise() -> None:
    assert sorted(mark.is_open for mark in overview(report(*HEFEI)).sites) == [False, True, True]
