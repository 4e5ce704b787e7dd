"""What a decision of the router means for the notifier."""

from collections.abc import Iterable
from uuid import UUID

from services.store_notifier.domain.answering import Assignment, State
from shared.contracts import Cause, ClosedReason, LeadAssigned, LeadClosed, LeadDecided, LeadJoined

_CLOSED = {
    ClosedReason.ACCEPTED: State.ACCEPTED,
    ClosedReason.OUTCOME: State.OUTCOME,
    ClosedReason.ERASED: State.ERASED,
}


def state_after(decision: LeadDecided, traceparent: str | None) -> Assignment:
    """Where the lead stands after `decision`."""
    state, site_id, assignment_epoch, respond_by = State.WAITING, None, None, None
    match decision:
        case LeadAssigned():
            state, site_id = State.ASSIGNED, decision.site_id
            assignment_epoch, respond_by = decision.epoch, decision.respond_by
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
    )


def item_changes(decisions: Iterable[LeadDecided]) -> dict[tuple[UUID, int], tuple[str, str | None]]:
    """How decisions, in the order of their epochs, change earlier inbox items: (lead, epoch) -> (state, result)."""
    changes: dict[tuple[UUID, int], tuple[str, str | None]] = {}
    for decision in decisions:
        if isinstance(decision, LeadClosed) and decision.assignment_epoch is not None:
            item = (decision.lead_id, decision.assignment_epoch)
            if decision.reason is ClosedReason.ACCEPTED:
                changes[item] = ("accepted", None)
            elif decision.reason is ClosedReason.OUTCOME:
                changes[item] = ("outcome", decision.result)
        elif decision.epoch > 1 and decision.cause in (Cause.DECLINED, Cause.SILENT, Cause.UNDELIVERABLE):
            said_no = decision.cause is Cause.DECLINED
            changes[decision.lead_id, decision.epoch - 1] = ("declined" if said_no else "moved_on", None)
    return changes
