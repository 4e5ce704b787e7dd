"""The quickest site instead of the nearest, and distance where no times are to be had."""

from collections import Counter
from collections.abc import Mapping
from random import Random
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Answered, Ask, Decided, LeadFeatures, Travel, decide_batch, redecide
from services.router.policy import Policy, PolicyError, check
from services.router.sites import WorkingTime
from services.router.snapshot import Site, Snapshot
from shared.contracts import Answer, LeadAssigned, WhyDistance
from tests.services.router.networks import (
    DEFAULT_POLICY,
    NOW,
    as_fact,
    lead,
    leads,
    loads,
    policies,
    policy,
    received,
    site,
    sites,
    travels,
)
from tests.services.router.plain_router import Pick, plain_choice
from tests.services.router.records import CONTRACT, lost, said

BY_TIME = policy(travel=(8, 60))
# The lead of `lead()` is at 31.3, 120.6; a bay lies between it and the site across.
ACROSS, ROUND, FAR = site("across", lon=120.63), site("round", lon=120.55), site("far", lon=120.7)
TIMES = Travel({"across": 3_000, "round": 720, "far": 3_600})


def decide(
    *network: Site,
    travel: Travel | None,
    rules: Policy = BY_TIME,
    held: Mapping[str, int] | None = None,
    preferred: str | None = None,
) -> Decided:
    [decided] = decide_batch(
        [received(lead(preferred=preferred), travel=travel)], Snapshot.build(network, 1), rules, held or {}, NOW
    )
    assert isinstance(decided, Decided)
    return decided


@given(sites(), policies, loads, leads(), st.data())
def test_it_chooses_what_a_look_at_every_site_chooses(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], data: st.DataObject
) -> None:
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]
    times = [data.draw(travels) for _ in alone]
    asks = [received(features, travel=travel) for features, travel in zip(alone, times, strict=True)]

    decisions = decide_batch(asks, Snapshot.build(network, 1), rules, dict(held), NOW)

    seen = Counter(held)
    for features, travel, decided in zip(alone, times, decisions, strict=True):
        assert isinstance(decided, Decided)
        expected = plain_choice(features, network, rules, seen, travel=travel)
        assert Pick(decided.site_id, decided.waiting) == expected
        seen.update([decided.site_id] if decided.site_id else [])


@given(sites(), policies, loads, leads(max_size=4), travels, st.randoms(use_true_random=False))
def test_the_order_in_which_times_come_changes_no_byte(
    network: list[Site],
    rules: Policy,
    held: dict[str, int],
    batch: list[LeadFeatures],
    travel: Travel | None,
    random: Random,
) -> None:
    snapshot = Snapshot.build(network, 1)
    shuffled = travel and Travel(dict(random.sample([*travel.seconds.items()], len(travel.seconds))), travel[1])

    one = decide_batch([received(f, travel=travel) for f in batch], snapshot, rules, held, NOW)
    two = decide_batch([received(f, travel=shuffled) for f in batch], snapshot, rules, held, NOW)

    assert one == two


@given(sites(), policies, loads, leads(max_size=4), travels)
def test_a_record_tells_how_it_was_measured_and_shows_every_time_that_was_compared(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], travel: Travel | None
) -> None:
    snapshot = Snapshot.build(network, 1)
    for features in batch:
        [decided] = decide_batch([received(features, travel=travel)], snapshot, rules, held, NOW)
        [without] = decide_batch([received(features)], snapshot, rules, held, NOW)
        assert isinstance(decided, Decided)
        assert isinstance(without, Decided)
        record = said(decided)
        if travel is None or not rules.travel.candidates or record.get("preferred") == "honoured":
            assert decided == without
            continue
        if features.point is None:
            assert "measure" not in record
            continue
        times = {row["site_id"]: row["travel_s"] for row in record["candidates"] if "travel_s" in row}
        if record["measure"] == "distance_fallback":
            # Nothing but the reason is added to what distance decides.
            assert times == {}
            del record["measure"], record["why_distance"]
            assert record == said(without)
            continue
        assert set(times.items()) <= set(travel.seconds.items())
        assert all(
            travel_s >= times[record["site_id"]]
            for travel_s in [row["travel_s"] for row in record["candidates"] if row.get("lost") == "slower"]
        )
        roadless = {row["site_id"] for row in record["candidates"] if row.get("lost") == "no_route"}
        assert roadless <= {site_id for site_id, travel_s in travel.seconds.items() if travel_s is None}


