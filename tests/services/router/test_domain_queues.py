"""Whose turn it is at a full site, decided by the pure engine."""

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.router.domain import (
    Answered,
    Ask,
    Decided,
    Due,
    LeadLedger,
    LeadState,
    Ordered,
    Stale,
    Travel,
    Waiter,
    WaitingLead,
    decide_batch,
    redecide,
    wanted_sites,
)
from services.router.domain.queues import Queues
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from shared.contracts import Answer, LeadWaiting, Order, WaitingReason
from tests.services.router.networks import NOW, as_fact, lead, policy, received, site
from tests.services.router.records import CONTRACT, lost, said

NEAR, FAR = site("near", limit=2), site("far", 31.4)
LIMITED = policy(max_km=5)
EARLIER, LATER = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)


def waiter(number: int, at: datetime = EARLIER) -> Waiter:
    return Waiter(at, str(UUID(int=number)))


def decide(
    *asks: Ask, network: tuple[Site, ...] = (NEAR,), rules: Policy = LIMITED, load: int = 1, **given: list[Waiter]
) -> list[Decided]:
    """What the engine decides where `near` holds `load` leads, and these wait for sites."""
    answers = decide_batch(asks, Snapshot.build(network, 1), rules, {"near": load}, NOW, queues=given)
    assert all(isinstance(answer, Decided) for answer in answers)
    return [answer for answer in answers if isinstance(answer, Decided)]


def waits(number: int, at: datetime = NOW) -> Ask:
    """A waiting lead is tried again."""
    row = LeadLedger(1, LeadState.WAITING, waiting=WaitingReason.ALL_FULL)
    return Ask(lead(number)._replace(received_at=at), row, Due(str(UUID(int=7_000 + number)), 1, "retry", NOW))


def ends(number: int, at: datetime = EARLIER) -> Ask:
    """The holder accepts a lead."""
    row = LeadLedger(1, LeadState.HELD, "near", 1, LATER)
    answered = Answered(str(UUID(int=8_000 + number)), 1, "near", Answer.ACCEPTED)
    return Ask(lead(number)._replace(received_at=at), row, answered)


def test_a_free_place_is_not_for_a_newer_lead_which_waits_behind() -> None:
    [decided] = decide(received(lead(1)), near=[waiter(50)])

    assert (decided.outcome, decided.waiting, decided.full) == ("waiting", WaitingReason.ALL_FULL, ("near",))
    assert said(decided)["candidates"] == [
        {"site_id": "near", "distance_m": 0, "load": 1, "queue_ahead": 1, "lost": "full"}
    ]


@pytest.mark.parametrize(
    "line",
    [[], [waiter(50, LATER)], [waiter(50, NOW)]],
    ids=["nobody waits", "who waits came later", "who waits came at the same time and has the greater id"],
)
def test_it_is_for_whoever_came_first(line: list[Waiter]) -> None:
    [decided] = decide(received(lead(1)), near=line)

    assert decided.site_id == "near"
    assert "queue_ahead" not in decided.record.decode()


def test_more_places_than_older_leads_are_for_everybody() -> None:
    one, two = decide(received(lead(1)), received(lead(2)), load=0, near=[waiter(50)])

    assert (one.site_id, two.site_id) == ("near", None)


def test_who_is_told_to_wait_goes_to_a_farther_site_that_is_free() -> None:
    [decided] = decide(received(lead(1)), network=(NEAR, FAR), rules=policy(), near=[waiter(50)])

    assert decided.site_id == "far"
    assert lost(decided) == {"near": "full", "far": None}


def test_a_day_has_places_too() -> None:
    network, taken = (site("near", daily_limit=3),), {"near": 2}
    [answer] = decide_batch(
        [received(lead(1))], Snapshot.build(network, 1), LIMITED, {}, NOW, taken, queues={"near": [waiter(50)]}
    )

    assert isinstance(answer, Decided)
    assert (answer.waiting, answer.full, answer.full_today) == (WaitingReason.ALL_FULL, ("near",), ())


def test_the_second_of_those_who_wait_waits_on() -> None:
    [decided] = decide(waits(1), near=[waiter(50), waiter(1, NOW)])

    assert decided.outcome == "waiting"


def test_the_first_of_those_who_wait_is_served_and_the_next_place_is_for_the_second() -> None:
    first, second, third = decide(waits(1, EARLIER), waits(2), received(lead(3)), load=0, near=[
        waiter(1), waiter(2, NOW)
    ])  # fmt: skip

    assert (first.site_id, second.site_id, third.site_id) == ("near", "near", None)


def test_a_place_that_is_freed_in_a_batch_is_not_for_a_lead_of_the_batch_that_came_later() -> None:
    waiting, ended, newcomer = decide(
        received(lead(1)._replace(received_at=EARLIER)), ends(2, NOW), received(lead(3)), load=2
    )

    assert (waiting.outcome, ended.outcome, newcomer.outcome) == ("waiting", "closed", "waiting")


