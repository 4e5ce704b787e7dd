"""Which candidates a record lists: the same for the same inputs, however the search for the nearest found them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.router.domain import Decided, LeadFeatures, Stay, decide_batch
from services.router.domain.choose import Chooser
from services.router.domain.shortcut import Shortcut
from services.router.policy import Policy
from services.router.snapshot import NOBODY_MM, Site, Snapshot, TreeKey
from tests.services.router.networks import NOW, lead, leads, loads, policies, policy, received, site, sites, taken
from tests.services.router.plain_router import plain_order

Row = tuple[str, str | None]


class ContrarySnapshot(Snapshot):
    """Where the last distance ties with sites beyond it, shows those sites of the tie that come last by id."""

    def nearest_by_key(
        self, places_by_key: Mapping[TreeKey, Sequence[int]], points_m: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        distances_mm, indexes = super().nearest_by_key(places_by_key, points_m, max(len(self.sites), k))
        for mm, index in zip(distances_mm, indexes, strict=True):
            if k < len(mm) and mm[k - 1] < NOBODY_MM:
                [tied] = np.nonzero(mm == mm[k - 1])
                shown = k - tied[0]
                index[tied[0] : k] = index[tied[-shown:]].copy()
        return distances_mm[:, :k], indexes[:, :k]


def decide(
    batch: list[LeadFeatures], snapshot: Snapshot, rules: Policy, held: Mapping[str, int] | None = None
) -> list[bytes]:
    answers = decide_batch([received(features) for features in batch], snapshot, rules, held or {}, NOW)
    return [answer.record for answer in answers if isinstance(answer, Decided)]


def listed(record: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(record)["candidates"]
    return rows


def candidates(record: bytes) -> list[Row]:
    return [(row["site_id"], row.get("lost")) for row in listed(record)]


@given(sites(), policies, loads, leads())
def test_which_of_equally_far_sites_the_tree_returns_changes_no_byte(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    usual, contrary = Snapshot.build(network, 1), ContrarySnapshot.build(network, 1)

    assert decide(batch, contrary, rules, held) == decide(batch, usual, rules, held)


@given(sites(), policies, loads, leads(), st.integers(1, 60))
def test_how_many_neighbours_are_fetched_changes_no_byte(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], width: int
) -> None:
    snapshot = Snapshot.build(network, 1)
    usual = decide(batch, snapshot, rules, held)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chooser, "width", width)
        assert decide(batch, snapshot, rules, held) == usual


@given(st.booleans().flatmap(lambda daily: sites(daily=daily)), policies, loads, taken, leads())
def test_the_shortcut_says_what_a_closer_look_says(
    network: list[Site], rules: Policy, held: dict[str, int], given_today: dict[str, int], batch: list[LeadFeatures]
) -> None:
    asks, snapshot = [received(features) for features in batch], Snapshot.build(network, 1)
    usual = decide_batch(asks, snapshot, rules, held, NOW, given_today)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shortcut, "take", lambda *_: None)
        assert decide_batch(asks, snapshot, rules, held, NOW, given_today) == usual


def test_the_shortcut_is_taken_where_the_nearest_sites_are_free() -> None:
    network = [site("a"), site("b"), site("c", 31.4), site("d", 31.5), site("e", 32.4)]
    snapshot = Snapshot.build(network, 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chooser, "choose", None)
        [record] = decide([lead()], snapshot, policy(candidates=5, max_km=30), {"a": 1})

    assert candidates(record) == [("a", "tie_load"), ("b", None), ("c", "farther"), ("d", "farther"), ("e", "too_far")]


@pytest.mark.parametrize("shown", [4, 5, 6])
def test_each_of_the_sites_behind_the_nearest_is_shown_with_its_own_distance_and_load(shown: int) -> None:
    held = {"a": 3, "b": 1, "c": 2, "d": 4, "f": 5}
    network = [
        site(name, 31.31 + place / 100, limit=2 if name in "cd" else None) for place, name in enumerate("abcdefghi")
    ]

    first, second = decide([lead(1), lead(2)], Snapshot.build(network, 1), policy(candidates=shown), held)

    rows = [
        ("a", 3, None),
        ("b", 1, "farther"),
        ("c", 2, "full"),
        ("d", 4, "full"),
        ("e", 0, "farther"),
        ("f", 5, "farther"),
    ]
    assert [(row["site_id"], row["load"], row.get("lost")) for row in listed(first)] == rows[:shown]
    assert [row["load"] for row in listed(second)] == [4, 1, 2, 4, 0, 5][:shown]
    metres = [row["distance_m"] for row in listed(first)]
    assert [round(away_m / 1112) for away_m in metres] == [1, 2, 3, 4, 5, 6][:shown]


@given(sites(), policies, loads, leads(max_size=4))
@example([site("a"), site("b", limit=1)], policy(tie_band_m=0, candidates=1), {"b": 1}, [lead()])
def test_every_site_whose_load_the_choice_depends_on_is_listed(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    snapshot = Snapshot.build(network, 1)
    for features in batch:
        [record] = decide([features], snapshot, rules, held)
        said = orjson.loads(record)
        if said["outcome"] != "assigned" or said["preferred"] == "honoured":
            continue
        # The band begins at the nearest site that could have had the lead; all of it, and all before it, had a say.
        order = plain_order(features, network, rules)
        limit_of = {s.site_id: s.open_lead_limit for s in network}
        free_mm = next(
            mm for mm, site_id in order if (limit := limit_of[site_id]) is None or held.get(site_id, 0) < limit
        )
        had_a_say = [site_id for mm, site_id in order if mm <= free_mm + rules.tie_band_m * 1000]

        assert {site_id for site_id, _ in candidates(record)} >= set(had_a_say[:32])


def test_a_full_site_as_near_as_the_winner_is_listed_whatever_its_id() -> None:
    rules = policy(tie_band_m=50, candidates=1)

    for full in ("a", "m", "z"):
        network = [site(full, limit=2), site("k", 31.3001), site("far", 31.4)]
        [record] = decide([lead()], Snapshot.build(network, 1), rules, {full: 2})

        assert candidates(record) == [(full, "full"), ("k", None)]

    [record] = decide([lead()], Snapshot.build([site("k"), site("z", limit=2)], 1), rules, {"z": 2})
    assert candidates(record) == [("k", None), ("z", "full")]


def test_a_band_larger_than_a_record_lists_the_nearest_of_it_and_the_winner() -> None:
    mall = [site(f"mall-{number:04}", limit=1) for number in range(100)]
    held = {s.site_id: 1 for s in mall if s.site_id != "mall-0003"}

    [record] = decide([lead()], Snapshot.build(mall, 1), policy(candidates=1), held)

    assert [site_id for site_id, _ in candidates(record)] == [f"mall-{number:04}" for number in range(32)]


@given(sites(), policies, loads, leads())
def test_a_lead_decided_at_a_glance_has_the_record_of_one_looked_at_closely(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    snapshot = Snapshot.build(network, 1)
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]
    # A rule that the policy does not have changes nothing, but somebody has to find that out.
    closely = [received(features)._replace(stay=Stay("forgotten", "site-0")) for features in alone]

    assert decide_batch([received(features) for features in alone], snapshot, rules, held, NOW) == decide_batch(
        closely, snapshot, rules, held, NOW
    )
