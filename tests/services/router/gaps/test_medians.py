"""Where new sites go: what is true of every demand, and a few whose best place is known."""

from itertools import combinations, pairwise
from math import e
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.gaps.medians import MOST_STARTS, Floats, capped_medians, costs_m, geometric_median
from services.router.geo import chord_m, ecef_m, lat_lon_deg

WHOLE_EARTH = 2e7
ROUNDING = 1 + 1e-9

_POINT = st.tuples(
    st.integers(0, 400).map(lambda step: 30 + step / 100), st.integers(0, 400).map(lambda step: 118 + step / 100)
)


@st.composite
def demands(draw: st.DrawFn, least: int = 1, most: int = 9) -> tuple[Floats, Floats, Floats]:
    """Points within some 450 km, a few leads at each, with reaches from a suburb to the whole of it."""
    at = np.array(draw(st.lists(_POINT, min_size=least, max_size=most)))
    weights = draw(st.lists(st.integers(1, 5), min_size=len(at), max_size=len(at)))
    caps_km = draw(st.lists(st.sampled_from([8, 60, 100, 1_000]), min_size=len(at), max_size=len(at)))
    return ecef_m(at[:, 0], at[:, 1]), np.array(weights, dtype=float), chord_m(np.array(caps_km) * 1000.0)


def cost(demand: tuple[Floats, Floats, Floats], places: Floats) -> float:
    points, weights, caps = demand
    return float(weights @ costs_m(points, caps, places))


def at(*lat_lon: tuple[float, float]) -> Floats:
    degrees = np.array(lat_lon)
    return ecef_m(degrees[:, 0], degrees[:, 1])


@given(demands())
def test_one_site_is_never_worse_than_at_the_best_demand_point(demand: tuple[Floats, Floats, Floats]) -> None:
    place = capped_medians(*demand, 1)
    best = min(cost(demand, point[None, :]) for point in demand[0])
    assert cost(demand, place) <= best * ROUNDING + 1e-6


@given(demands(least=3, most=7), st.integers(1, 3))
@settings(max_examples=60)
def test_k_sites_save_what_a_greedy_choice_is_proved_to_save(demand: tuple[Floats, Floats, Floats], k: int) -> None:
    nothing = cost(demand, np.empty((0, 3)))
    best = max(nothing - cost(demand, demand[0][list(chosen)]) for chosen in combinations(range(len(demand[0])), k))
    saved = nothing - cost(demand, capped_medians(*demand, k))
    assert saved >= best * (1 - 1 / e) - 1e-6


@given(demands(least=2))
@settings(max_examples=60)
def test_one_site_more_never_costs_more(demand: tuple[Floats, Floats, Floats]) -> None:
    costs = [cost(demand, capped_medians(*demand, k)) for k in (1, 2, 3, 4)]
    assert all(more <= fewer * ROUNDING for fewer, more in pairwise(costs))


