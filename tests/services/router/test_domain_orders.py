"""What an operator orders is done when it can be done, and changes nothing when it cannot."""

from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.router.domain import (
    Answered,
    Ask,
    Decided,
    LeadFeatures,
    LeadLedger,
    LeadState,
    Ordered,
    Stale,
    StaleReason,
    decide_batch,
    redecide,
)
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.contracts import Answer, ClosedReason, LeadOrdered, Order, Result, WaitingReason
from shared.vocabulary import Capability, SiteKind, SiteStatus
from tests.services.router.lives import Life, place_at
from tests.services.router.networks import (
    NOW,
    POINTS,
    SITE_IDS,
    as_fact,
    lead,
    leads,
    loads,
    policies,
    policy,
    site,
    sites,
)
from tests.services.router.plain_router import Pick, plain_choice, plain_refusal
from tests.services.router.records import CONTRACT

SALES = [Capability.SALES]
NETWORK = [
    site("near"),
    site("next", 31.4),
    site("remote", 39.9),
    site("point", 31.5, kind=SiteKind.SERVICE_POINT, capabilities=SALES),
    site("full", 31.6, limit=1),
    site("service", 31.7, capabilities=[Capability.MAINTENANCE]),
    site("closed", 31.8, status=SiteStatus.CLOSED),
]


@given(sites(), policies, loads, leads(), st.data())
def test_an_order_does_what_a_look_at_every_site_says(
    network: list[Site], rules: Policy, held: dict[str, int], batch: list[LeadFeatures], data: st.DataObject
) -> None:
    snapshot = Snapshot.build(network, 1)
    for number, features in enumerate(batch):
        excluded = tuple(data.draw(st.lists(st.sampled_from(SITE_IDS), unique=True, max_size=4)))
        point = data.draw(st.none() | POINTS)
        site_id = data.draw(st.none() | st.sampled_from(SITE_IDS))
        order = Order(ordered_by="mei", site_id=site_id, place=point and place_at(point))
        stimulus = Ordered(str(UUID(int=70_000 + number)), 4, order)
        waits = LeadLedger(4, LeadState.WAITING, excluded=excluded, waiting=WaitingReason.NEEDS_PERSON)

        [answer] = decide_batch([Ask(features, waits, stimulus)], snapshot, rules, held, NOW)

        placed = features._replace(point=point or features.point)
        if placed.point is None:
            assert answer == Stale(features.lead_id, StaleReason.NO_PLACE)
        elif site_id is not None and (refusal := plain_refusal(site_id, placed, network, rules, held)):
            assert answer == Stale(features.lead_id, StaleReason(refusal))
        else:
            plain = plain_choice(placed, network, rules, held, excluded, by_order=True)
            assert isinstance(answer, Decided)
            assert Pick(answer.site_id, answer.waiting) == (Pick(site_id) if site_id else plain)
            assert answer.point == point


def ordered(answer: Decided | StaleReason) -> Decided:
    assert isinstance(answer, Decided), answer
    return answer


@pytest.mark.parametrize("site_id", ["next", "remote", "point"])
def test_a_held_lead_goes_to_the_site_that_an_operator_names_however_far_and_of_whatever_kind(site_id: str) -> None:
    life = Life(NETWORK)
    life.arrives()

    given = ordered(life.is_ordered(site_id))

    record = orjson.loads(given.record)
    assert (record["cause"], record["order"]) == ("ordered", {"ordered_by": "mei", "site_id": site_id})
    assert [row["site_id"] for row in record["candidates"]] == [site_id]
    assert life.loads == {"near": 0, site_id: 1}
    assert (life.row.site_id, life.row.assignment_epoch, life.row.excluded) == (site_id, 2, ())


def test_a_site_that_declined_gets_the_lead_again_only_when_somebody_says_so() -> None:
    life = Life(NETWORK, policy(tries=(0, 0, 1)))
    life.arrives()
    life.declined()
    assert life.row.waiting == "needs_person"

    ordered(life.is_ordered("near"))

    assert life.row.site_id == "near"
    assert life.declined().waiting == "needs_person"


@pytest.mark.parametrize(
    ("site_id", "refusal"),
    [
        ("nobody-knows", StaleReason.SITE_UNKNOWN),
        ("closed", StaleReason.SITE_NOT_OPEN),
        ("service", StaleReason.SITE_INCAPABLE),
        ("full", StaleReason.SITE_FULL),
        ("near", StaleReason.ALREADY_THERE),
    ],
)
def test_a_site_that_cannot_take_the_lead_leaves_it_where_it_is(site_id: str, refusal: StaleReason) -> None:
    life = Life(NETWORK, held={"full": 1})
    life.arrives()
    before = life.row, dict(life.loads)

    assert life.is_ordered(site_id) is refusal
    assert (life.row, life.loads) == before


def test_a_site_that_had_its_leads_of_the_day_gets_none_from_an_operator() -> None:
    snapshot = Snapshot.build([site("daily", daily_limit=2)], 1)
    ask = Ask(
        lead(), LeadLedger(1, LeadState.WAITING), Ordered(str(UUID(int=7)), 1, Order(ordered_by="mei", site_id="daily"))
    )

    [full] = decide_batch([ask], snapshot, policy(), {}, NOW, {"daily": 2})
    [given] = decide_batch([ask], snapshot, policy(), {}, NOW, {"daily": 1})

    assert full == Stale(ask.lead.lead_id, StaleReason.SITE_FULL)
    assert ordered(given if isinstance(given, Decided) else given.reason).site_id == "daily"