def test_without_times_the_site_across_the_bay_looks_nearest() -> None:
    decided = decide(ACROSS, ROUND, FAR, travel=None)

    assert decided.site_id == "across"
    assert "measure" not in said(decided)


def test_the_way_round_the_bay_takes_longer_so_the_site_on_this_side_gets_the_lead() -> None:
    decided = decide(ACROSS, ROUND, FAR, travel=TIMES)

    assert decided.site_id == "round"
    assert (said(decided)["measure"], lost(decided)) == (
        "travel_time",
        {"round": None, "across": "slower", "far": "slower"},
    )
    assert [row["travel_s"] for row in said(decided)["candidates"]] == [720, 3_000, 3_600]
    assert said(decided)["distance_m"] > said(decide(ACROSS, travel=None))["distance_m"]


def test_equally_quick_sites_share_by_load() -> None:
    times = Travel({"across": 700, "round": 760, "far": 761})

    assert lost(decide(ACROSS, ROUND, FAR, travel=times, held={"across": 1})) == {
        "across": "tie_load",
        "round": None,
        "far": "slower",
    }


def test_what_bars_a_site_by_distance_bars_it_by_time() -> None:
    network = [
        site("full", lon=120.61, limit=1),
        site("not-yet", lon=120.61, when=WorkingTime(opens_on=NOW.date().replace(year=2027))),
        site("remote", 33.0),
        site("slow", lon=120.62),
    ]
    times = Travel({"full": 60, "not-yet": 70, "remote": 80, "slow": 2_000})

    assert lost(decide(*network, travel=times, held={"full": 1})) == {
        "full": "full",
        "not-yet": "not_in_business",
        "remote": "too_far",
        "slow": None,
    }


def test_barriers_lengthen_no_time_but_count_towards_the_greatest_distance() -> None:
    bay = [((31.0, 120.62), (31.6, 120.62))]
    quick = Travel({"across": 300, "round": 720})

    crossed = decide(ACROSS, ROUND, travel=quick, rules=policy(travel=(8, 60), barriers=[(bay[0], 40)]))
    too_far = decide(ACROSS, ROUND, travel=quick, rules=policy(travel=(8, 60), barriers=[(bay[0], 40)], max_km=20))

    assert (crossed.site_id, said(crossed)["candidates"][0]["detour_m"]) == ("across", 40_000)
    assert (too_far.site_id, lost(too_far)["across"]) == ("round", "too_far")


def test_an_open_site_goes_before_quicker_ones_that_are_closed() -> None:
    closed = WorkingTime("Tu-Su 10:00-20:00")  # NOW is a Monday
    network = [site("quick", lon=120.61, when=closed), site("open", lon=120.62), site("slow", lon=120.63, when=closed)]
    times = Travel({"quick": 100, "open": 500, "slow": 900})

    assert decide(*network, travel=times).site_id == "quick"
    assert lost(decide(*network, travel=times, rules=policy(travel=(8, 60), open_first_km=10))) == {
        "quick": "closed_now",
        "open": None,
        "slow": "slower",
    }
    # Open, but beyond what the policy calls near: the doors decide nothing.
    assert decide(*network, travel=times, rules=policy(travel=(8, 60), open_first_km=1)).site_id == "quick"


def test_whoever_asks_for_a_site_by_name_gets_it_however_long_the_way() -> None:
    decided = decide(ACROSS, ROUND, FAR, travel=TIMES, preferred="far")

    assert (decided.site_id, said(decided)["preferred"]) == ("far", "honoured")
    assert decided == decide(ACROSS, ROUND, FAR, travel=None, preferred="far")


def test_a_refused_wish_is_shown_beside_the_times() -> None:
    times = Travel({"across": 3_000, "round": 720})
    full = site("wished", lon=120.65, limit=1)

    decided = decide(ACROSS, ROUND, full, travel=times, held={"wished": 1}, preferred="wished")

    assert (decided.site_id, said(decided)["preferred"]) == ("round", "refused_unavailable")
    assert lost(decided) == {"round": None, "across": "slower", "wished": "full"}


