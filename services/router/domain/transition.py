"""What a stimulus means for a lead in its present state: a next step, or the reason why it comes too late."""

from typing import NamedTuple, assert_never

from services.router.domain.ledger import (
    Answered,
    Due,
    Erased,
    LeadLedger,
    LeadState,
    Ordered,
    Received,
    StaleReason,
    Stimulus,
)
from shared.contracts import Answer, Cause, ClosedReason, WaitingReason


class Step(NamedTuple):
    """What to do: close the lead, or look for a site."""

    cause: Cause
    closes: ClosedReason | None = None
    """None: look for a site."""
    excludes: str | None = None
    """A site that this lead does not go back to."""
    frees: str | None = None
    """The holder that lets go."""


FIRST_STEP = Step(Cause.RECEIVED)
"""Of a lead that was just received."""

_RETRY = Step(Cause.RETRIED)


def next_step(ledger: LeadLedger, stimulus: Stimulus) -> Step | StaleReason:
    """A lead only moves forward, and only its present holder moves it: everything else is refused by name."""
    if isinstance(stimulus, Received):
        return FIRST_STEP if ledger.epoch == 0 else StaleReason.ALREADY_RECEIVED
    if isinstance(stimulus, Erased):
        return _erase(ledger)
    if ledger.epoch == 0:
        return StaleReason.UNKNOWN_LEAD
    if isinstance(stimulus, Answered):
        return _answer(ledger, stimulus)
    if isinstance(stimulus, Ordered):
        return _order(ledger, stimulus)
    return _due(ledger, stimulus)


def _answer(ledger: LeadLedger, answered: Answered) -> Step | StaleReason:
    held = ledger.state is LeadState.HELD
    accepted = ledger.closed is ClosedReason.ACCEPTED
    if not held and not accepted:
        return StaleReason.ALREADY_CLOSED if ledger.state is LeadState.CLOSED else StaleReason.NOT_HELD
    if answered.epoch != ledger.assignment_epoch:
        return StaleReason.WRONG_EPOCH
    if answered.site_id != ledger.site_id:
        return StaleReason.NOT_THE_HOLDER
    frees = ledger.site_id if held else None
    match answered.answer:
        case Answer.OUTCOME:
            # An outcome without an acceptance before it: the work is done, so the hold must not run into its deadline.
            return Step(Cause.OUTCOME, ClosedReason.OUTCOME, frees=frees)
        case _ if not held:
            return StaleReason.ALREADY_CLOSED
        case Answer.ACCEPTED:
            return Step(Cause.ACCEPTED, ClosedReason.ACCEPTED, frees=frees)
        case Answer.DECLINED:
            return Step(Cause.DECLINED, excludes=frees, frees=frees)
        case Answer.UNDELIVERABLE:
            return Step(Cause.UNDELIVERABLE, excludes=frees, frees=frees)
        case _:
            assert_never(answered.answer)


def _due(ledger: LeadLedger, due: Due) -> Step | StaleReason:
    if ledger.state is LeadState.CLOSED:
        return StaleReason.ALREADY_CLOSED
    if due.due == "retry":
        if ledger.state is not LeadState.WAITING:
            return StaleReason.NOT_WAITING
        if ledger.waiting is WaitingReason.NEEDS_PERSON:
            return StaleReason.NEEDS_PERSON
        return _RETRY if due.epoch == ledger.epoch else StaleReason.WRONG_EPOCH
    if ledger.state is not LeadState.HELD:
        return StaleReason.NOT_HELD
    if due.epoch != ledger.assignment_epoch:
        return StaleReason.WRONG_EPOCH
    if ledger.respond_by is not None and due.due_at < ledger.respond_by:
        return StaleReason.NOT_YET_DUE
    return Step(Cause.SILENT, excludes=ledger.site_id, frees=ledger.site_id)


def _order(ledger: LeadLedger, ordered: Ordered) -> Step | StaleReason:
    if ordered.order.result is not None:
        return _close(ledger, ordered)
    if ledger.state is LeadState.CLOSED:
        return StaleReason.ALREADY_CLOSED
    if ledger.state is LeadState.JOINED:
        return StaleReason.JOINS_ANOTHER
    if ordered.epoch != ledger.epoch:
        return StaleReason.WRONG_EPOCH
    if ledger.state is LeadState.WAITING:
        return Step(Cause.ORDERED)
    site_id, place = ordered.order.site_id, ordered.order.place
    if site_id == ledger.site_id:
        return StaleReason.ALREADY_THERE
    if site_id is None and place is None:
        return StaleReason.NOT_WAITING
    # The holder did nothing wrong: the lead may come back to it.
    return Step(Cause.ORDERED, frees=ledger.site_id)


def _close(ledger: LeadLedger, ordered: Ordered) -> Step | StaleReason:
    if ledger.state is LeadState.JOINED:
        return StaleReason.JOINS_ANOTHER
    if ledger.state is LeadState.CLOSED and ledger.closed is not ClosedReason.ACCEPTED:
        return StaleReason.ALREADY_CLOSED
    if ordered.epoch != ledger.epoch:
        return StaleReason.WRONG_EPOCH
    frees = ledger.site_id if ledger.state is LeadState.HELD else None
    return Step(Cause.ORDERED, ClosedReason.OUTCOME, frees=frees)


def _erase(ledger: LeadLedger) -> Step | StaleReason:
    # A lead with an outcome is over already, and holds nothing of the person.
    if ledger.closed is ClosedReason.OUTCOME or ledger.closed is ClosedReason.ERASED:
        return StaleReason.ALREADY_CLOSED
    return Step(Cause.ERASED, ClosedReason.ERASED, frees=ledger.site_id if ledger.state is LeadState.HELD else None)
