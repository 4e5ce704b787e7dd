"""What a decision of the router means for the notifier."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.store_notifier.domain.answering import Assignment, State
from services.store_notifier.domain.events import Over, Revoked
from shared.contracts import Cause, ClosedReason, LeadAssigned, LeadClosed, LeadDecided, LeadJoined

_CLOSED = {
    ClosedReason.ACCEPTED: State.ACCEPTED,
    ClosedReason.OUTCOME: State.OUTCOME,
    ClosedReason.ERASED: State.ERASED,
}


def state_after(decision: LeadDecided, traceparent: str | None) -> Assignment:
    """Where the lead stands after `decision`."""
    state, site_id, assignment_epoch, respond_by = State.WAITING, None, None, None
    remind_at, escalate_at, partner = None, None, None
    match decision:
        case LeadAssigned():
            state, site_id = State.ASSIGNED, decision.site_id
            assignment_epoch, respond_by = decision.epoch, decision.respond_by
            remind_at, escalate_at, partner = decision.remind_at, decision.escalate_at, decision.partner
        case LeadJoined():
            state = State.JOINED
        case LeadClosed():
            state, site_id = _CLOSED[decision.reason], decision.site_id
            assignment_epoch = decision.assignment_epoch
    return Assignment(
        lead_id=decision.lead_id,
        epoch=decision.epoch,
        decision_id=decision.decision_id,
        state=state,
        site_id=site_id,
        assignment_epoch=assignment_epoch,
        respond_by=respond_by,
        decided_at=decision.decided_at,
        traceparent=traceparent,
        remind_at=remind_at,
        escalate_at=escalate_at,
        partner=partner,
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """What becomes of an inbox item; `revoked` says why when its site did not do it itself."""

    state: str
    result: str | None = None
    revoked: Revoked | None = None


_LOST = {
    Cause.DECLINED: Ending("declined"),
    Cause.SILENT: Ending("moved_on", revoked=Revoked.SILENT),
    Cause.UNDELIVERABLE: Ending("moved_on", revoked=Revoked.UNDELIVERABLE),
}


def item_changes(decisions: Iterable[LeadDecided]) -> dict[tuple[UUID, int], Ending]:
    """How decisions, in the order of their epochs, change earlier inbox items, by (lead, epoch)."""
    changes: dict[tuple[UUID, int], Ending] = {}
    for decision in decisions:
        if isinstance(decision, LeadClosed) and decision.assignment_epoch is not None:
            item = (decision.lead_id, decision.assignment_epoch)
            if decision.reason is ClosedReason.ACCEPTED:
                changes[item] = Ending("accepted")
            elif decision.reason is ClosedReason.OUTCOME:
                by_order = decision.cause is Cause.ORDERED
                changes[item] = Ending("outcome", decision.result, Revoked.CLOSED if by_order else None)
        elif decision.epoch > 1 and decision.cause in _LOST:
            changes[decision.lead_id, decision.epoch - 1] = _LOST[decision.cause]
    return changes


_GAVE_UP = {
    Cause.DECLINED: Over.DECLINED,
    Cause.SILENT: Over.SILENT,
    Cause.UNDELIVERABLE: Over.UNDELIVERABLE,
}
_CLOSES = {
    ClosedReason.ACCEPTED: Over.ACCEPTED,
    ClosedReason.OUTCOME: Over.CLOSED,
    ClosedReason.ERASED: Over.ERASED,
}


def why_over(epoch: int, later: Sequence[LeadDecided]) -> tuple[Over, LeadDecided]:
    """Why the open assignment of `epoch` is over, and by which of the decisions after it, at least one, in their order.

    The first one ends it. But once the person is erased, that is what has to be told, and nothing else.
    """
    first, newest = later[0], later[-1]
    if isinstance(newest, LeadClosed) and newest.reason is ClosedReason.ERASED:
        return Over.ERASED, newest
    if isinstance(first, LeadClosed) and first.assignment_epoch == epoch:
        return _CLOSES[first.reason], first
    # What caused a decision tells of the epoch just before it. Between the two there may be one that nobody could read.
    return _GAVE_UP.get(first.cause, Over.MOVED) if first.epoch == epoch + 1 else Over.MOVED, first


def taken_away(newest: LeadDecided, known: Ending | None, state: str) -> Ending | None:
    """What becomes of an earlier item of a lead that still looks live (`open`, `accepted`); None: nothing.

    `known` is what the decisions between say of it.
    """
    if isinstance(newest, LeadClosed):
        if newest.reason is ClosedReason.ERASED:
            return Ending("erased", revoked=Revoked.ERASED)
        lost = state == "open" and known is None
    else:
        # Somebody else has the lead now, or nobody: also one that its site had accepted.
        lost = known is None or known.state == "accepted"
    return Ending("moved_on", revoked=Revoked.MOVED) if lost else None
