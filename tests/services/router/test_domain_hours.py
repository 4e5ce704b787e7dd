"""Doors that are closed: what they change for a lead, and what they do not."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import orjson
import pytest

from services.router.domain import Decided, decide_batch
from services.router.policy import Policy
from services.router.sites import WorkingTime
from services.router.snapshot import Site, Snapshot
from tests.services.router.networks import NOW, lead, policy, received, site
from tests.services.router.records import lost

# NOW is 17:30 on a Monday in Shanghai; the default policy gives ten minutes for a purchase.
TILL_FIVE, TILL_EIGHT = WorkingTime("Mo-Su 09:00-17:00"), WorkingTime("Mo-Su 09:00-20:00")
HERE, ONE_KM_OFF, FAR_OFF = 120.6, 120.61, 120.8
NEXT_MORNING = datetime.fromisoformat("2026-06-02T09:00:00+08:00")


def decide(
    *network: Site,
    rules: Policy | None = None,
    held: Mapping[str, int] | None = None,
    at: datetime = NOW,
    preferred: str | None = None,
) -> Decided:
    snapshot = Snapshot.build(network, 1)
    asks = [received(lead(preferred=preferred))]
    [decided] = decide_batch(asks, snapshot, rules or policy(), held or {}, at)
    assert isinstance(decided, Decided)
    return decided


def test_the_nearest_site_gets_the_lead_at_night_and_its_clock_starts_when_it_opens() -> None:
    decided = decide(site("near", when=TILL_FIVE), site("open", lon=ONE_KM_OFF, when=TILL_EIGHT))
    assert decided.site_id == "near"
    assert decided.respond_by == NEXT_MORNING + timedelta(minutes=10)
    assert orjson.loads(decided.record)["respond_by"] == "2026-06-02T01:10:00Z"


def test_a_clock_that_runs_at_closing_time_goes_on_in_the_morning() -> None:
    four_minutes_to_five = datetime.fromisoformat("2026-06-01T16:56:00+08:00")
    decided = decide(site("near", when=TILL_FIVE), at=four_minutes_to_five)
    assert decided.respond_by == NEXT_MORNING + timedelta(minutes=6)


def test_a_site_without_hours_has_its_minutes_at_once() -> None:
    assert decide(site("near")).respond_by == NOW + timedelta(minutes=10)


def test_an_open_site_near_enough_goes_before_a_nearer_one_that_is_closed() -> None:
    decided = decide(
        site("near", when=TILL_FIVE),
        site("open", lon=ONE_KM_OFF, when=TILL_EIGHT),
        site("far", lon=FAR_OFF, when=TILL_FIVE),
        rules=policy(open_first_km=5),
    )
    assert decided.site_id == "open"
    assert decided.respond_by == NOW + timedelta(minutes=10)
    assert lost(decided) == {"near": "closed_now", "open": None, "far": "farther"}


def test_an_open_site_beyond_that_distance_changes_nothing() -> None:
    decided = decide(
        site("near", when=TILL_FIVE), site("open", lon=FAR_OFF, when=TILL_EIGHT), rules=policy(open_first_km=5)
    )
    assert decided.site_id == "near"
    assert lost(decided) == {"near": None, "open": "farther"}


def test_a_full_open_site_leaves_the_lead_to_the_nearest_closed_one_and_is_shown() -> None:
    crowd = [site(f"closed-{n}", lon=HERE + n / 1000, when=TILL_FIVE) for n in range(8)]
    full = site("full", lon=HERE + 0.0095, when=TILL_EIGHT, limit=1)
    decided = decide(*crowd, full, rules=policy(open_first_km=5, candidates=3), held={"full": 1})
    assert decided.site_id == "closed-0"
    assert lost(decided)["full"] == "full"


def test_who_asks_for_a_site_by_name_gets_it_though_it_is_closed() -> None:
    network = [site("near", when=TILL_EIGHT), site("wished", lon=ONE_KM_OFF, when=TILL_FIVE)]
    decided = decide(*network, rules=policy(open_first_km=5), preferred="wished")
    assert decided.site_id == "wished"
    assert decided.respond_by == NEXT_MORNING + timedelta(minutes=10)


@pytest.mark.parametrize(
    "when", [WorkingTime(opens_on=date(2026, 6, 2)), WorkingTime(closes_on=date(2026, 5, 31))], ids=["before", "after"]
)
def test_no_lead_goes_to_a_site_before_its_first_day_or_after_its_last(when: WorkingTime) -> None:
    decided = decide(site("near", when=when), site("next", lon=ONE_KM_OFF))
    assert decided.site_id == "next"
    assert lost(decided) == {"near": "not_in_business", "next": None}
    asked_for = decide(site("near", when=when), site("next", lon=ONE_KM_OFF), preferred="near")
    assert orjson.loads(asked_for.record)["preferred"] == "refused_unavailable"


def test_a_lead_waits_for_a_capable_site_when_the_only_one_has_not_opened() -> None:
    decided = decide(site("coming", when=WorkingTime(opens_on=date(2026, 6, 2))))
    assert (decided.outcome, decided.waiting) == ("waiting", "no_capable_site")


def test_a_site_opens_with_its_first_day_and_the_same_snapshot() -> None:
    coming = site("coming", when=WorkingTime("Mo-Su 09:00-18:00", opens_on=date(2026, 6, 2)))
    assert decide(coming, at=datetime.fromisoformat("2026-06-01T23:59:59+08:00")).site_id is None
    assert decide(coming, at=datetime.fromisoformat("2026-06-02T00:00:00+08:00")).site_id == "coming"
