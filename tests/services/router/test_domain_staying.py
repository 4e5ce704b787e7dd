"""Who served a person before serves them again, while that is still near enough and able."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import orjson
import pytest
from hypothesis import given

from services.router.domain import Decided, LeadFeatures, Served, Stay, decide_batch, stay_with
from services.router.policy import Policy, PolicyError
from services.router.snapshot import Site, Snapshot
from shared.vocabulary import Intent
from tests.services.router.journeys import stays
from tests.services.router.networks import (
    DEFAULT_POLICY,
    NOW,
    lead,
    leads,
    loads,
    policies,
    policy,
    received,
    site,
    sites,
)
from tests.services.router.plain_router import Pick, plain_choice

RULES = """
[[stay]]
name = "drive-then-buy"
intents = ["purchase"]
after = ["test_drive"]
within_km = 60
within_days = 90

[[stay]]
name = "same-workshop"
intents = ["purchase", "maintenance", "body_repair"]
after = ["maintenance", "body_repair", "vehicle_delivery"]
within_km = 30
"""
STAYING = Policy.from_toml(DEFAULT_POLICY + RULES, 2)
NEAR, BEFORE, FULL = site("near", lon=120.6), site("before", lon=120.7), site("busy", lon=120.65, limit=1)


def days_ago(days: float, intent: Intent, site_id: str) -> Served:
    return Served(intent, site_id, NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("intent", "served", "expected"),
    [
        (Intent.PURCHASE, [days_ago(10, Intent.TEST_DRIVE, "a")], Stay("drive-then-buy", "a")),
        (Intent.PURCHASE, [days_ago(91, Intent.TEST_DRIVE, "a")], None),
        (
            Intent.PURCHASE,
            [days_ago(91, Intent.TEST_DRIVE, "a"), days_ago(5, Intent.BODY_REPAIR, "b")],
            Stay("same-workshop", "b"),
        ),
        (
            Intent.MAINTENANCE,
            [days_ago(200, Intent.VEHICLE_DELIVERY, "center"), days_ago(20, Intent.MAINTENANCE, "shop")],
            Stay("same-workshop", "shop"),
        ),
        (Intent.TRADE_IN, [days_ago(1, Intent.PURCHASE, "a")], None),
        (Intent.PURCHASE, [], None),
    ],
)
def test_the_first_rule_that_applies_names_the_latest_site(
    intent: Intent, served: list[Served], expected: Stay | None
) -> None:
    assert stay_with(STAYING, lead(intent=intent), served, NOW) == expected


@given(sites(), policies, loads, leads(), stays)
def test_it_chooses_what_a_look_at_every_site_chooses(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], stay: Stay | None
) -> None:
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]
    asks = [received(features)._replace(stay=stay) for features in alone]

    decisions = decide_batch(asks, Snapshot.build(network, 1), rules, dict(held), NOW)

    seen = Counter(held)
    for features, decided in zip(alone, decisions, strict=True):
        assert isinstance(decided, Decided)
        expected = plain_choice(features, network, rules, seen, stays_with=stay.site_id if stay else None)
        assert Pick(decided.site_id, decided.waiting) == expected
        seen.update([decided.site_id] if decided.site_id else [])


@pytest.mark.parametrize(
    ("stays_at", "preferred", "stay_km", "winner", "verdict", "why_near"),
    [
        ("before", None, 50, "before", "honoured", "served_elsewhere"),
        ("before", None, 5, "near", "refused_unavailable", None),
        ("gone", None, 50, "near", "refused_unknown", None),
        ("busy", None, 50, "near", "refused_unavailable", None),
        ("before", "busy", 50, "before", "honoured", "served_elsewhere"),
        ("before", "near", 50, "near", None, None),
    ],
)
def test_the_record_says_with_whom_the_person_stays_and_why_not(
    stays_at: str, preferred: str | None, stay_km: float, winner: str, verdict: str | None, why_near: str | None
) -> None:
    ask = received(lead(preferred=preferred))._replace(stay=Stay("again", stays_at))

    [decided] = decide_batch([ask], Snapshot.build([NEAR, BEFORE, FULL], 1), policy(stay_km=stay_km), {"busy": 1}, NOW)

    assert isinstance(decided, Decided)
    record = orjson.loads(decided.record)
    lost = {one["site_id"]: one.get("lost") for one in record["candidates"]}
    assert (decided.site_id, lost["near"]) == (winner, why_near)
    assert record.get("stay") == (verdict and {"rule": "again", "site_id": stays_at, "verdict": verdict})


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"two \[\[stay\]\] rules have the name drive-then-buy"):
        Policy.from_toml(DEFAULT_POLICY + RULES + RULES.replace("same-workshop", "other"), 1)
