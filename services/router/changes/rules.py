"""Who may do what with a change, and when. Pure; everything that may not be is raised as one line for a person."""

from collections.abc import Sequence
from datetime import datetime

from services.router.changes.change import OPEN, Change, Kind
from services.router.sites import Loss
from shared.errors import UserError
from shared.words import counted

LEAST_OPERATORS = 2
"""With fewer nobody could approve, and the rule could not even be taken back."""
_NEEDS_NO_KEY = frozenset({Kind.POLICY, Kind.NETWORK})


class ChangeRefused(UserError):  # noqa: N818 - it says what happened to the change
    """The change may not be made, approved or put into effect; nothing was changed."""


def may_propose(kind: Kind, who: str | None, operators: Sequence[str], *, two_person: bool) -> None:
    """Raise unless `who` (None: somebody without a key) may ask for a change of this kind."""
    if who is not None or (kind in _NEEDS_NO_KEY and not two_person) or (kind is Kind.OPERATOR and not operators):
        return
    why = "two people make every change here" if two_person else "only operators may do this"
    raise ChangeRefused(f"{why}, and you gave no key", "set WAYPOST_OPERATOR_KEY to your operator's key")


def may_approve(change: Change, who: str | None, *, two_person: bool) -> None:
    """Raise unless `who` may approve the change. Approving again gives it another time, or lets it undo others."""
    _must_be_open(change)
    if not two_person:
        return
    if who is None:
        raise ChangeRefused(
            "changes are approved by operators, and you gave no key", "set WAYPOST_OPERATOR_KEY to your operator's key"
        )
    if who == change.proposed_by:
        raise ChangeRefused(
            f"{who} proposed change {change.change_id} and cannot approve it too", "another operator must"
        )


def may_withdraw(change: Change, who: str | None, *, two_person: bool) -> None:
    """Raise unless `who` may withdraw the change: any operator may, as nothing is changed by it."""
    _must_be_open(change)
    if two_person and who is None:
        raise ChangeRefused(
            "changes are withdrawn by operators, and you gave no key", "set WAYPOST_OPERATOR_KEY to your operator's key"
        )


def _must_be_open(change: Change) -> None:
    if change.state not in OPEN:
        raise ChangeRefused(
            f"change {change.change_id} is {change.state.replace('_', ' ')} already",
            f"`waypost changes show {change.change_id}` tells when",
        )


def may_take_effect_at(moment: datetime | None, now: datetime) -> None:
    """Raise for a time that has passed: what is meant for three in the morning shall not come at noon."""
    if moment is not None and moment <= now:
        raise ChangeRefused(
            f"{moment:%F %T} UTC has passed", "give a time to come with --at, or `--at now` for at once"
        )


def must_have_its_base(change: Change, current: int, *, even_if_changed: bool) -> None:
    """Raise when something took effect since the change was made: it is whole, and would undo that."""
    if change.kind in _NEEDS_NO_KEY and current != change.base and not even_if_changed:
        name = "policy version" if change.kind is Kind.POLICY else "network revision"
        raise ChangeRefused(
            f"change {change.change_id} was made on {name} {change.base}, and {current} is in effect: "
            "it would undo what came between",
            "make it again on what is in effect, or approve it with --even-if-changed",
        )


def must_be_meant(loss: Loss, yes_remove: int | None) -> None:
    """Raise for a network that leaves out many open sites, unless their number was said: it may be a part of one."""
    lost = len(loss.site_ids)
    if yes_remove is not None and yes_remove != lost:
        raise ChangeRefused(
            f"--yes-remove says {yes_remove}, and {lost} of {counted(loss.of, 'open site')} would get no leads",
            f"if that is meant, say --yes-remove {lost}",
        )
    if yes_remove is None and loss.is_large:
        raise ChangeRefused(str(loss), f"a network file holds every site; if that is meant, add --yes-remove {lost}")


def must_not_surprise(change: Change, findings: Sequence[str], known_now: Sequence[str]) -> None:
    """Raise for findings that nobody saw: neither with the change, nor about what is in effect now.

    The policy and the network go on changing while a change waits for its time, so they may part.
    """
    unseen = [finding for finding in findings if finding not in change.findings and finding not in known_now]
    if unseen:
        other = "network" if change.kind is Kind.POLICY else "policy"
        raise ChangeRefused(
            f"the {change.kind} of change {change.change_id} no longer fits the {other}: " + "; ".join(unseen),
            "correct it and propose it again",
        )


def may_disable(operator: str, operators: Sequence[str], *, two_person: bool) -> None:
    """Raise when too few would be left to approve anything."""
    if two_person and operator in operators and len(operators) <= LEAST_OPERATORS:
        raise ChangeRefused(
            f"without {operator} nobody could approve what the last one proposes",
            "add another operator first, or switch the rule of two off",
        )


def may_need_two(operators: Sequence[str]) -> None:
    """Raise when there are too few operators for the rule of two."""
    if len(operators) < LEAST_OPERATORS:
        raise ChangeRefused(
            f"the rule of two needs {counted(LEAST_OPERATORS, 'operator')}, and there is {len(operators) or 'none'}",
            "`waypost operator add NAME` adds one",
        )
