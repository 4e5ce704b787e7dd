from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from services.router.domain import LeadFeatures
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from services.router.trying import Arriving, Comparison, Forward, Setting
from shared.vocabulary import Capability, Intent, SiteKind, SiteStatus
from tests.services.router.networks import lead, leads, policies, policy, site, sites

NEAR, FAR = (31.3, 120.6), (31.4, 120.6)


def compare(current: Setting, tried: Setting, found: Sequence[LeadFeatures], examples: int = 10) -> Comparison:
    """All leads at once, every person known."""
    comparison = Comparison(current, tried, examples)
    arriving = [Arriving(one, comes_again=True) for one in found]
    decided = zip(found, Forward(current).decide(arriving), Forward(tried).decide(arriving), strict=True)
    for one, before, after in decided:
        comparison.add(one, before, after)
    return comparison


def networks(*before: Site, after: Sequence[Site], rules: Policy | None = None) -> tuple[Setting, Setting]:
    """Two networks under one policy."""
    both = rules or policy()
    return Setting(Snapshot.build(before, 1), both), Setting(Snapshot.build(after, 2), both)


@given(sites(), policies, leads())
@settings(max_examples=40)
def test_the_same_setting_changes_nothing(network: list[Site], rules: Policy, found: list[LeadFeatures]) -> None:
    setting = Setting(Snapshot.build(network, 1), rules)
    same = compare(setting, setting, found)
    assert (same.leads, same.moved, same.sites) == (len(found), 0, [])
    assert not same.newly_waiting
    assert not same.no_longer_waiting
    assert same.before == same.after


@given(sites(), sites(), policies, policies, leads())
@settings(max_examples=60)
def test_no_lead_is_lost_or_counted_twice(
    old: list[Site], new: list[Site], rules: Policy, tried_rules: Policy, found: list[LeadFeatures]
) -> None:
    current, tried = Setting(Snapshot.build(old, 1), rules), Setting(Snapshot.build(new, 2), tried_rules)
    result = compare(current, tried, found)
    for side in (result.before, result.after):
        assert side.leads_by_site.total() + side.waiting.total() == len(found)
    newly, no_longer = result.newly_waiting.total(), result.no_longer_waiting.total()
    assert result.after.waiting.total() - result.before.waiting.total() == newly - no_longer
    assert sum(one.gained for one in result.sites) == result.moved + no_longer
    assert sum(one.lost for one in result.sites) == result.moved + newly
    assert all(one.after - one.before == one.gained - one.lost for one in result.sites)
    assert result.why_moved.total() == result.moved
    assert len(result.first_moved) == min(result.moved, 10)
    assert all(from_lost and to_lost for from_lost, to_lost in result.why_moved)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ([site("a", *NEAR), site("b", *FAR)], [site("b", *FAR)], ("not_in_network", "farther")),
        (
            [site("a", *NEAR), site("b", *FAR)],
            [site("a", *NEAR, status=SiteStatus.CLOSED), site("b", *FAR)],
            ("not_open", "farther"),
        ),
        (
            [site("a", *NEAR), site("b", *FAR)],
            [site("a", *NEAR, capabilities=[Capability.TEST_DRIVE]), site("b", *FAR)],
            ("incapable", "farther"),
        ),
        (
            [site("a", *NEAR), site("b", *FAR)],
            [site("a", *NEAR, kind=SiteKind.SERVICE_POINT), site("b", *FAR)],
            ("kind_not_allowed", "farther"),
        ),
        ([site("b", *FAR)], [site("a", *NEAR), site("b", *FAR)], ("farther", "not_in_network")),
        (
            [site("a", *NEAR, status=SiteStatus.RECRUITING), site("b", *FAR)],
            [site("a", *NEAR), site("b", *FAR)],
            ("farther", "not_open"),
        ),
    ],
    ids=["removed", "closed", "can-less", "other-kind", "new", "opened"],
)
def test_a_moved_lead_says_why(before: list[Site], after: list[Site], why: tuple[str, str]) -> None:
    result = compare(*networks(*before, after=after), [lead(1, NEAR)])
    assert result.moved == 1
    [moved] = result.first_moved
    assert (moved.from_lost, moved.to_lost) == why
    assert {moved.from_site, moved.to_site} == {"a", "b"}


def test_a_limit_moves_what_is_over_it_and_distance_is_paid() -> None:
    current, tried = networks(site("a", *NEAR), site("b", *FAR), after=[site("a", *NEAR, limit=1), site("b", *FAR)])
    result = compare(current, tried, [lead(number, NEAR) for number in (1, 2, 3)], examples=1)
    assert result.why_moved == {("full", "farther"): 2}
    [moved] = result.first_moved
    assert (moved.from_m, moved.to_m) == (0, 11_088)
    assert [tuple(one) for one in result.sites] == [("a", 3, 1, 0, 2), ("b", 0, 2, 2, 0)]
    assert result.before.mean_km == 0
    assert result.after.mean_km == pytest.approx(2 * 11.088 / 3)


def test_leads_that_begin_or_cease_to_wait_are_counted_by_their_reason() -> None:
    near_only, both = policy(max_km=1), policy(max_km=100)
    snapshot = Snapshot.build([site("b", *FAR)], 1)
    narrower = compare(Setting(snapshot, both), Setting(snapshot, near_only), [lead(1, NEAR), lead(2, None)])
    assert (narrower.moved, dict(narrower.newly_waiting)) == (0, {"too_far": 1})
    assert dict(narrower.after.waiting) == {"too_far": 1, "location_unclear": 1}
    wider = compare(Setting(snapshot, near_only), Setting(snapshot, both), [lead(1, NEAR), lead(2, None)])
    assert dict(wider.no_longer_waiting) == {"too_far": 1}
    assert wider.before.mean_km is None


def test_a_joined_lead_moves_with_the_one_it_joined() -> None:
    current, tried = networks(site("a", *NEAR), after=[site("b", *FAR)])
    result = compare(current, tried, [lead(1, NEAR, person=7), lead(2, NEAR, person=7, intent=Intent.TEST_DRIVE)])
    assert (result.before.joined, result.after.joined, result.moved) == (1, 1, 2)
    assert result.first_moved[1].from_m is None
    assert result.first_moved[1].from_lost == "joined"
    assert result.before.assigned == 1


def test_partners_stand_beside_their_contracts_and_a_joined_lead_counts_for_none() -> None:
    mall = [site("a", *NEAR, partner="grand"), site("b", *NEAR, partner="lucky")]
    found = [*(lead(number, NEAR) for number in range(1, 11)), lead(11, NEAR, person=10_001)]
    snapshot = Snapshot.build(mall, 1)

    before, after = policy(shares={"grand": 100}), policy(shares={"grand": 70, "lucky": 30})
    result = compare(Setting(snapshot, before), Setting(snapshot, after), found)

    assert result.after.joined == 1
    now, then = zip(*result.shares, strict=True)
    assert [(one.partner, one.percent) for one in now] == [("grand", 70), ("lucky", 30)]
    assert sum(one.leads for one in now) == sum(one.leads for one in then) == 10
    assert [one.leads for one in then] == [7, 3]


def test_who_has_no_contract_before_or_after_is_not_asked_about_shares() -> None:
    setting = Setting(Snapshot.build([site("a", partner="grand")], 1), policy())
    assert compare(setting, setting, [lead(1)]).shares == []
