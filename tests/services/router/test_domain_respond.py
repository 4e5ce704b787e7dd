"""Before a site's time is over: when it is reminded, and when its partner is told."""

from datetime import datetime, timedelta

import orjson
import pytest
from hypothesis import given

from services.router.domain import Decided, LeadFeatures, decide_batch
from services.router.policy import Policy
from services.router.sites import Schedule, WorkingTime
from services.router.snapshot import Site, Snapshot
from tests.services.router.networks import NOW, lead, leads, loads, policies, policy, received, site, sites

# NOW is 17:30 on a Monday in Shanghai; the default policy gives ten minutes for a purchase.
TILL_FIVE = WorkingTime("Mo-Su 09:00-17:00")


def decide(*network: Site, rules: Policy, at: datetime = NOW) -> dict[str, object]:
    [decided] = decide_batch([received(lead())], Snapshot.build(network, 1), rules, {}, at)
    assert isinstance(decided, Decided)
    record: dict[str, object] = orjson.loads(decided.record)
    return record


def test_an_assignment_says_when_the_site_is_reminded_and_when_its_partner_is_told() -> None:
    record = decide(site("near"), rules=policy(remind=50, escalate=80))

    assert (record["remind_at"], record["escalate_at"], record["respond_by"]) == (
        "2026-06-01T09:35:00.250000Z",
        "2026-06-01T09:38:00.250000Z",
        "2026-06-01T09:40:00.250000Z",
    )


def test_a_reminder_waits_for_the_doors_to_open_as_the_deadline_does() -> None:
    four_minutes_to_five = datetime.fromisoformat("2026-06-01T16:56:00+08:00")

    record = decide(site("near", when=TILL_FIVE), rules=policy(remind=30, escalate=80), at=four_minutes_to_five)

    assert (record["remind_at"], record["escalate_at"]) == ("2026-06-01T08:59:00Z", "2026-06-02T01:04:00Z")


@pytest.mark.parametrize(("rules", "said"), [(policy(remind=50), "remind_at"), (policy(escalate=50), "escalate_at")])
def test_either_can_be_had_without_the_other(rules: Policy, said: str) -> None:
    record = decide(site("near"), rules=rules)

    assert {"remind_at", "escalate_at"} & record.keys() == {said}


def test_a_policy_that_asks_for_neither_writes_what_it_always_wrote() -> None:
    record = decide(site("near"), rules=policy())

    assert list(record)[-6:] == ["outcome", "site_id", "distance_m", "respond_by", "preferred", "candidates"]


def test_a_partner_is_named_with_its_site_and_the_makers_own_has_none() -> None:
    assert decide(site("near", partner="wu-river-group"), rules=policy())["partner"] == "wu-river-group"
    assert decide(site("near", partner="wu-river-group", when=TILL_FIVE), rules=policy())["partner"] == "wu-river-group"
    assert "partner" not in decide(site("near"), rules=policy())


@given(sites(), policies, loads, leads())
def test_both_come_after_their_share_of_the_open_time(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures]
) -> None:
    by_id = {s.site_id: s for s in network}
    for features, decided in zip(
        batch,
        decide_batch([received(f) for f in batch], Snapshot.build(network, 1), rules, held, NOW),
        strict=True,
    ):
        assert isinstance(decided, Decided)
        record = orjson.loads(decided.record)
        if decided.site_id is None or decided.outcome != "assigned":
            assert "remind_at" not in record
            continue
        assert record.get("partner", "") == by_id[decided.site_id].offering.partner
        minutes = rules.intents[features.intent].respond_by_minutes
        schedule = Schedule(by_id[decided.site_id].working_time)
        for name, percent in (
            ("remind_at", rules.respond.remind_after_percent),
            ("escalate_at", rules.respond.escalate_after_percent),
        ):
            due = schedule.after_open_time(NOW, timedelta(seconds=minutes * 0.6 * percent)) if percent else None
            assert (datetime.fromisoformat(record[name]) if name in record else None) == due