def test_a_wish_does_not_go_before_those_who_wait() -> None:
    network = (NEAR, FAR)
    [decided] = decide(received(lead(1, preferred="near")), network=network, rules=policy(), near=[waiter(50)])

    assert decided.site_id == "far"
    assert said(decided)["preferred"] == "refused_unavailable"


def test_an_operator_who_names_a_site_goes_before_those_who_wait() -> None:
    row = LeadLedger(1, LeadState.WAITING, waiting=WaitingReason.ALL_FULL)
    order = Ordered(str(UUID(int=9_001)), 1, Order(ordered_by="mei", site_id="near"))
    [decided] = decide(Ask(lead(1), row, order), near=[waiter(50)])

    assert decided.site_id == "near"


def test_the_quickest_site_is_not_for_a_lead_behind_others() -> None:
    rules = policy(travel=(4, 60))
    times = Travel({"near": 60, "far": 600})
    [decided] = decide(received(lead(1), travel=times), network=(NEAR, FAR), rules=rules, near=[waiter(50)])

    assert decided.site_id == "far"
    assert lost(decided) == {"near": "full", "far": None}


def test_a_lead_that_was_elsewhere_before_is_served_by_its_age() -> None:
    declined = ends(1, EARLIER)._replace(
        ledger=LeadLedger(1, LeadState.HELD, "far", 1, LATER),
        stimulus=Answered(str(UUID(int=8_001)), 1, "far", Answer.DECLINED),
    )
    snapshot = Snapshot.build((NEAR, FAR), 1)
    line = {"near": [waiter(50, NOW)]}
    [answer] = decide_batch([declined], snapshot, policy(), {"near": 1, "far": 1}, NOW, queues=line)

    assert isinstance(answer, Decided)
    assert answer.site_id == "near"


def test_what_was_decided_behind_others_is_decided_again_to_the_byte() -> None:
    network = (NEAR, site("next", 31.31, limit=4), FAR)
    snapshot = Snapshot.build(network, 1)
    line = {"near": [waiter(50)], "next": [waiter(50), waiter(51)]}
    [answer] = decide_batch([received(lead(1))], snapshot, LIMITED, {"near": 1, "next": 3}, NOW, queues=line)
    assert isinstance(answer, Decided)
    recorded = CONTRACT.validate_json(answer.record)
    assert isinstance(recorded, LeadWaiting)

    assert redecide(recorded, as_fact(lead(1)), [], None, snapshot, LIMITED) == answer.record
    # The number is what decided it.
    other = recorded.model_copy(
        update={"candidates": tuple(one.model_copy(update={"queue_ahead": None}) for one in recorded.candidates)}
    )
    assert redecide(other, as_fact(lead(1)), [], None, snapshot, LIMITED) != answer.record


def test_what_was_decided_before_there_were_queues_is_decided_again_to_the_byte() -> None:
    network = (NEAR, site("next", 31.31, limit=4, daily_limit=6), FAR)
    records = Path(__file__).with_name("decided_before_queues.jsonl").read_bytes().splitlines()

    for number, record in enumerate(records, 1):
        fact = as_fact(lead(number))
        assert redecide(CONTRACT.validate_json(record), fact, [], None, Snapshot.build(network, 1), LIMITED) == record


def test_under_another_network_a_waiting_lead_stands_in_line_for_every_site_with_a_limit_that_would_take_it() -> None:
    network = (NEAR, site("day", 31.301, daily_limit=1), site("ever", 31.302), site("beyond", 32.0, limit=1))
    row = LeadLedger(2, LeadState.WAITING, excluded=("declined",), waiting=WaitingReason.TOO_FAR)
    declined = site("declined", 31.303, limit=1)
    over = row._replace(waiting=WaitingReason.NEEDS_PERSON)

    found = wanted_sites(
        [WaitingLead(lead(1), row), WaitingLead(lead(2, None), row), WaitingLead(lead(3), over)],
        Snapshot.build((*network, declined), 2),
        LIMITED,
        NOW,
    )

    assert found == [("near", "day"), (), ()]


def test_a_lead_that_waits_no_more_is_out_of_every_line() -> None:
    queues = Queues({"a": [waiter(1), waiter(2)], "b": [waiter(1)]})
    queues.leave(str(UUID(int=1)))
    queues.begin(NOW, str(UUID(int=9)))

    assert queues.are_all_taken("a", 1)
    assert not queues.are_all_taken("a", 2)
    assert not queues.are_all_taken("b", 1)
    assert queues.behind == {"a": 1}


def test_a_lead_that_is_stale_changes_no_line() -> None:
    stale = waits(1, EARLIER)._replace(stimulus=Due(str(UUID(int=7_001)), 5, "retry", NOW))
    first, second = decide_batch(
        [stale, received(lead(2))], Snapshot.build((NEAR,), 1), LIMITED, {"near": 1}, NOW, queues={"near": [waiter(1)]}
    )

    assert isinstance(first, Stale)
    assert isinstance(second, Decided)
    assert second.outcome == "waiting"
