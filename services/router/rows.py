"""Decisions as the rows that the ledger keeps of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import orjson

from services.router.db.recording import FirstDecisions, FurtherDecision, MovedLead
from services.router.domain import Ask, Decided, LeadLedger, LeadState
from services.router.policy import Policy
from services.router.reading import Arrival
from shared.contracts import ClosedReason, Lost, WaitingReason
from shared.vocabulary import Intent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Answer = tuple[Arrival, Ask, Decided]
"""What happened, what was asked because of it, and what was decided."""


def first_decisions(answers: Sequence[Answer], policy: Policy) -> FirstDecisions:
    """New leads with what was decided when they came."""
    ordered = sorted(answers, key=lambda answer: (answer[1].lead.person_id, answer[1].lead.lead_id))
    leads = [ask.lead for _, ask, _ in ordered]
    ones = [one for _, _, one in ordered]
    groups = {intent: policy.join_group(intent) for intent in Intent}
    return FirstDecisions(
        person_id=[lead.person_id for lead in leads],
        lead_id=[lead.lead_id for lead in leads],
        decision_id=[one.decision_id for one in ones],
        outcome=[one.outcome for one in ones],
        site_id=[one.site_id for one in ones],
        cause_id=[ask.stimulus.fact_id for _, ask, _ in ordered],
        record=[one.record.decode() for one in ones],
        due_at=[_text(one.respond_by or one.retry_at) for one in ones],
        join_group=[groups[lead.intent] for lead in leads],
        intent=[lead.intent for lead in leads],
        lat=[None if lead.point is None else repr(lead.point[0]) for lead in leads],
        lon=[None if lead.point is None else repr(lead.point[1]) for lead in leads],
        preferred_site_id=[lead.preferred_site_id for lead in leads],
        received_us=[str((lead.received_at - _EPOCH) // _MICROSECOND) for lead in leads],
        traceparent=[arrival.traceparent for arrival, _, _ in ordered],
        vehicle=[lead.vehicle or None for lead in leads],
        waits_for=[_waits_for(one) for one in ones],
        waiting=[one.waiting for one in ones],
    )


def further_decision(answer: Answer) -> FurtherDecision:
    """A decision of a lead that has one already."""
    _, ask, one = answer
    return FurtherDecision(
        one.lead_id, one.epoch, one.decision_id, one.outcome, one.site_id, ask.stimulus.fact_id, one.record.decode()
    )


def moved_lead(one: Decided, from_epoch: int, point: tuple[float, float] | None, *, is_live: bool) -> MovedLead:
    """Where the last decision of a batch brings its lead; `is_live`: other leads may have joined it until then."""
    after = one.after
    may_be_live = after.state in (LeadState.WAITING, LeadState.HELD) or after.closed is ClosedReason.ACCEPTED
    return MovedLead(
        one.lead_id,
        from_epoch,
        after.epoch,
        _state(after),
        after.closed,
        after.site_id,
        after.assignment_epoch,
        _text(after.respond_by or one.retry_at),
        is_live and may_be_live,
        " ".join(after.excluded),
        _waits_for(one),
        after.waiting,
        point,
    )


@lru_cache(maxsize=64)
def _text(time: datetime | None) -> str | None:
    # The deadlines of a batch are a few, one per intent.
    return None if time is None else time.isoformat()


def _state(after: LeadLedger) -> str:
    if after.state is None:
        raise ValueError("a decided lead has a state")
    return after.state.value


def _waits_for(one: Decided) -> str:
    """The full sites that would have taken a waiting lead: it is tried again when one of them has room."""
    if one.outcome != "waiting" or one.waiting is WaitingReason.NEEDS_PERSON or _FULL not in one.record:
        return ""
    candidates = orjson.loads(one.record)["candidates"]
    return " ".join(candidate["site_id"] for candidate in candidates if candidate.get("lost") == Lost.FULL)


_FULL = f'"lost":"{Lost.FULL.value}"'.encode()
