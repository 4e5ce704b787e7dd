import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.trying import gini, share_of_each

SITES = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 100)), min_size=1, max_size=30)


def by_definition(leads: list[int], weights: list[int]) -> float:
    """Every pair of sites, one after the other."""
    whole = sum(weights)
    mean = sum(leads) / whole
    pairs = [(i, j) for i in range(len(leads)) for j in range(len(leads))]
    return sum(weights[i] * weights[j] * abs(leads[i] / weights[i] - leads[j] / weights[j]) for i, j in pairs) / (
        2 * whole * whole * mean
    )


@given(SITES)
def test_it_is_half_the_relative_mean_difference_of_all_pairs(sites: list[tuple[int, int]]) -> None:
    leads, weights = [count for count, _ in sites], [weight for _, weight in sites]
    if sum(leads):
        assert gini(leads, weights) == pytest.approx(by_definition(leads, weights), abs=1e-9)
        assert 0 <= gini(leads, weights) < 1


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30), st.integers(1, 50))
def test_leads_in_proportion_to_weight_are_exactly_fair(weights: list[int], each: int) -> None:
    assert gini([weight * each for weight in weights], weights) == 0


def test_one_of_four_equal_sites_with_everything_is_three_quarters() -> None:
    assert gini([12, 0, 0, 0], [1, 1, 1, 1]) == 0.75


def test_a_site_of_three_quarters_of_the_weight_may_have_three_quarters_of_the_leads() -> None:
    assert gini([30, 10], [3, 1]) == 0
    assert gini([20, 20], [3, 1]) == 0.25


def test_no_leads_are_spread_evenly() -> None:
    assert gini([0, 0], [1, 2]) == 0
    assert gini([], []) == 0


@given(SITES)
def test_shares_add_up_and_one_is_a_sites_exact_part(sites: list[tuple[int, int]]) -> None:
    leads = {f"s{number}": count for number, (count, _) in enumerate(sites)}
    weights = {f"s{number}": weight for number, (_, weight) in enumerate(sites)}
    shares = share_of_each(leads, weights)
    assert {one.site_id: one.leads for one in shares} == leads
    if sum(leads.values()):
        assert sum(one.share for one in shares) == pytest.approx(1)
        assert sum(one.share_per_weight * one.weight for one in shares) == pytest.approx(sum(weights.values()))
    assert [one.share_per_weight for one in shares] == sorted([one.share_per_weight for one in shares], reverse=True)


def test_a_site_that_got_nothing_is_listed() -> None:
    [first, last] = share_of_each({"a": 4}, {"a": 1, "b": 3})
    assert (first.site_id, first.share, first.share_per_weight) == ("a", 1, 4)
    assert (last.site_id, last.leads, last.share_per_weight) == ("b", 0, 0)
