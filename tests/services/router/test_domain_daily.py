"""A site takes so many leads on one day of its own, and not one more."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Decided, LeadFeatures, Stale, StaleReason, decide_batch
from services.router.domain.ledger import Ordered
from services.router.policy import Policy
from services.router.sites import WorkingTime
from services.router.snapshot import Site, Snapshot
from shared.contracts import Order
from tests.services.router.networks import NOW, lead, leads, loads, policies, policy, received, site, sites, taken
from tests.services.router.plain_router import Pick, plain_choice

SMALL, NEXT = site("small", lon=120.6, daily_limit=2), site("next", lon=120.62)


def candidates(decided: Decided) -> list[tuple[str, int | None, str | None]]:
    rows = orjson.loads(decided.record)["candidates"]
    return [(row["site_id"], row.get("taken_today"), row.get("lost")) for row in rows]


@given(sites(daily=True), policies, loads, taken, leads())
def test_it_chooses_what_a_look_at_every_site_chooses(
    network: list[Site], rules: Policy, held: dict[str, int], given_before: dict[str, int], batch: list[LeadFeatures]
) -> None:
    alone = [features._replace(person_id=str(UUID(int=900 + n))) for n, features in enumerate(batch)]

    decisions = decide_batch(
        [received(features) for features in alone], Snapshot.build(network, 1), rules, held, NOW, given_before
    )

    seen, given_today = Counter(held), Counter(given_before)
    for features, decided in zip(alone, decisions, strict=True):
        assert isinstance(decided, Decided)
        expected = plain_choice(features, network, rules, seen, taken_today=given_today)
        assert Pick(decided.site_id, decided.waiting) == expected
        seen.update([decided.site_id] if decided.site_id else [])
        given_today.update([decided.site_id] if decided.site_id else [])


def test_the_day_fills_within_one_batch_and_the_record_shows_it() -> None:
    decisions = decide_batch(
        [received(lead(n), n) for n in (1, 2, 3)], Snapshot.build([SMALL, NEXT], 1), policy(), {}, NOW
    )

    assert [candidates(one) for one in decisions if isinstance(one, Decided)] == [
        [("small", 0, None), ("next", None, "farther")],
        [("small", 1, None), ("next", None, "farther")],
        [("small", 2, "full_today"), ("next", None, None)],
    ]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [("Asia/Shanghai", datetime(2026, 6, 1, 16, tzinfo=UTC)), ("Asia/Urumqi", datetime(2026, 6, 1, 18, tzinfo=UTC))],
)
def test_a_lead_waits_for_the_next_day_of_the_site(zone: str, midnight: datetime) -> None:
    only = site("small", daily_limit=2, when=WorkingTime(time_zone=zone))

    [decided] = decide_batch([received(lead())], Snapshot.build([only], 1), policy(), {}, NOW, {"small": 2})

    assert isinstance(decided, Decided)
    assert (decided.waiting, decided.retry_at) == ("all_full", midnight)
    assert orjson.loads(decided.record)["retry_at"] == midnight.isoformat().replace("+00:00", "Z")


def test_each_zone_has_its_own_day() -> None:
    east = site("east", daily_limit=1)
    west = site("west", daily_limit=1, when=WorkingTime(time_zone="Asia/Urumqi"))
    after_midnight_in_the_east = datetime(2026, 6, 1, 17, tzinfo=UTC)

    days = Snapshot.build([east, west, NEXT], 1).today(after_midnight_in_the_east)

    assert days["east"] - days["west"] == timedelta(days=1)
    assert days.keys() == {"east", "west"}


@given(st.integers(0, 4))
def test_an_operator_cannot_give_a_site_more_than_its_day(before: int) -> None:
    snapshot = Snapshot.build([SMALL, NEXT], 1)
    [first] = decide_batch([received(lead())], snapshot, policy(), {}, NOW, {"small": 2})
    assert isinstance(first, Decided)
    order = Ordered("00000000-0000-0000-0000-0000000000aa", 1, Order(site_id="small", ordered_by="mei"))
    ask = received(lead())._replace(ledger=first.after, stimulus=order)

    [answer] = decide_batch([ask], snapshot, policy(), {"next": 1}, NOW, {"small": before})

    if before < 2:
        assert isinstance(answer, Decided)
        assert answer.site_id == "small"
    else:
        assert answer == Stale(lead().lead_id, StaleReason.SITE_FULL)