@given(demands(), st.integers(1, 3), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_demand_changes_nothing_to_the_last_bit(
    demand: tuple[Floats, Floats, Floats], k: int, random: Random
) -> None:
    order = list(range(len(demand[0])))
    random.shuffle(order)
    points, weights, caps = demand
    shuffled = capped_medians(points[order], weights[order], caps[order], k)
    assert shuffled.tobytes() == capped_medians(*demand, k).tobytes()


@given(demands(most=5), st.integers(1, 2))
@settings(max_examples=60)
def test_two_leads_at_a_point_are_a_lead_of_weight_two(demand: tuple[Floats, Floats, Floats], k: int) -> None:
    points, weights, caps = demand
    once = weights.astype(int)
    apart = capped_medians(np.repeat(points, once, axis=0), np.ones(once.sum()), np.repeat(caps, once), k)
    assert apart.tobytes() == capped_medians(*demand, k).tobytes()


@given(demands(), st.integers(1, 4))
@settings(max_examples=60)
def test_every_site_stands_on_the_ground(demand: tuple[Floats, Floats, Floats], k: int) -> None:
    places = capped_medians(*demand, k)
    degrees = lat_lon_deg(places)
    assert 1 <= len(places) <= k
    assert ecef_m(degrees[:, 0], degrees[:, 1]) == pytest.approx(places, abs=0.01)


@given(demands(least=3))
def test_a_median_from_the_best_point_is_no_worse_and_next_to_nowhere_is_better(
    demand: tuple[Floats, Floats, Floats],
) -> None:
    points, weights, _ = demand

    def total(place: Floats) -> float:
        return float(weights @ np.linalg.norm(points - place, axis=1))

    best = min(points, key=total)
    median = geometric_median(best, points, weights)
    # The sum is convex: where no way of 2 km is worth much, none is.
    ways = np.vstack([np.eye(3), -np.eye(3)]) * 2_000
    assert total(median) <= total(best) * ROUNDING
    assert all(total(median) <= total(median + way) * 1.001 for way in ways)


def test_a_point_with_more_than_half_of_the_demand_gets_the_site() -> None:
    points = at((31.0, 120.0), (31.3, 120.4), (30.8, 120.1))
    place = capped_medians(points, np.array([5.0, 2.0, 2.0]), np.full(3, WHOLE_EARTH), 1)
    assert place == pytest.approx(points[:1], abs=1)


def test_three_points_in_a_row_are_served_from_the_middle_one() -> None:
    points = at((31.0, 120.0), (31.1, 120.0), (31.5, 120.0))
    place = capped_medians(points, np.ones(3), np.full(3, WHOLE_EARTH), 1)
    assert place == pytest.approx(points[1:2], abs=20)


def test_a_site_for_two_cities_goes_to_one_of_them_and_not_between() -> None:
    city, other = [(31.0, 120.0), (31.02, 120.02), (31.02, 119.98)], [(35.0, 117.0), (35.02, 117.02)]
    points = at(*city, *other)
    [(lat, lon)] = lat_lon_deg(capped_medians(points, np.ones(5), np.full(5, 60_000.0), 1))
    assert (lat, lon) == pytest.approx((31.015, 120.0), abs=0.02)
    assert len(capped_medians(points, np.ones(5), np.full(5, 60_000.0), 2)) == 2


def test_a_lead_far_from_all_others_does_not_move_the_site() -> None:
    near = [(31.0, 120.0), (31.0, 120.2), (31.2, 120.1)]
    without = capped_medians(at(*near), np.ones(3), np.full(3, 60_000.0), 1)
    with_one = capped_medians(at(*near, (43.8, 87.6)), np.ones(4), np.full(4, 60_000.0), 1)
    assert with_one == pytest.approx(without, abs=1)


def test_no_more_sites_than_save_something() -> None:
    places = capped_medians(at((31.0, 120.0), (35.0, 117.0)), np.ones(2), np.full(2, 60_000.0), 5)
    assert len(places) == 2
    assert len(capped_medians(np.empty((0, 3)), np.empty(0), np.empty(0), 3)) == 0


def test_ten_thousand_points_are_begun_from_a_thousand_and_still_found() -> None:
    random = np.random.default_rng(7)
    degrees = np.round(np.array([31.0, 120.0]) + random.normal(0, 0.05, (10_000, 2)), 4)
    lonely = np.round(np.array([36.0, 114.0]) + random.normal(0, 0.05, (2_000, 2)), 4)
    both = np.vstack([degrees, lonely])
    assert len(np.unique(both, axis=0)) > MOST_STARTS
    points = ecef_m(both[:, 0], both[:, 1])
    places = lat_lon_deg(capped_medians(points, np.ones(len(both)), np.full(len(both), 60_000.0), 2))
    assert places == pytest.approx(np.array([(31.0, 120.0), (36.0, 114.0)]), abs=0.02)
