"""Lines whose crossing costs a detour: what counts as crossing, and that a search box never hides one."""

from hypothesis import given
from hypothesis import strategies as st

from services.router.barriers import Barriers, Point
from services.router.geo import ecef_m, surface_mm

RIVER = [(30.0, 119.0), (30.0, 121.0)]
ISLAND = [(24.4, 118.0), (24.4, 118.2), (24.6, 118.2), (24.6, 118.0), (24.4, 118.0)]
KM = 1_000_000

# Degrees in steps of two thousandths: ends that lie on a line, and lines that share a point, do happen.
_POINT = st.tuples(
    st.integers(14_950, 15_050).map(lambda step: step * 0.002),
    st.integers(59_950, 60_050).map(lambda step: step * 0.002) | st.sampled_from([-180.0, -179.98, 179.97, 180.0]),
)
# A line may not cross the 180th meridian: all of its points lie on one side of it.
_SIDE = st.lists(_POINT.filter(lambda point: point[1] > 0), min_size=2, max_size=5)
_LINES = st.lists(st.tuples(_SIDE, st.integers(1, 50 * KM)), max_size=4)


def test_a_way_over_the_river_costs_its_detour_and_one_along_it_does_not() -> None:
    barriers = Barriers([(RIVER, 7 * KM)])
    assert barriers.detour_mm((29.9, 120.0), (30.1, 120.1)) == 7 * KM
    assert barriers.detour_mm((29.9, 119.5), (29.9, 120.5)) == 0
    assert barriers.detour_mm((29.9, 121.5), (30.1, 121.5)) == 0


def test_an_island_costs_who_comes_or_goes_and_nobody_within_and_a_way_across_it_once() -> None:
    barriers = Barriers([(ISLAND, 9 * KM)])
    assert barriers.detour_mm((24.5, 118.1), (24.5, 118.3)) == 9 * KM
    assert barriers.detour_mm((24.5, 118.05), (24.55, 118.15)) == 0
    assert barriers.detour_mm((24.5, 117.9), (24.5, 118.3)) == 9 * KM


def test_who_stands_on_the_line_has_not_crossed_it() -> None:
    barriers = Barriers([(RIVER, 7 * KM)])
    assert barriers.detour_mm((30.0, 120.0), (30.1, 120.0)) == 0


def test_a_way_over_the_180th_meridian_goes_the_short_way_round() -> None:
    barriers = Barriers([(RIVER, 7 * KM), ([(29.0, 179.9), (31.0, 179.9)], 3 * KM)])
    assert barriers.detour_mm((29.5, 180.0), (30.5, -180.0)) == 0
    assert barriers.detour_mm((30.0, -179.9), (30.0, 179.8)) == 3 * KM
    assert barriers.detour_mm((30.0, 179.8), (30.0, -179.9)) == 3 * KM
    assert barriers.within((30.0, -179.9), 30 * KM)


def test_two_rivers_cost_both() -> None:
    barriers = Barriers([(RIVER, 7 * KM), ([(30.05, 119.0), (30.05, 121.0)], 2 * KM)])
    assert barriers.detour_mm((29.9, 120.0), (30.1, 120.0)) == 9 * KM


@given(_LINES, _POINT, _POINT)
def test_the_way_back_costs_the_same(lines: list[tuple[list[Point], int]], here: Point, there: Point) -> None:
    barriers = Barriers(lines)
    assert barriers.detour_mm(here, there) == barriers.detour_mm(there, here)


@given(_LINES, _POINT, _POINT)
def test_barriers_beyond_the_length_of_the_way_are_left_out_and_never_missed(
    lines: list[tuple[list[Point], int]], here: Point, there: Point
) -> None:
    barriers = Barriers(lines)
    [one, other] = ecef_m([here[0], there[0]], [here[1], there[1]])
    length_mm = int(surface_mm(float(((one - other) ** 2).sum() ** 0.5)))

    assert barriers.within(here, length_mm).detour_mm(here, there) == barriers.detour_mm(here, there)


def test_a_lead_far_from_every_barrier_asks_none() -> None:
    assert not Barriers([(RIVER, 7 * KM)]).within((31.0, 120.0), 50 * KM)
    assert Barriers([(RIVER, 7 * KM)]).within((30.4, 120.0), 50 * KM)