def test_an_order_for_what_the_lead_was_is_refused() -> None:
    life = Life(NETWORK)
    assert life.is_ordered("next", epoch=1) is StaleReason.UNKNOWN_LEAD
    life.arrives()
    life.declined()

    assert life.is_ordered("remote", epoch=1) is StaleReason.WRONG_EPOCH
    assert life.is_ordered() is StaleReason.NOT_WAITING
    life.then(Answered(str(UUID(int=5)), 2, "next", Answer.ACCEPTED))
    assert life.row.closed is ClosedReason.ACCEPTED
    assert life.is_ordered("remote") is StaleReason.ALREADY_CLOSED


def test_a_lead_that_joined_another_one_goes_where_that_one_goes() -> None:
    life = Life(NETWORK)
    life.row = LeadLedger(1, LeadState.JOINED, "near")

    assert life.is_ordered("next") is StaleReason.JOINS_ANOTHER
    assert life.is_ended() is StaleReason.JOINS_ANOTHER


def test_a_place_settles_a_lead_that_nobody_could_find() -> None:
    life = Life(NETWORK, features=lead(point=None))
    life.arrives()
    assert life.row.waiting == "location_unclear"
    assert life.is_ordered() is StaleReason.NO_PLACE
    assert life.is_ordered("near") is StaleReason.NO_PLACE

    placed = ordered(life.is_ordered(at=(31.41, 120.6)))

    assert (placed.site_id, placed.point) == ("next", (31.41, 120.6))
    assert life.declined().site_id == "near"


def test_a_place_moves_a_held_lead_and_its_holder_may_keep_it() -> None:
    life = Life(NETWORK)
    life.arrives()

    ordered(life.is_ordered(at=(31.301, 120.6)))
    assert (life.row.site_id, life.row.epoch, life.loads) == ("near", 2, {"near": 1})

    nowhere = ordered(life.is_ordered(at=(25.0, 100.0)))
    assert (nowhere.waiting, life.loads["near"]) == ("too_far", 0)


def test_try_again_is_one_more_try_even_when_the_tries_are_over() -> None:
    life = Life([site("near"), site("next", 31.4, limit=1)], policy(tries=(0, 0, 1)), held={"next": 1})
    life.arrives()
    life.declined()

    still = ordered(life.is_ordered())
    assert (still.waiting, still.epoch) == ("needs_person", 3)
    assert b'"lost":"full"' in still.record

    life.loads["next"] = 0
    ordered(life.is_ordered())
    assert (life.row.site_id, life.row.excluded) == ("next", ("near",))


def test_a_person_ends_a_lead_that_nobody_needs_to_act_on() -> None:
    life = Life(NETWORK, policy(tries=(0, 0, 1)))
    life.arrives()
    life.declined()
    assert life.row.waiting == "needs_person"

    ended = ordered(life.is_ended(Result.UNREACHABLE))

    record = orjson.loads(ended.record)
    assert (record["reason"], record["result"], record.get("site_id")) == ("outcome", "unreachable", None)
    assert life.is_ended() is StaleReason.ALREADY_CLOSED
    assert life.is_ordered("near") is StaleReason.ALREADY_CLOSED


def test_ending_a_held_lead_frees_its_site_and_an_accepted_one_keeps_its_name() -> None:
    held, accepted = Life(NETWORK), Life(NETWORK)
    for life in (held, accepted):
        life.arrives()
    accepted.then(Answered(str(UUID(int=5)), 1, "near", Answer.ACCEPTED))

    for life in (held, accepted):
        record = orjson.loads(ordered(life.is_ended(Result.WON)).record)
        assert (record["site_id"], record["assignment_epoch"], record["result"]) == ("near", 1, "won")
        assert life.loads == {"near": 0}
        assert life.row.closed is ClosedReason.OUTCOME


def test_a_lead_that_is_over_goes_to_no_site() -> None:
    with pytest.raises(ValidationError, match="goes to no site"):
        Order(ordered_by="mei", site_id="near", result=Result.LOST)
    with pytest.raises(ValidationError, match="goes to no site"):
        LeadOrdered(
            lead_id=UUID(int=1),
            epoch=1,
            place=place_at((31.3, 120.6)),
            result=Result.WON,
            ordered_by="mei",
            ordered_at=NOW,
        )


def test_a_batch_remembers_where_an_operator_said_that_a_lead_is() -> None:
    features, snapshot = (
        lead(),
        Snapshot.build([site("near"), site("east", 31.3, 121.3), site("far-east", 31.3, 121.5)], 1),
    )
    held = LeadLedger(1, LeadState.HELD, "near", 1)
    asks = [
        Ask(features, held, Ordered(str(UUID(int=8)), 1, Order(ordered_by="mei", place=place_at((31.3, 121.3))))),
        Ask(features, held, Answered(str(UUID(int=9)), 2, "east", Answer.DECLINED)),
    ]

    decided = decide_batch(asks, snapshot, policy(), {"near": 1}, NOW)

    assert [one.site_id for one in decided if isinstance(one, Decided)] == ["east", "far-east"]


def test_what_came_after_an_order_is_decided_again_from_the_place_in_the_order() -> None:
    life = Life([site("near"), site("east", 31.3, 121.3), site("far-east", 31.3, 121.5)])
    fact = as_fact(life.lead)
    first = CONTRACT.validate_json(life.arrives().record)
    moved = ordered(life.is_ordered(at=(31.3, 121.3)))
    second = CONTRACT.validate_json(moved.record)
    place = place_at((31.3, 121.3))
    order = LeadOrdered(lead_id=UUID(life.lead.lead_id), epoch=1, place=place, ordered_by="mei", ordered_at=NOW)

    assert redecide(second, fact, [first], order, life.snapshot, life.policy) == moved.record
    other = order.model_copy(update={"place": place_at((31.3, 121.5))})
    assert redecide(second, fact, [first], other, life.snapshot, life.policy) != moved.record
