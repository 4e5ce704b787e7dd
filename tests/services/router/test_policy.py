"""A policy text either takes effect as written, or every wrong key is named with the way out."""

from datetime import timedelta

import pytest

from services.router.policy import Policy, PolicyError, check
from services.router.snapshot import Snapshot
from shared.vocabulary import Capability, Intent, SiteKind
from tests.services.router.networks import DEFAULT_POLICY, site


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        Policy.from_toml(text, 1)
    return caught.value.faults


def changed(old: str, new: str) -> str:
    assert old in DEFAULT_POLICY
    return DEFAULT_POLICY.replace(old, new)


def test_the_default_policy_serves_every_intent() -> None:
    policy = Policy.from_toml(DEFAULT_POLICY, 3)

    assert policy.version == 3
    assert policy.intents.keys() == set(Intent)
    assert policy.intents[Intent.VEHICLE_DELIVERY].kinds == (SiteKind.DELIVERY_CENTER,)
    assert policy.join_window == timedelta(hours=72)
    assert policy.join_group(Intent.TEST_DRIVE) == "sales"
    assert Intent.PURCHASE in policy.grouped_with(Intent.TRADE_IN)
    assert check(policy, Snapshot.build([site("center")], 1)) == []


def test_the_digest_is_of_the_text() -> None:
    one, two = Policy.from_toml(DEFAULT_POLICY, 1), Policy.from_toml(DEFAULT_POLICY, 2)
    other = Policy.from_toml(changed("candidates = 5", "candidates = 6"), 1)

    assert one.digest == two.digest != other.digest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (changed('["body_repair"]\n', '["body_repairs"]\n'), ["mean body_repair?", "intents.body_repair.requires.0"]),
        (changed('["sales"]', '["Test-Drive"]'), ["'Test-Drive'", "did you mean test_drive?"]),
        (changed('["delivery_center"]', '["delivery_centre"]'), ["did you mean delivery_center?", "kinds.0"]),
        (changed("[intents.trade_in]", "[intents.tradein]"), ["did you mean trade_in?"]),
        (changed("tie_band_m", "tie_band_km"), ["tie_band_km: unknown key; did you mean tie_band_m?"]),
        (changed("respond_by_minutes = 10\n", "respond_by_minuts = 10\n"), ["did you mean respond_by_minutes?"]),
        (changed("full_minutes = 10", "full_minutes = 0"), ["retry.full_minutes", "at least 1"]),
        (changed("escalate_after_percent = 0", "escalate_after_percent = 100"), ["respond.escalate_after_percent"]),
        (changed("remind_after_percent", "remind_after_pct"), ["did you mean remind_after_percent?"]),
        (changed("max_distance_km = 60", "max_distance_km = -1"), ["max_distance_km", "more than 0"]),
        (changed('"trade_in"]', '"trade_in", "maintenance"]'), ["maintenance more than once"]),
        (changed('"trade_in"]', '"tradein"]'), ["join.groups.sales", "did you mean trade_in?"]),
        (DEFAULT_POLICY.split("[intents.paint_repair]")[0], ["no rule for paint_repair; add a table"]),
        ("tie_band_m = = 1", ["is not TOML"]),
        ("version = 3\n" + DEFAULT_POLICY, ["version", "remove it"]),
    ],
)  # fmt: skip
def test_a_fault_names_its_key_and_the_way_out(text: str, expected: list[str]) -> None:
    said = " ".join(faults(text))

    for words in expected:
        assert words in said


def test_all_faults_are_named_at_once() -> None:
    text = changed("tie_band_m = 50", "tie_band_m = -1").replace('["sales"]', '["sale"]')

    assert len(faults(text)) == 2


def test_an_intent_that_nobody_can_serve_is_a_warning() -> None:
    policy = Policy.from_toml(DEFAULT_POLICY, 1)
    network = Snapshot.build(
        [site("center", capabilities=[c for c in Capability if c is not Capability.PAINT_REPAIR])], 1
    )

    [finding] = check(policy, network)

    assert str(finding).startswith("warning: intents.paint_repair: no open site of kind")
    assert "paint_repair; these leads will wait until one opens" in finding.message


def test_a_rule_that_the_network_can_never_meet_is_an_error() -> None:
    text = changed(
        'requires = ["vehicle_delivery"]\nkinds = ["delivery_center"]',
        'requires = ["vehicle_delivery"]\nkinds = ["agent_store"]',
    )

    found = check(Policy.from_toml(text, 1), Snapshot.build([site("center")], 1))

    assert [(f.level, f.key) for f in found] == [("error", "intents.vehicle_delivery.kinds")]
    assert "add delivery_center" in found[0].message


def test_an_intent_of_no_group_is_mentioned() -> None:
    policy = Policy.from_toml(changed('"used_vehicle", "trade_in"]', '"used_vehicle"]'), 1)

    [finding] = check(policy, Snapshot.build([site("center")], 1))

    assert policy.join_group(Intent.TRADE_IN) is None
    assert policy.grouped_with(Intent.TRADE_IN) == ()
    assert "trade_in is in no group" in finding.message


def test_every_tree_that_a_decision_asks_for_is_listed() -> None:
    policy = Policy.from_toml(DEFAULT_POLICY, 1)

    assert policy.tree_keys() == {rule.key for rule in policy.intents.values()}


def test_a_skill_or_a_partner_that_no_site_has_is_mentioned_with_what_was_meant() -> None:
    text = changed('["sales"]\n', '["sales"]\nskills = ["batery"]\nbarred_partners = ["lucky", "grand"]\n')

    found = check(Policy.from_toml(text, 1), Snapshot.build([site("one", partner="grand", skills=["battery"])], 1))

    assert "warning: intents.purchase.skills: no site has 'batery'; did you mean battery?" in [str(f) for f in found]
    assert "warning: intents.purchase.barred_partners: no site has 'lucky'; use one of grand" in [str(f) for f in found]