def test_a_site_without_a_road_is_passed_over_and_named() -> None:
    island = Travel({"across": None, "round": 720})

    assert lost(decide(ACROSS, ROUND, travel=island)) == {"round": None, "across": "no_route"}


@pytest.mark.parametrize(
    ("travel", "why"),
    [(Travel({}, why), why) for why in WhyDistance if why not in (WhyDistance.NO_ROUTE, WhyDistance.NONE_ELIGIBLE)]
    + [(Travel({"across": None, "round": None}), WhyDistance.NO_ROUTE)],
)
def test_distance_decides_when_there_are_no_times_and_the_record_says_why(travel: Travel, why: WhyDistance) -> None:
    decided = decide(ACROSS, ROUND, travel=travel)

    assert decided.site_id == "across"
    assert (said(decided)["measure"], said(decided)["why_distance"]) == ("distance_fallback", why)


def test_when_all_that_were_compared_have_declined_the_search_goes_on_among_the_others() -> None:
    times = Travel({"across": 3_000, "round": 720})
    [first] = decide_batch([received(lead(), travel=times)], Snapshot.build([ACROSS, ROUND, FAR], 1), BY_TIME, {}, NOW)
    assert isinstance(first, Decided)
    held = first.after._replace(excluded=("across",))
    declined = Ask(lead(), held, Answered(str(UUID(int=5)), 1, "round", Answer.DECLINED), travel=times)

    [second] = decide_batch([declined], Snapshot.build([ACROSS, ROUND, FAR], 1), BY_TIME, {"round": 1}, NOW)

    assert isinstance(second, Decided)
    assert (second.site_id, said(second)["why_distance"]) == ("far", "none_eligible")
    assert lost(second) == {"across": "declined", "round": "declined", "far": None}


def test_who_waits_although_times_were_known_is_measured_by_distance() -> None:
    decided = decide(site("only", limit=1), travel=Travel({"only": 60}), held={"only": 1})

    assert (decided.waiting, said(decided)["measure"], said(decided)["why_distance"]) == (
        "all_full",
        "distance_fallback",
        "none_eligible",
    )


def test_a_policy_that_compares_no_times_ignores_them() -> None:
    assert decide(ACROSS, ROUND, travel=TIMES, rules=policy()) == decide(ACROSS, ROUND, travel=None, rules=policy())


def test_a_record_whose_times_were_altered_is_found_out() -> None:
    snapshot = Snapshot.build([ACROSS, ROUND, FAR], 1)
    decided = decide(ACROSS, ROUND, FAR, travel=TIMES)
    altered = CONTRACT.validate_json(decided.record.replace(b'"travel_s":3000', b'"travel_s":30'))
    assert isinstance(altered, LeadAssigned)

    again = redecide(altered, as_fact(lead()), [], None, snapshot, BY_TIME)

    assert orjson.loads(again)["site_id"] == "across"
    assert again != altered.model_dump_json(exclude_none=True).encode()


def test_a_record_that_claims_times_under_a_policy_without_them_is_found_out() -> None:
    decided = decide(ACROSS, ROUND, FAR, travel=TIMES)
    recorded = CONTRACT.validate_json(decided.record)

    again = redecide(recorded, as_fact(lead()), [], None, Snapshot.build([ACROSS, ROUND, FAR], 1), policy())

    assert (orjson.loads(again)["site_id"], b"travel_s" in again) == ("across", False)


def test_a_policy_that_compares_one_site_with_none_is_warned_of() -> None:
    snapshot = Snapshot.build([ACROSS, ROUND, FAR], 1)

    assert [one.key for one in check(policy(travel=(1, 60)), snapshot)] == ["travel.candidates"]
    assert check(policy(travel=(2, 60)), snapshot) == []


def test_a_wrong_number_in_the_policy_is_refused_with_the_way_out() -> None:
    for line, fault in (
        ("candidates = 21", "travel.candidates: must be at most 20"),
        ("tie_band = 60", "travel.tie_band: unknown key; did you mean tie_band_s?"),
    ):
        with pytest.raises(PolicyError) as refused:
            Policy.from_toml(f"{DEFAULT_POLICY}\n[travel]\n{line}\n", 1)
        assert refused.value.faults == [fault]
