"""A lead's life in the ledger: every stimulus in every state either moves it forward or is refused by name."""

from datetime import datetime, timedelta
from uuid import UUID

import orjson
import pytest

from services.router.domain import (
    NEW,
    Answered,
    Ask,
    Decided,
    Due,
    Erased,
    LeadFeatures,
    LeadLedger,
    LeadState,
    Received,
    Stale,
    StaleReason,
    Stimulus,
    decide_batch,
)
from services.router.snapshot import Snapshot
from shared.contracts import Answer, ClosedReason, Result
from tests.services.router.networks import NOW, lead, policy, received, site

SNAPSHOT = Snapshot.build([site("near"), site("next", 31.4), site("last", 31.5)], 1)
LATER = NOW + timedelta(minutes=30)


class Life:
    """One lead and its row; `then` lets something happen to it."""

    def __init__(self, features: LeadFeatures | None = None, held: dict[str, int] | None = None) -> None:
        self.lead = features or lead()
        self.row = NEW
        self.loads = held if held is not None else {}
        self.facts = 0

    def then(self, stimulus: Stimulus, snapshot: Snapshot = SNAPSHOT, now: datetime = NOW) -> Decided | StaleReason:
        [answer] = decide_batch([Ask(self.lead, self.row, stimulus)], snapshot, policy(), self.loads, now)
        if isinstance(answer, Stale):
            return answer.reason
        assert answer.epoch == self.row.epoch + 1
        self.row = answer.after
        for site_id, change in answer.deltas:
            self.loads[site_id] = self.loads.get(site_id, 0) + change
        return answer

    def arrives(self) -> Decided | StaleReason:
        return self.then(Received(self.fact()))

    def answers(
        self, answer: Answer, site_id: str = "near", epoch: int = 1, result: Result | None = None
    ) -> Decided | StaleReason:
        return self.then(Answered(self.fact(), epoch, site_id, answer, result))

    def is_due(self, epoch: int = 1, at: datetime = LATER) -> Decided | StaleReason:
        return self.then(Due(self.fact(), epoch, "respond_by", at), now=LATER)

    def fact(self) -> str:
        self.facts += 1
        return str(UUID(int=50_000 + self.facts))


def test_an_accepted_lead_stays_with_its_site_and_frees_its_place() -> None:
    life = Life()
    life.arrives()
    assert life.loads == {"near": 1}

    accepted = life.answers(Answer.ACCEPTED)

    assert isinstance(accepted, Decided)
    assert orjson.loads(accepted.record)["assignment_epoch"] == 1
    assert life.row == LeadLedger(2, LeadState.CLOSED, "near", 1, closed=ClosedReason.ACCEPTED)
    assert life.loads == {"near": 0}


def test_an_outcome_ends_the_accepted_lead_once() -> None:
    life = Life()
    life.arrives()
    life.answers(Answer.ACCEPTED)

    ended = life.answers(Answer.OUTCOME, result=Result.WON)

    assert isinstance(ended, Decided)
    assert orjson.loads(ended.record)["result"] == "won"
    assert life.answers(Answer.OUTCOME, result=Result.LOST) is StaleReason.ALREADY_CLOSED
    assert life.loads == {"near": 0}


def test_an_outcome_without_an_acceptance_ends_the_hold() -> None:
    life = Life()
    life.arrives()

    life.answers(Answer.OUTCOME, result=Result.UNREACHABLE)

    assert (life.row.closed, life.loads) == (ClosedReason.OUTCOME, {"near": 0})
    assert life.is_due() is StaleReason.ALREADY_CLOSED


def test_a_declined_lead_goes_to_the_next_and_never_back() -> None:
    life = Life()
    life.arrives()

    life.answers(Answer.DECLINED)
    assert (life.row.site_id, life.row.excluded, life.loads) == ("next", ("near",), {"near": 0, "next": 1})
    life.answers(Answer.UNDELIVERABLE, "next", 2)
    assert life.row.site_id == "last"
    life.answers(Answer.DECLINED, "last", 3)

    assert (life.row.state, life.row.excluded) == (LeadState.WAITING, ("near", "next", "last"))
    again = life.then(Due(life.fact(), 4, "retry", LATER))
    assert isinstance(again, Decided)
    assert (again.waiting, again.epoch) == ("all_declined", 5)


def test_silence_moves_the_lead_on() -> None:
    life = Life()
    life.arrives()

    moved = life.is_due()

    assert isinstance(moved, Decided)
    assert orjson.loads(moved.record)["cause"] == "silent"
    assert (life.row.site_id, life.row.respond_by) == ("next", LATER + timedelta(minutes=10))


