"""What a decision of the router means for the notifier."""

from services.store_notifier.domain.answering import Assignment, State
from shared.contracts import ClosedReason, LeadAssigned, LeadClosed, LeadDecided, LeadJoined

_CLOSED = {
    ClosedReason.ACCEPTED: State.ACCEPTED,
    ClosedReason.OUTCOME: State.OUTCOME,
    ClosedReason.ERASED: State.ERASED,
}


def state_after(decision: LeadDecided) -> Assignment:
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
    )
