"""What `waypost explain` says."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from services.router.domain import Decided, LeadFeatures, decide_batch
from services.router.explain import Explanation
from services.router.policy import Policy
from services.router.printing import print_explanation
from services.router.sites import WorkingTime
from services.router.snapshot import Snapshot
from shared.contracts import LeadAssigned, LeadWaiting
from shared.vocabulary import Intent
from tests.services.router.networks import lead, policy, received, site
from tests.services.router.records import CONTRACT


def explained(features: LeadFeatures, rules: Policy, hours: str = "") -> str:
    """Of a lead 4.4 km from a full site and 22 km from one with room, which has these hours."""
    network = [site("near", 31.34, limit=1), replace(site("town", 31.5), working_time=WorkingTime(hours))]
    snapshot = Snapshot.build(network, 1)
    [decided] = decide_batch([received(features)], snapshot, rules, {"near": 1}, features.received_at)
    assert isinstance(decided, Decided)
    decision = CONTRACT.validate_json(decided.record)
    assert isinstance(decision, LeadAssigned | LeadWaiting)
    rule = rules.intents[Intent.PURCHASE]
    out = StringIO()
    sites = {one.site_id: one for one in network}
    print_explanation(Console(file=out, width=200), Explanation(decision, decided.record.decode(), rule, sites))
    return out.getvalue()


def test_a_wait_for_full_sites_nearby_says_how_far_was_looked_and_when_it_is_tried_again() -> None:
    shown = explained(lead(), policy(steps=([10, 30], 15)))

    assert "it would wait: all_full" in shown
    assert "It would be tried again at Mon 2026-06-01" in shown
    assert "Looked for within 10.0 km." in shown
    assert "outside the radius that is looked in first" in shown
    assert "within 100 km (first within 10, then 30 km; full sites hold it for 15 minutes a step);" in shown


def test_a_farther_site_that_gets_the_lead_at_once_says_how_far_was_looked() -> None:
    shown = explained(lead(), policy(steps=([10, 30], 0)))

    assert "town would get this purchase lead, 22.2 km away" in shown
    assert "Looked for within 30.0 km." in shown
    assert "within 100 km (first within 10, then 30 km);" in shown


def test_a_policy_without_steps_says_nothing_of_them() -> None:
    shown = explained(lead(), policy())

    assert "Looked for" not in shown
    assert "within 100 km; " in shown


def test_a_deadline_by_hours_that_never_come_says_so() -> None:
    # An import refuses such hours; a revision of before that may hold them, and decides as it did.
    assert "Its clock runs while it is open: until" in explained(lead(), policy(steps=([10, 30], 0)), "09:00-18:00")
    shown = explained(lead(), policy(steps=([10, 30], 0)), "2020 Mo-Fr 09:00-18:00")
    assert "(2020 Mo-Fr 09:00-18:00) never open within a year: its clock runs as if it were always open, until" in shown


def test_one_minute_is_one_minute() -> None:
    rules = policy(steps=([10, 30], 1))
    assert "full sites hold it for 1 minute a step" in explained(lead(), rules)
