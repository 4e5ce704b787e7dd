"""Decides again what was decided: from recorded inputs alone, to the same bytes."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.router.domain.decide import decide_apart
from services.router.domain.ledger import (
    NEW,
    Answered,
    Ask,
    Due,
    Erased,
    Held,
    LeadFeatures,
    LeadLedger,
    LeadState,
    LiveLead,
    Ordered,
    Received,
    Stale,
    Stay,
    Stimulus,
    Travel,
)
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import (
    Cause,
    LeadAnswered,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadDue,
    LeadJoined,
    LeadOrdered,
    LeadReceived,
    LeadWaiting,
    Lost,
    Measure,
)

Trigger = LeadAnswered | LeadDue | LeadOrdered
"""A fact that starts a later epoch and says more than that it happened."""
_EXCLUDING = frozenset({Cause.DECLINED, Cause.SILENT, Cause.UNDELIVERABLE})


class Past(NamedTuple):
    """One recorded decision with what it was decided from."""

    recorded: LeadDecided
    lead: LeadReceived
    previous: Sequence[LeadDecided]
    """All earlier decisions of the lead, any order: they give its row."""
    trigger: Trigger | None
    """The fact that started this epoch, None for a lead received or erased."""


def redecide(
    recorded: LeadDecided,
    lead: LeadReceived,
    previous: Sequence[LeadDecided],
    trigger: Trigger | None,
    snapshot: Snapshot,
    policy: Policy,
) -> bytes:
    """`redecide_batch` for one decision."""
    return redecide_batch([Past(recorded, lead, previous, trigger)], snapshot, policy)[0]


def redecide_batch(past: Sequence[Past], snapshot: Snapshot, policy: Policy) -> list[bytes]:
    """The canonical bytes that today's engine gives for the inputs of each decision, in order.

    From `recorded` come the time, the cause's id, the loads and travel times seen and the live lead joined. `snapshot`
    and `policy` are those of the recorded revision and version, the same for all. Decisions do not see each other.

    Where today's engine would decide nothing, the bytes are `{"stale":"<reason>"}`: never equal to a record.
    """
    answers = decide_apart([_ask(one) for one in past], snapshot, policy)
    return [
        f'{{"stale":"{answer.reason}"}}'.encode() if isinstance(answer, Stale) else answer.record for answer in answers
    ]


def _ask(past: Past) -> tuple[Ask, Held, datetime]:
    recorded = past.recorded
    ledger = ledger_after(past.previous)
    candidates = recorded.candidates if isinstance(recorded, LeadAssigned | LeadWaiting) else ()
    loads = {candidate.site_id: candidate.load for candidate in candidates}
    taken = {one.site_id: one.taken_today for one in candidates if one.taken_today is not None}
    behind = {one.site_id: one.share_behind for one in candidates if one.share_behind is not None}
    ahead = {one.site_id: one.queue_ahead for one in candidates if one.queue_ahead is not None}
    stimulus = _stimulus(recorded, str(recorded.cause_id), past.trigger)
    if ledger.state is LeadState.HELD and ledger.site_id in loads and not isinstance(stimulus, Received):
        # The record shows the load after the holder let go; the batch takes it off again.
        loads[ledger.site_id] += 1
    live = None
    if isinstance(recorded, LeadJoined):
        joins = str(recorded.joins_lead_id)
        live = LiveLead(joins, LeadState.HELD, recorded.site_id, None, recorded.decided_at)
    return (
        Ask(_features(past), ledger, stimulus, live, _travel(recorded), _stay(recorded)),
        Held(loads, taken, behind=behind, ahead=ahead),
        recorded.decided_at,
    )


def _travel(recorded: LeadDecided) -> Travel | None:
    """The times that decided, or why none did; a record that tells of no measure was decided without them."""
    if not isinstance(recorded, LeadAssigned | LeadWaiting) or recorded.measure is None:
        return None
    if recorded.measure is Measure.DISTANCE_FALLBACK:
        return Travel({}, recorded.why_distance)
    return Travel(
        {
            one.site_id: one.travel_s
            for one in recorded.candidates
            if one.travel_s is not None or one.lost is Lost.NO_ROUTE
        }
    )


def _stay(recorded: LeadDecided) -> Stay | None:
    return None if recorded.stay is None else Stay(recorded.stay.rule, recorded.stay.site_id)


def _features(past: Past) -> LeadFeatures:
    """What the lead said, and where operators said later that it is."""
    features = LeadFeatures.of(past.lead)
    places = {one.epoch: one.order.place for one in past.previous if one.order is not None and one.order.place}
    if not places:
        return features
    place = places[max(places)]
    return features._replace(point=(place.lat, place.lon))


def ledger_after(decisions: Sequence[LeadDecided]) -> LeadLedger:
    """The lead's row after these decisions (all of one lead, in any order); `NEW` for none."""
    ledger = NEW
    for decision in sorted(decisions, key=lambda decision: decision.epoch):
        ledger = _apply(ledger, decision)
    return ledger


def _apply(ledger: LeadLedger, decision: LeadDecided) -> LeadLedger:
    excluded = ledger.excluded
    if decision.cause in _EXCLUDING and ledger.site_id is not None and ledger.site_id not in excluded:
        excluded = (*excluded, ledger.site_id)
    match decision:
        case LeadAssigned():
            return LeadLedger(
                decision.epoch,
                LeadState.HELD,
                decision.site_id,
                decision.epoch,
                decision.respond_by,
                excluded=excluded,
            )
        case LeadWaiting():
            return LeadLedger(decision.epoch, LeadState.WAITING, excluded=excluded, waiting=decision.reason)
        case LeadJoined():
            return LeadLedger(decision.epoch, LeadState.JOINED, decision.site_id)
        case LeadClosed():
            return LeadLedger(
                decision.epoch,
                LeadState.CLOSED,
                decision.site_id,
                decision.assignment_epoch,
                closed=decision.reason,
                excluded=excluded,
            )


def _stimulus(recorded: LeadDecided, cause_id: str, trigger: Trigger | None) -> Stimulus:
    if isinstance(trigger, LeadAnswered):
        return Answered.of(cause_id, trigger)
    if isinstance(trigger, LeadDue):
        return Due.of(cause_id, trigger)
    if isinstance(trigger, LeadOrdered):
        return Ordered.of(cause_id, trigger)
    return Erased(cause_id) if recorded.cause is Cause.ERASED else Received(cause_id)
