"""Decisions, and where they put their leads, as rows of the ledger."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from services.router.db import queues, recording
from services.router.db.recording import Added, FirstDecisions, FurtherDecision, MovedLead
from services.router.domain import Ask, Decided, LeadLedger, LeadState
from services.router.policy import Policy
from services.router.questions import Questions
from services.router.reading import Arrival
from services.router.reload import InEffect
from shared.contracts import ClosedReason
from shared.postgres import Connection
from shared.vocabulary import Intent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Answer = tuple[Arrival, Ask, Decided]
"""What happened, what was asked because of it, and what was decided."""


class Overtaken(Exception):  # noqa: N818 - it names a state
    """Another router changed the same person's or lead's state since it was read: read again and decide again."""


async def write(
    connection: Connection, decided: Sequence[Answer], asked: Questions, in_effect: InEffect, now: datetime
) -> Added:
    """Write the decisions and where they put their leads; returns the new leads of which another router keeps it, and
    the sites whose queues leads have left.

    Raises Overtaken when the batch must be read again.
    """
    revision, version, queued_for = in_effect.snapshot.revision, in_effect.policy.version, in_effect.queued_for(now)
    first = [answer for answer in decided if answer[2].epoch == 1]
    further = [answer for answer in decided if answer[2].epoch > 1]
    new = _first_decisions(first, in_effect.policy)
    last = {one.lead_id: one for _, _, one in further}
    ended = asked.in_the_way(new)
    if ended:
        await recording.end_live(connection, sorted(ended))
    if arrived := asked.noted_erased.keys() & set(new.lead_id):
        await recording.forget_erased(connection, sorted(arrived))
    added = Added(frozenset(), frozenset())
    if first:
        added = await recording.add_first(connection, new, now, revision, version, queued_for)
        if not added.lost.isdisjoint(last) or (added.left and not asked.stand_alone(added.left)):
            raise Overtaken
    if further:
        live = {lead_id for lead_id, row in asked.known.items() if row.live and lead_id not in ended}
        live.update(lead_id for lead_id, group in zip(new.lead_id, new.join_group, strict=True) if group is not None)
        points = {one.lead_id: one.point for _, _, one in further if one.point is not None}
        moved = [
            _moved(one, asked.epoch_of(lead_id), points.get(lead_id), is_live=lead_id in live)
            for lead_id, one in last.items()
        ]
        written = await recording.add_further(
            connection, [_further(answer) for answer in further], now, revision, version
        )
        if written < len(further):
            raise Overtaken
        if await recording.move_leads(connection, moved, now, revision, version, queued_for) < len(moved):
            raise Overtaken
        waited = {lead_id for lead_id, row in asked.known.items() if row.state == LeadState.WAITING}
        waited |= {lead_id for lead_id, sites in zip(new.lead_id, new.queues, strict=True) if sites}
        standing = [(one.lead_id, one.queues) for one in moved if one.queues or one.lead_id in waited]
        if standing:
            vacated = await queues.stand(connection, *zip(*standing, strict=True))
            added = added._replace(vacated=frozenset(vacated))
    return added


def _first_decisions(answers: Sequence[Answer], policy: Policy) -> FirstDecisions:
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
        waits_for=[" ".join(one.full) for one in ones],
        waiting=[one.waiting for one in ones],
        queues=[" ".join(one.full + one.full_today) for one in ones],
    )


def _further(answer: Answer) -> FurtherDecision:
    _, ask, one = answer
    return FurtherDecision(
        one.lead_id, one.epoch, one.decision_id, one.outcome, one.site_id, ask.stimulus.fact_id, one.record.decode()
    )


def _moved(one: Decided, from_epoch: int, point: tuple[float, float] | None, *, is_live: bool) -> MovedLead:
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
        " ".join(one.full),
        after.waiting,
        " ".join(one.full + one.full_today),
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
