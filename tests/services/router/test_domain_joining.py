"""One customer, one holder: a lead of a person whose other lead is live joins that one."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.router.domain import Answered, Ask, Decided, LeadLedger, LeadState, LiveLead, decide_batch
from services.router.snapshot import Snapshot
from shared.contracts import Answer, ClosedReason, Result
from shared.vocabulary import Intent
from tests.services.router.networks import NOW, lead, policy, received, site

SNAPSHOT = Snapshot.build([site("near"), site("next", 31.4), site("last", 31.5)], 1)


def live(state: LeadState = LeadState.HELD, closed: ClosedReason | None = None, hours_ago: float = 1) -> LiveLead:
    return LiveLead(str(UUID(int=77)), state, "last", closed, NOW - timedelta(hours=hours_ago))


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (live(), "joined"),
        (live(LeadState.WAITING), "joined"),
        (live(LeadState.CLOSED, ClosedReason.ACCEPTED, 71), "joined"),
        (live(LeadState.CLOSED, ClosedReason.ACCEPTED, 73), "assigned"),
        (live(LeadState.CLOSED, ClosedReason.OUTCOME), "assigned"),
        (live(LeadState.CLOSED, ClosedReason.ERASED), "assigned"),
        (live(LeadState.JOINED), "assigned"),
    ],
)
def test_a_lead_joins_a_live_one_only(other: LiveLead, outcome: str) -> None:
    ask = received(lead())._replace(live=other)

    [decided] = decide_batch([ask], SNAPSHOT, policy(), {}, NOW)

    assert isinstance(decided, Decided)
    assert decided.outcome == outcome
    if outcome == "joined":
        assert (decided.joins_lead_id, decided.site_id, decided.deltas) == (str(UUID(int=77)), "last", ())
        assert decided.after.state is LeadState.JOINED


def test_two_leads_of_one_person_in_one_batch_become_one_call() -> None:
    first, second, service, stranger = (
        lead(1, person=5),
        lead(2, person=5, intent=Intent.TEST_DRIVE),
        lead(3, person=5, intent=Intent.MAINTENANCE),
        lead(4, person=6),
    )

    decisions = decide_batch([received(one) for one in (first, second, service, stranger)], SNAPSHOT, policy(), {}, NOW)

    outcomes = [(one.outcome, one.joins_lead_id) for one in decisions if isinstance(one, Decided)]
    assert outcomes == [("assigned", None), ("joined", first.lead_id), ("assigned", None), ("assigned", None)]


def test_a_live_lead_that_ends_earlier_in_the_batch_is_joined_no_more() -> None:
    old, new = lead(77, person=5), lead(2, person=5)
    row = LeadLedger(1, LeadState.HELD, "last", 1)
    ends = Ask(old, row, Answered(str(UUID(int=9)), 1, "last", Answer.OUTCOME, Result.LOST))
    arrives = received(new)._replace(live=live())

    _, decided = decide_batch([ends, arrives], SNAPSHOT, policy(), {"last": 1}, NOW)

    assert isinstance(decided, Decided)
    assert decided.outcome == "assigned"
