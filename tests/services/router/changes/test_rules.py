"""Who may do what with a change, without any database."""

from datetime import UTC, datetime, timedelta

import pytest

from services.router.changes.change import Change, Kind, State
from services.router.changes.rules import (
    ChangeRefused,
    may_approve,
    may_disable,
    may_need_two,
    may_propose,
    may_take_effect_at,
    may_withdraw,
    must_have_its_base,
    must_not_surprise,
)

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
CHANGE = Change(
    change_id=12,
    kind=Kind.POLICY,
    digest="0" * 64,
    base=7,
    restores=None,
    findings=("warning: intents.purchase: seen",),
    even_if_changed=False,
    proposed_by="ann",
    proposed_at=NOW,
    approved_by=None,
    approved_at=None,
    takes_effect_at=None,
    state=State.PROPOSED,
)


@pytest.mark.parametrize("kind", [Kind.POLICY, Kind.NETWORK])
def test_one_person_may_change_policy_and_network_without_a_key_until_two_are_needed(kind: Kind) -> None:
    may_propose(kind, None, [], two_person=False)
    may_propose(kind, "ann", ["ann", "ben"], two_person=True)
    with pytest.raises(ChangeRefused, match="two people make every change here, and you gave no key"):
        may_propose(kind, None, ["ann", "ben"], two_person=True)


def test_only_the_first_operator_is_added_without_a_key_and_nobody_changes_the_rule_without_one() -> None:
    may_propose(Kind.OPERATOR, None, [], two_person=False)
    with pytest.raises(ChangeRefused, match="only operators may do this"):
        may_propose(Kind.OPERATOR, None, ["ann"], two_person=False)
    with pytest.raises(ChangeRefused, match="only operators may do this"):
        may_propose(Kind.TWO_PERSON, None, [], two_person=False)
    may_propose(Kind.TWO_PERSON, "ann", ["ann"], two_person=False)


def test_another_operator_approves_and_the_same_one_does_not() -> None:
    may_approve(CHANGE, "ben", two_person=True)
    with pytest.raises(ChangeRefused, match="ann proposed change 12 and cannot approve it too"):
        may_approve(CHANGE, "ann", two_person=True)
    with pytest.raises(ChangeRefused, match="you gave no key"):
        may_approve(CHANGE, None, two_person=True)


def test_what_was_proposed_before_the_rule_went_off_may_be_approved_by_anybody() -> None:
    may_approve(CHANGE, "ann", two_person=False)
    may_approve(CHANGE, None, two_person=False)


@pytest.mark.parametrize("state", [State.IN_EFFECT, State.WITHDRAWN, State.REFUSED])
def test_a_change_that_has_its_end_is_neither_approved_nor_withdrawn(state: State) -> None:
    ended = CHANGE._replace(state=state)
    for forbidden in (may_approve, may_withdraw):
        with pytest.raises(ChangeRefused, match=f"change 12 is {state.replace('_', ' ')} already"):
            forbidden(ended, "ben", two_person=True)


def test_an_approved_change_can_be_approved_anew_or_withdrawn_until_it_takes_effect() -> None:
    approved = CHANGE._replace(state=State.APPROVED, approved_by="ben")
    may_approve(approved, "cleo", two_person=True)
    with pytest.raises(ChangeRefused, match="ann proposed change 12"):
        may_approve(approved, "ann", two_person=True)
    may_withdraw(approved, "ann", two_person=True)
    with pytest.raises(ChangeRefused, match="you gave no key"):
        may_withdraw(approved, None, two_person=True)
    may_withdraw(approved, None, two_person=False)


def test_a_time_that_has_passed_is_refused() -> None:
    may_take_effect_at(None, NOW)
    may_take_effect_at(NOW + timedelta(seconds=1), NOW)
    for passed in (NOW, NOW - timedelta(days=1)):
        with pytest.raises(ChangeRefused, match="UTC has passed"):
            may_take_effect_at(passed, NOW)


def test_a_change_made_on_an_older_base_is_refused_unless_somebody_took_that_on_himself() -> None:
    must_have_its_base(CHANGE, 7, even_if_changed=False)
    must_have_its_base(CHANGE, 8, even_if_changed=True)
    with pytest.raises(ChangeRefused, match="was made on policy version 7, and 8 is in effect") as refused:
        must_have_its_base(CHANGE, 8, even_if_changed=False)
    assert "--even-if-changed" in refused.value.hint
    must_have_its_base(CHANGE._replace(kind=Kind.OPERATOR, base=0), 8, even_if_changed=False)


def test_only_what_nobody_has_seen_is_a_surprise() -> None:
    seen, known, new = CHANGE.findings[0], "warning: hours: known", "warning: intents.test_drive: new"
    must_not_surprise(CHANGE, [seen, known], [known])
    with pytest.raises(ChangeRefused, match=r"the policy of change 12 no longer fits the network: .*test_drive: new$"):
        must_not_surprise(CHANGE, [seen, known, new], [known])
    with pytest.raises(ChangeRefused, match="the network of change 12 no longer fits the policy"):
        must_not_surprise(CHANGE._replace(kind=Kind.NETWORK), [new], [])


def test_the_rule_of_two_always_keeps_two_operators() -> None:
    may_need_two(["ann", "ben"])
    with pytest.raises(ChangeRefused, match="needs 2 operators, and there is 1"):
        may_need_two(["ann"])
    with pytest.raises(ChangeRefused, match="and there is none"):
        may_need_two([])
    may_disable("ben", ["ann", "ben"], two_person=False)
    may_disable("ben", ["ann", "ben", "cleo"], two_person=True)
    with pytest.raises(ChangeRefused, match="without ben nobody could approve"):
        may_disable("ben", ["ann", "ben"], two_person=True)
