"""The policy looks near first: the radius grows past nobody at once, and past full sites when they had their time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Ask, Decided, Due, LeadFeatures, LeadLedger, LeadState, Stay, Travel, decide_batch
from services.router.domain.replay import redecide
from services.router.policy import Policy, PolicyError, check
from services.router.sites import WorkingTime
from services.router.snapshot import Site, Snapshot
from shared.vocabulary import Capability, SiteKind
from tests.services.router.lives import Life
from tests.services.router.networks import (
    DEFAULT_POLICY,
    NOW,
    SITE_IDS,
    as_fact,
    lead,
    leads,
    loads,
    policies,
    policy,
    received,
    site,
    sites,
    taken,
    travels,
)
from tests.services.router.plain_router import Pick, plain_choice
from tests.services.router.records import CONTRACT, lost, said

# The lead of `lead()` is at 31.3, 120.6; from there these are 4.4, 6.7, 22 and 56 km to the north.
NEAR, CLOSE, TOWN, FAR = (
    site(name, lat, limit=1) for name, lat in (("near", 31.34), ("close", 31.36), ("town", 31.5), ("far", 31.8))
)
AT_ONCE, PATIENT = policy(steps=([10, 30], 0)), policy(steps=([10, 30], 15))
stepped = policies.filter(lambda rules: any(rule.radius_km for rule in rules.intents.values()))


def decide(
    features: LeadFeatures,
    network: Sequence[Site],
    rules: Policy = PATIENT,
    full: Sequence[Site] = (),
    *,
    excluded: tuple[str, ...] = (),
    travel: Travel | None = None,
    stay: Stay | None = None,
) -> Decided:
    """What is decided of the lead while the `full` sites hold one each; it was let go by the `excluded` before."""
    ask = received(features, travel=travel)._replace(stay=stay)
    if excluded:
        row = LeadLedger(1, LeadState.WAITING, excluded=excluded)
        ask = ask._replace(ledger=row, stimulus=Due(str(UUID(int=5)), 1, "retry", NOW))
    held = {one.site_id: 1 for one in full}
    [decided] = decide_batch([ask], Snapshot.build(network, 1), rules, held, NOW)
    assert isinstance(decided, Decided)
    return decided


def in_minutes(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@given(sites(30, daily=True), stepped, loads, taken, leads(), st.data())
def test_it_looks_as_far_as_a_look_at_every_site_says(
    network: list[Site],
    rules: Policy,
    held: dict[str, int],
    today: dict[str, int],
    batch: list[LeadFeatures],
    data: st.DataObject,
) -> None:
    snapshot = Snapshot.build(network, 1)
    seen, given_today = Counter(held), Counter(today)
    for number, features in enumerate(batch):
        excluded = tuple(data.draw(st.lists(st.sampled_from(SITE_IDS), unique=True, max_size=3)))
        travel, stays_with = data.draw(travels), data.draw(st.none() | st.sampled_from(SITE_IDS))
        stay = Stay("again", stays_with) if stays_with and rules.stay else None
        row = LeadLedger(1, LeadState.WAITING, excluded=excluded)
        ask = Ask(features, row, Due(str(UUID(int=number)), 1, "retry", NOW), travel=travel, stay=stay)
        [decided] = decide_batch([ask], snapshot, rules, seen, NOW, given_today)
        assert isinstance(decided, Decided)
        expected = plain_choice(
            features, network, rules, seen, excluded, travel, taken_today=given_today, stays_with=stays_with
        )
        assert Pick(decided.site_id, decided.waiting) == expected

        record = said(decided)
        if expected.radius_km is not None:
            assert record["radius_m"] == round(expected.radius_km * 1000)
            times = [snapshot.next_day(site_id, NOW) for site_id in expected.full_today]
            times += [expected.grows_at] if expected.grows_at else []
            assert decided.retry_at == min(times, default=None)
            ways = {one["site_id"]: one["distance_m"] + one.get("detour_m", 0) for one in record["candidates"]}
            outside = {one["site_id"] for one in record["candidates"] if one.get("lost") == "outside_radius"}
            # Metres are rounded, the way and its detour each.
            assert all(ways[site_id] >= record["radius_m"] - 1 for site_id in outside)
            assert decided.site_id is None or ways[decided.site_id] <= record["radius_m"] + 1
        elif "radius_m" in record:
            assert decided.waiting in ("too_far", "all_declined", "no_capable_site")
            assert record["radius_m"] == round(rules.intents[features.intent].max_distance_km * 1000)
        seen.update([decided.site_id] if decided.site_id else [])
        given_today.update([decided.site_id] if decided.site_id else [])


def test_somebody_near_gets_the_lead_and_nobody_farther_is_looked_at() -> None:
    decided = decide(lead(), [NEAR, TOWN, FAR])

    assert (decided.site_id, said(decided)["radius_m"]) == ("near", 10_000)
    assert lost(decided) == {"near": None, "town": "outside_radius", "far": "outside_radius"}


def test_at_a_glance_and_looked_at_closely_the_farther_ones_lost_for_the_same_reasons() -> None:
    network = [site("near", 31.34), site("close", 31.36), TOWN, site("remote", 33.0), site("remoter", 34.0)]
    rules = policy(steps=([10, 30], 15), candidates=4)
    # A rule that the policy does not have changes nothing, but somebody has to find that out.
    closely = decide(lead(), network, rules, stay=Stay("forgotten", "town"))

    assert decide(lead(), network, rules) == closely
    assert lost(closely) == {"near": None, "close": "farther", "town": "outside_radius", "remote": "too_far"}


@pytest.mark.parametrize(
    ("network", "excluded"),
    [
        ([TOWN, FAR], ()),
        ([site("near", 31.34, capabilities=[Capability.MAINTENANCE]), TOWN, FAR], ()),
        ([site("near", 31.34, when=WorkingTime(opens_on=NOW.date().replace(year=2027))), TOWN, FAR], ()),
        ([site("near", 31.34, vehicles=["borealis"]), TOWN, FAR], ()),
        ([NEAR, TOWN, FAR], ("near",)),
    ],
    ids=["nobody is there", "none can do it", "not opened yet", "another vehicle", "has declined"],
)
def test_the_radius_grows_at_once_when_nobody_inside_could_take_the_lead(
    network: list[Site], excluded: tuple[str, ...]
) -> None:
    decided = decide(lead(vehicle="aurora/one"), network, excluded=excluded)

    assert (decided.site_id, said(decided)["radius_m"], lost(decided)["far"]) == ("town", 30_000, "outside_radius")


def test_without_a_wait_it_grows_past_full_sites_at_once() -> None:
    decided = decide(lead(), [NEAR, TOWN, FAR], AT_ONCE, full=[NEAR])

    assert (decided.site_id, said(decided)["radius_m"]) == ("town", 30_000)
    assert lost(decided) == {"near": "full", "town": None, "far": "outside_radius"}


def test_full_sites_hold_a_lead_at_each_step_for_the_policys_minutes_from_when_it_came() -> None:
    def after(minutes: float) -> tuple[str | None, datetime | None, int]:
        decided = decide(lead(minutes_old=minutes), [NEAR, TOWN, FAR], full=[NEAR, TOWN])
        return decided.site_id or decided.waiting, decided.retry_at, said(decided)["radius_m"]

    assert after(0) == ("all_full", in_minutes(15), 10_000)
    assert after(14.9) == ("all_full", in_minutes(0.1), 10_000)
    assert after(15) == ("all_full", in_minutes(15), 30_000)
    assert after(30) == ("far", None, 100_000)


def test_a_step_that_adds_nobody_holds_nobody() -> None:
    decided = decide(lead(minutes_old=15), [NEAR, FAR], full=[NEAR])

    assert (decided.site_id, said(decided)["radius_m"]) == ("far", 100_000)
    assert decide(lead(), [TOWN, FAR], full=[TOWN]).retry_at == in_minutes(15)


def test_a_held_lead_goes_near_after_all_when_there_is_room_again_and_farther_when_its_time_has_come() -> None:
    life = Life([NEAR, TOWN], PATIENT, held={"near": 1})
    assert (life.arrives().waiting, life.row.waiting) == ("all_full", "all_full")
    retry = Due(str(UUID(int=9)), 1, "retry", NOW)

    early = decide_batch([Ask(life.lead, life.row, retry)], life.snapshot, PATIENT, {}, in_minutes(3))[0]
    late = decide_batch([Ask(life.lead, life.row, retry)], life.snapshot, PATIENT, {"near": 1}, in_minutes(15))[0]

    assert [one.site_id for one in (early, late) if isinstance(one, Decided)] == ["near", "town"]


def test_nobody_at_all_is_told_as_ever_once_the_radius_is_fully_grown() -> None:
    remote, full = site("remote", 35.0), [NEAR, TOWN, FAR]

    assert decide(lead(), [remote]).waiting == "too_far"
    assert decide(lead(), []).waiting == "no_capable_site"
    assert decide(lead(), [NEAR], excluded=("near",)).waiting == "all_declined"
    everywhere = decide(lead(minutes_old=45), full, full=full)
    assert (everywhere.waiting, everywhere.retry_at, said(everywhere)["radius_m"]) == ("all_full", None, 100_000)


def test_a_day_that_is_over_before_the_radius_grows_ends_the_wait_before() -> None:
    # Half past five in the afternoon: the day of the site ends in six and a half hours.
    small, rules = site("near", 31.34, daily_limit=1), policy(steps=([10], 12 * 60))
    [decided] = decide_batch([received(lead())], Snapshot.build([small, TOWN], 1), rules, {}, NOW, {"near": 1})

    assert isinstance(decided, Decided)
    assert decided.retry_at == in_minutes(6.5 * 60) - timedelta(seconds=0.25)


def test_who_asks_for_a_site_or_stays_with_one_gets_it_whatever_the_radius() -> None:
    wished = decide(lead(preferred="far"), [NEAR, TOWN, FAR])
    stays = decide(lead(), [NEAR, TOWN, FAR], policy(steps=([10, 30], 15), stay_km=50), stay=Stay("again", "town"))
    refused = decide(lead(preferred="far"), [NEAR, TOWN, FAR], full=[FAR])

    assert (wished.site_id, lost(wished)) == ("far", {"near": "not_preferred", "town": "not_preferred", "far": None})
    assert (stays.site_id, lost(stays)["near"]) == ("town", "served_elsewhere")
    assert "radius_m" not in said(wished)
    assert "radius_m" not in said(stays)
    assert (refused.site_id, said(refused)["radius_m"], lost(refused)["town"]) == ("near", 10_000, "outside_radius")


def test_doors_decide_inside_the_radius_only() -> None:
    shut = WorkingTime("Tu-Su 10:00-20:00")  # NOW is a Monday
    network = [site("near", 31.34, when=shut), site("close", 31.36), TOWN]

    inside = decide(lead(), network, policy(steps=([10, 30], 15), open_first_km=50))
    outside = decide(lead(), [network[0], TOWN], policy(steps=([10, 30], 15), open_first_km=50))

    assert (inside.site_id, lost(inside)["near"]) == ("close", "closed_now")
    assert (outside.site_id, lost(outside)["town"]) == ("near", "outside_radius")


def test_a_tie_ends_at_the_radius() -> None:
    rules = policy(steps=([5], 0), tie_band_m=4_000)

    assert lost(decide(lead(), [NEAR, CLOSE], rules, full=[])) == {"near": None, "close": "outside_radius"}
    assert lost(decide(lead(), [NEAR, CLOSE], policy(tie_band_m=4_000))).keys() == {"near", "close"}


def test_a_detour_counts_towards_the_radius() -> None:
    bay = ([(31.32, 120.0), (31.32, 121.0)], 20)

    decided = decide(lead(), [NEAR, site("south", 31.2)], policy(steps=([10, 20], 0), barriers=[bay]))

    assert (decided.site_id, lost(decided)["near"]) == ("south", "outside_radius")


def test_travel_times_choose_inside_the_radius_and_show_the_full_sites_that_it_grew_past() -> None:
    rules, times = policy(steps=([10, 30], 15), travel=(8, 60)), Travel({"town": 900, "far": 300})
    network, snapshot = [NEAR, TOWN, FAR], Snapshot.build([NEAR, TOWN, FAR], 1)

    decided = decide(lead(minutes_old=15), network, rules, full=[NEAR], travel=times)

    assert (decided.site_id, said(decided)["measure"], said(decided)["radius_m"]) == ("town", "travel_time", 30_000)
    assert lost(decided) == {"far": "outside_radius", "town": None, "near": "full"}
    recorded = CONTRACT.validate_json(decided.record)
    assert redecide(recorded, as_fact(lead(minutes_old=15)), [], None, snapshot, rules) == decided.record


def test_a_mall_larger_than_a_record_holds_a_lead_and_lets_it_go_in_replay_too() -> None:
    mall = [site(f"mall-{number:03}", 31.34, limit=1) for number in range(100)]
    snapshot = Snapshot.build([*mall, TOWN], 1)
    for features, outcome in ((lead(), "waiting"), (lead(minutes_old=15), "assigned")):
        decided = decide(features, [*mall, TOWN], full=mall)
        recorded = CONTRACT.validate_json(decided.record)
        assert recorded.outcome == outcome
        assert redecide(recorded, as_fact(features), [], None, snapshot, PATIENT) == decided.record


def test_the_way_back_to_a_delivery_center_knows_no_steps() -> None:
    store = site("store", 31.31, kind=SiteKind.AGENT_STORE, capabilities=[Capability.SALES])
    life = Life([store, FAR], policy(steps=([10, 30], 15), tries=(1, 0, 0)))
    life.arrives()

    back = life.declined()

    assert (back.site_id, "radius_m" in said(back)) == ("far", False)


def test_an_operator_names_any_site_and_tries_again_by_the_steps() -> None:
    life = Life([NEAR, TOWN], PATIENT, held={"near": 1})
    life.arrives()

    again = life.is_ordered()
    assert isinstance(again, Decided)
    assert (again.waiting, said(again)["radius_m"]) == ("all_full", 10_000)
    given_by_name = life.is_ordered("town")
    assert isinstance(given_by_name, Decided)
    assert (given_by_name.site_id, "radius_m" in said(given_by_name)) == ("town", False)


def test_a_record_with_another_radius_is_found_out() -> None:
    decided = decide(lead(), [NEAR, TOWN])
    altered = CONTRACT.validate_json(decided.record.replace(b'"radius_m":10000', b'"radius_m":30000'))

    again = redecide(altered, as_fact(lead()), [], None, Snapshot.build([NEAR, TOWN], 1), PATIENT)

    assert again == decided.record


def test_a_policy_without_steps_says_nothing_of_a_radius() -> None:
    held: Mapping[str, int] = {"near": 1}
    [decided] = decide_batch([received(lead())], Snapshot.build([NEAR, TOWN, FAR], 1), policy(), held, NOW)

    assert isinstance(decided, Decided)
    assert (decided.site_id, b"radius" in decided.record) == ("town", False)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("radius_km = [30, 10]", "radius_km: 10 comes after 30; list the steps from the nearest to the farthest"),
        ("radius_km = [10, 10]", "radius_km: 10 comes after 10; list the steps from the nearest to the farthest"),
        (
            "radius_km = [10, 120]",
            "radius_km: 120 must be less than max_distance_km (100), which is the last step; remove it or allow more",
        ),
        ("radius_km = [0]", "radius_km.0: must be at least 0.1"),
        (
            "grow_after_minutes = 15",
            "grow_after_minutes: there is no radius to grow; add radius_km, such as [10, 30], or remove this",
        ),
        ("radius_km = [10]\ngrow_after_minutes = -1", "grow_after_minutes: must be at least 0"),
        ("radius = [10]", "radius: unknown key; did you mean radius_km?"),
    ],
)
def test_steps_that_make_no_sense_are_refused_with_the_way_out(lines: str, fault: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.from_toml(DEFAULT_POLICY.replace("[intents.purchase]\n", f"[intents.purchase]\n{lines}\n"), 1)

    assert refused.value.faults == [f"intents.purchase.{fault}"]


def test_doors_that_would_look_beyond_the_first_step_are_warned_of() -> None:
    text = DEFAULT_POLICY.replace("[intents.purchase]\n", "[intents.purchase]\nradius_km = [5, 20]\n")
    rules = Policy.from_toml(text.replace("prefer_open_within_km = 0", "prefer_open_within_km = 10"), 1)

    [finding] = check(rules, Snapshot.build([NEAR], 1))

    assert str(finding) == (
        "warning: hours.prefer_open_within_km: 10 is more than the first step of radius_km (5 for purchase): a closed "
        "site inside the step gets the lead before an open one outside it"
    )
