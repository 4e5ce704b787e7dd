from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.geo import ecef_m, surface_mm
from services.router.snapshot import NOBODY_MM, Site, Snapshot, TreeKey
from shared.vocabulary import Capability, SiteKind, SiteStatus
from tests.services.router.networks import site, sites

ANY_KIND = tuple(SiteKind)
SALES = TreeKey.of([Capability.SALES], ANY_KIND)


@given(sites(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(network: list[Site], random: Random) -> None:
    shuffled = random.sample(network, len(network))
    here = ecef_m([31.001], [120.0004])

    one, two = Snapshot.build(network, 1), Snapshot.build(shuffled, 1)

    assert one.digest == two.digest
    assert one.sites == two.sites
    for left, right in zip(one.nearest(SALES, here, 5), two.nearest(SALES, here, 5), strict=True):
        assert np.array_equal(left, right)


@given(sites(), st.integers(1, 12), st.sampled_from(Capability), st.sets(st.sampled_from(SiteKind), min_size=1))
def test_nearest_is_what_looking_at_every_site_finds(
    network: list[Site], k: int, capability: Capability, kinds: set[SiteKind]
) -> None:
    snapshot = Snapshot.build(network, 1)
    here = ecef_m([31.001, 31.4], [120.0004, 120.2])
    able = [
        (index, s)
        for index, s in enumerate(snapshot.sites)
        if s.status is SiteStatus.OPEN and capability in s.capabilities and s.kind in kinds
    ]

    distances_mm, indexes = snapshot.nearest(TreeKey.of([capability], kinds), here, k)

    assert distances_mm.shape == indexes.shape == (2, min(k, len(able)))
    for point, mm, index in zip(here, distances_mm, indexes, strict=True):
        ranked = sorted(
            (int(surface_mm(np.linalg.norm(point - ecef_m([s.lat], [s.lon])[0]))), number) for number, s in able
        )
        assert mm.tolist() == [distance for distance, _ in ranked[:k]]
        sure = [pair for pair in zip(mm.tolist(), index.tolist(), strict=True) if len(able) <= k or pair[0] < mm[-1]]
        assert sure == ranked[: len(sure)]


def test_a_required_set_needs_every_capability() -> None:
    both = site("both", capabilities=[Capability.BODY_REPAIR, Capability.PAINT_REPAIR])
    one = site("one", capabilities=[Capability.BODY_REPAIR])
    snapshot = Snapshot.build([both, one], 1)

    assert snapshot.count(TreeKey.of([Capability.BODY_REPAIR], ANY_KIND)) == 2
    assert snapshot.count(TreeKey.of([Capability.BODY_REPAIR, Capability.PAINT_REPAIR], ANY_KIND)) == 1


def test_only_open_sites_are_found() -> None:
    snapshot = Snapshot.build([site(f"s-{status}", status=status) for status in SiteStatus], 1)

    _, indexes = snapshot.nearest(SALES, ecef_m([31.3], [120.6]), 5)

    assert [snapshot.sites[index].site_id for index in indexes[0]] == ["s-open"]


def test_an_empty_network_answers_with_nothing() -> None:
    snapshot = Snapshot.build([], 0)

    distances_mm, indexes = snapshot.nearest(SALES, ecef_m([31.3], [120.6]), 5)

    assert distances_mm.shape == indexes.shape == (1, 0)
    assert snapshot.get("anywhere") is None


def test_points_of_several_keys_are_looked_up_at_once_and_one_without_a_key_has_nobody() -> None:
    snapshot = Snapshot.build(
        [site("a", capabilities=[Capability.SALES]), site("b", 31.4, capabilities=[Capability.PAINT_REPAIR])], 1
    )
    paint = TreeKey.of([Capability.PAINT_REPAIR], ANY_KIND)
    here = ecef_m([31.3, 31.3, 31.3], [120.6, 120.6, 120.6])

    distances_mm, indexes = snapshot.nearest_by_key({SALES: [2], paint: [0]}, here, 2)

    assert [snapshot.site_ids[indexes[place, 0]] for place in (0, 2)] == ["b", "a"]
    assert (distances_mm < NOBODY_MM).tolist() == [[True, False], [False, False], [True, False]]


def test_two_sites_of_one_id_are_no_network() -> None:
    with pytest.raises(ValueError, match="two sites have the id twin"):
        Snapshot.build([site("twin"), site("other"), site("twin", 30.0)], 1)


ONE = site("one")


@pytest.mark.parametrize(
    "after",
    [
        replace(ONE, name="Other"),
        replace(ONE, lat=31.4),
        replace(ONE, weight=2),
        replace(ONE, open_lead_limit=5),
        replace(ONE, status=SiteStatus.CLOSED),
        replace(ONE, capabilities=frozenset({Capability.SALES})),
    ],
)
def test_every_change_of_a_site_changes_the_digest(after: Site) -> None:
    assert Snapshot.build([ONE], 1).digest != Snapshot.build([after], 1).digest


@given(sites())
def test_sites_survive_their_canonical_rows(network: list[Site]) -> None:
    assert [Site.from_row(s.to_row()) for s in network] == network


def test_warming_builds_the_trees_before_they_are_asked_for() -> None:
    snapshot = Snapshot.build([site("one")], 1).warm({SALES})

    assert snapshot.tree(SALES) is snapshot.tree(SALES)
