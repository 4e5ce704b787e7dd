"""The facts that the notifier publishes, ready for its outbox. Their ids derive from what they are about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from services.store_notifier.db.outbox import Waiting
from services.store_notifier.domain import Event, Said
from shared.contracts import (
    DELIVERIES_ATTEMPTED,
    LEADS_ANSWERED,
    AttemptResult,
    DeliveryAttempted,
    LeadAnswered,
    derived_id,
)
from shared.tracing import child

SOURCE = "store_notifier"


def delivery_id_of(decision_id: UUID, endpoint_id: UUID, event: Event = Event.CREATED) -> UUID:
    """Id of what one endpoint is told of one decision; its `webhook-id`, the same at every attempt."""
    if event is Event.CREATED:
        return derived_id("delivery", decision_id, endpoint_id)
    return derived_id("delivery", decision_id, endpoint_id, event)


def answer_id_of(said: Said) -> UUID:
    """Id of the one answer that a stage of an assignment can have."""
    return derived_id("answer", said.lead_id, said.epoch, said.stage)


def answered(said: Said, now: datetime, traceparent: str | None) -> Waiting:
    """leads.answered for an answer that was recorded."""
    answer_id = answer_id_of(said)
    fact = LEADS_ANSWERED.fact(
        LeadAnswered(
            lead_id=said.lead_id,
            epoch=said.epoch,
            site_id=said.site_id,
            answer=said.answer,
            decline_reason=said.decline_reason,
            result=said.result,
            answered_at=now,
            via=said.via,
        ),
        id=answer_id,
        source=SOURCE,
        subject=str(said.lead_id),
        time=now,
        traceparent=child(traceparent, str(answer_id)),
    )
    return Waiting(LEADS_ANSWERED.name, str(said.lead_id).encode(), fact.to_bytes(), traceparent)


def attempted_by_webhook(
    delivery: asyncpg.Record,
    attempt: int,
    result: AttemptResult,
    at: datetime,
    *,
    took_ms: int = 0,
    status_code: int | None = None,
    next_attempt_at: datetime | None = None,
) -> Waiting:
    """deliveries.attempted about one delivery row."""
    return attempted(
        delivery_id=delivery["delivery_id"],
        lead_id=delivery["lead_id"],
        epoch=delivery["epoch"],
        site_id=delivery["site_id"],
        endpoint_id=delivery["endpoint_id"],
        channel="webhook",
        attempt=attempt,
        result=result,
        at=at,
        traceparent=delivery["traceparent"],
        event=Event(delivery["event"]),
        took_ms=took_ms,
        status_code=status_code,
        next_attempt_at=next_attempt_at,
    )


def voided(rows: Sequence[asyncpg.Record], now: datetime) -> list[Waiting]:
    """deliveries.attempted for voided rows. A reminder that nobody needed is no news, unless it was tried."""
    return [
        attempted_by_webhook(row, row["attempt"] + 1, AttemptResult.VOID, now)
        for row in rows
        if row["attempt"] or row["event"] == Event.CREATED
    ]


def attempted(
    *,
    delivery_id: UUID,
    lead_id: UUID,
    epoch: int,
    site_id: str,
    endpoint_id: UUID,
    channel: Literal["webhook", "inbox"],
    attempt: int,
    result: AttemptResult,
    at: datetime,
    traceparent: str | None,
    event: Event = Event.CREATED,
    took_ms: int = 0,
    status_code: int | None = None,
    next_attempt_at: datetime | None = None,
) -> Waiting:
    """deliveries.attempted for one attempt, or for the attempt that was not made because the assignment was over."""
    fact_id = derived_id("attempt", delivery_id, attempt)
    fact = DELIVERIES_ATTEMPTED.fact(
        DeliveryAttempted(
            delivery_id=delivery_id,
            lead_id=lead_id,
            epoch=epoch,
            site_id=site_id,
            endpoint_id=endpoint_id,
            channel=channel,
            attempt=attempt,
            result=result,
            # A server may answer with any three digits; the contract knows the ones that HTTP defines.
            status_code=status_code if status_code is not None and 100 <= status_code <= 599 else None,
            took_ms=took_ms,
            attempted_at=at,
            next_attempt_at=next_attempt_at,
            event=None if event is Event.CREATED else event.value,
        ),
        id=fact_id,
        source=SOURCE,
        subject=str(lead_id),
        time=at,
        traceparent=child(traceparent, str(fact_id)),
    )
    return Waiting(DELIVERIES_ATTEMPTED.name, str(lead_id).encode(), fact.to_bytes(), traceparent)