def test_a_waiting_lead_is_given_away_when_a_site_opens() -> None:
    life = Life()
    empty = Snapshot.build([], 1)
    life.then(Received(life.fact()), empty)
    assert life.row.state is LeadState.WAITING

    given = life.then(Due(life.fact(), 1, "retry", LATER))

    assert isinstance(given, Decided)
    assert (given.site_id, orjson.loads(given.record)["cause"]) == ("near", "retried")
    assert life.then(Due(life.fact(), 2, "retry", LATER)) is StaleReason.NOT_WAITING


def test_what_does_not_name_the_present_hold_is_refused() -> None:
    life = Life()
    assert life.answers(Answer.ACCEPTED) is StaleReason.UNKNOWN_LEAD
    life.arrives()

    assert life.arrives() is StaleReason.ALREADY_RECEIVED
    assert life.answers(Answer.ACCEPTED, epoch=2) is StaleReason.WRONG_EPOCH
    assert life.answers(Answer.ACCEPTED, "next") is StaleReason.NOT_THE_HOLDER
    assert life.is_due(at=NOW) is StaleReason.NOT_YET_DUE
    assert life.is_due(epoch=3) is StaleReason.WRONG_EPOCH
    life.answers(Answer.DECLINED)
    assert life.answers(Answer.ACCEPTED) is StaleReason.WRONG_EPOCH
    assert life.is_due() is StaleReason.WRONG_EPOCH
    life.answers(Answer.ACCEPTED, "next", 2)
    assert life.answers(Answer.ACCEPTED, "next", 2) is StaleReason.ALREADY_CLOSED
    assert life.answers(Answer.DECLINED, "next", 2) is StaleReason.ALREADY_CLOSED
    assert life.is_due(epoch=2) is StaleReason.ALREADY_CLOSED
    assert life.loads == {"near": 0, "next": 0}


def test_a_waiting_lead_hears_no_answers() -> None:
    life = Life(lead(point=None))
    life.arrives()

    assert life.answers(Answer.ACCEPTED) is StaleReason.NOT_HELD
    assert life.is_due() is StaleReason.NOT_HELD
    assert life.then(Due(life.fact(), 7, "retry", LATER)) is StaleReason.WRONG_EPOCH


@pytest.mark.parametrize("answered", [None, Answer.DECLINED, Answer.ACCEPTED])
def test_an_erased_lead_is_closed_wherever_it_is(answered: Answer | None) -> None:
    life = Life()
    life.arrives()
    if answered:
        life.answers(answered)

    life.then(Erased(life.fact()))

    assert life.row.closed is ClosedReason.ERASED
    assert not any(life.loads.values())
    assert life.then(Erased(life.fact())) is StaleReason.ALREADY_CLOSED


def test_a_lead_received_after_its_person_was_erased_is_closed_at_once() -> None:
    life = Life()

    closed = life.then(Erased(life.fact()))

    assert isinstance(closed, Decided)
    assert (closed.epoch, closed.outcome, closed.deltas) == (1, "closed", ())


def test_a_batch_sees_its_own_earlier_decisions_of_a_lead() -> None:
    features = lead()
    asks = [
        received(features),
        Ask(features, NEW, Answered(str(UUID(int=9)), 1, "near", Answer.DECLINED)),
        Ask(features, NEW, Answered(str(UUID(int=10)), 2, "next", Answer.ACCEPTED)),
        Ask(features, NEW, Received(str(UUID(int=11)))),
    ]

    one, two, three, four = decide_batch(asks, SNAPSHOT, policy(), {}, NOW)

    assert isinstance(one, Decided)
    assert isinstance(two, Decided)
    assert isinstance(three, Decided)
    assert [(d.epoch, d.outcome, d.site_id) for d in (one, two, three)] == [
        (1, "assigned", "near"),
        (2, "assigned", "next"),
        (3, "closed", "next"),
    ]
    assert four == Stale(features.lead_id, StaleReason.ALREADY_RECEIVED)


def test_a_place_freed_in_a_batch_is_free_for_the_next_lead_of_it() -> None:
    snapshot = Snapshot.build([site("only", limit=1)], 1)
    holder, next_one = lead(1), lead(2)
    ends = Ask(holder, LeadLedger(1, LeadState.HELD, "only", 1), Answered(str(UUID(int=9)), 1, "only", Answer.ACCEPTED))

    _, decided = decide_batch([ends, received(next_one)], snapshot, policy(), {"only": 1}, NOW)

    assert isinstance(decided, Decided)
    assert decided.site_id == "only"
