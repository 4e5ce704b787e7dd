"""Which answers count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.store_notifier.domain import Assignment, Earlier, Refusal, Said, State, Verdict, holds, judge
from shared.contracts import Answer, DeclineReason, Result

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEAD = UUID(int=1)
HERE, ELSEWHERE = "suzhou-gusu-a", "suzhou-wuzhong-b"

held = Assignment(LEAD, 3, UUID(int=3), State.ASSIGNED, HERE, 3, NOW + timedelta(hours=1), NOW)
accepted_here = Assignment(LEAD, 4, UUID(int=4), State.ACCEPTED, HERE, 3, None, NOW)
moved_on = Assignment(LEAD, 4, UUID(int=4), State.ASSIGNED, ELSEWHERE, 4, NOW + timedelta(hours=1), NOW)
accept = Said(LEAD, 3, HERE, Answer.ACCEPTED, "webhook")
decline = Said(LEAD, 3, HERE, Answer.DECLINED, "webhook", decline_reason=DeclineReason.NO_STAFF)
won = Said(LEAD, 3, HERE, Answer.OUTCOME, "webhook", result=Result.WON)
said_yes = Earlier(Answer.ACCEPTED, None, None)

RECORDED, REPEATED = Verdict("recorded"), Verdict("repeated")


def earlier_of(said: Said) -> Earlier:
    return Earlier(said.answer, said.decline_reason, said.result)


@pytest.mark.parametrize("said", [accept, decline])
def test_the_first_word_of_the_holder_counts(said: Said) -> None:
    assert judge(held, None, None, said) == RECORDED


@pytest.mark.parametrize("said", [accept, decline])
def test_the_same_word_again_is_a_repetition(said: Said) -> None:
    assert judge(held, earlier_of(said), None, said) == REPEATED


def test_an_accept_stays_a_repetition_after_the_ledger_took_it() -> None:
    assert judge(accepted_here, said_yes, None, accept) == REPEATED


def test_an_accept_repeated_after_the_lead_was_given_away_is_not_confirmed() -> None:
    assert judge(moved_on, said_yes, None, accept) == Verdict("refused", Refusal.MOVED_ON)


def test_a_decline_repeated_after_the_lead_moved_on_is_a_repetition() -> None:
    assert judge(moved_on, earlier_of(decline), None, decline) == REPEATED


@pytest.mark.parametrize(("first", "second"), [(accept, decline), (decline, accept)])
def test_a_contradiction_is_refused(first: Said, second: Said) -> None:
    assert judge(held, earlier_of(first), None, second) == Verdict("refused", Refusal.ANSWERED_OTHERWISE)


def test_another_reason_for_declining_is_a_contradiction() -> None:
    other = replace(decline, decline_reason=DeclineReason.TOO_FAR)
    assert judge(held, earlier_of(decline), None, other) == Verdict("refused", Refusal.ANSWERED_OTHERWISE)


@pytest.mark.parametrize("said", [accept, decline, won])
def test_a_late_word_is_refused(said: Said) -> None:
    assert judge(moved_on, None, None, said) == Verdict("refused", Refusal.MOVED_ON)


def test_nobody_answers_for_another_site() -> None:
    assert judge(held, None, None, replace(accept, site_id=ELSEWHERE)) == Verdict("refused", Refusal.MOVED_ON)


def test_an_outcome_needs_an_accept_before_it() -> None:
    assert judge(held, None, None, won) == Verdict("refused", Refusal.NOT_ACCEPTED)
    assert judge(held, earlier_of(decline), None, won) == Verdict("refused", Refusal.NOT_ACCEPTED)


def test_an_outcome_counts_even_before_the_ledger_has_taken_the_accept() -> None:
    assert judge(held, said_yes, None, won) == RECORDED
    assert judge(accepted_here, said_yes, None, won) == RECORDED


def test_an_outcome_is_given_once() -> None:
    after = replace(accepted_here, epoch=5, state=State.OUTCOME)
    assert judge(after, said_yes, earlier_of(won), won) == REPEATED
    lost = replace(won, result=Result.LOST)
    assert judge(after, said_yes, earlier_of(won), lost) == Verdict("refused", Refusal.ANSWERED_OTHERWISE)


def test_an_accept_after_the_notifier_gave_the_lead_back_is_refused() -> None:
    undeliverable = Earlier(Answer.UNDELIVERABLE, None, None)
    assert judge(held, undeliverable, None, accept) == Verdict("refused", Refusal.ANSWERED_OTHERWISE)


assignments = st.builds(
    Assignment,
    st.just(LEAD),
    st.integers(1, 5),
    st.just(UUID(int=9)),
    st.sampled_from(State),
    st.sampled_from([None, HERE, ELSEWHERE]),
    st.none() | st.integers(1, 5),
    st.none() | st.just(NOW),
    st.just(NOW),
)
words = st.builds(
    Said,
    st.just(LEAD),
    st.integers(1, 5),
    st.sampled_from([HERE, ELSEWHERE]),
    st.sampled_from([Answer.ACCEPTED, Answer.DECLINED, Answer.OUTCOME]),
    st.just("webhook"),
    st.none() | st.sampled_from(DeclineReason),
    st.none() | st.sampled_from(Result),
)


@given(assignments, st.none() | words.map(earlier_of), st.none() | words.map(earlier_of), words)
def test_only_the_holder_is_ever_recorded_and_never_twice_on_one_stage(
    assignment: Assignment, response: Earlier | None, outcome: Earlier | None, said: Said
) -> None:
    verdict = judge(assignment, response, outcome, said)
    if verdict == RECORDED:
        assert holds(assignment, said.site_id, said.epoch)
        assert (outcome if said.stage == "outcome" else response) is None
    assert (verdict.refusal is not None) == (verdict.kind == "refused")
