"""The spans of published facts, read back from what Kafka has acknowledged: recording a fact pays nothing for them.

Each lasts from what the fact says to its acknowledgement, so that an outage of Kafka shows in the trace.
"""

from collections.abc import Sequence
from datetime import datetime

import orjson

from services.store_notifier.db.outbox import Waiting
from shared.contracts import LEADS_ANSWERED, AttemptResult
from shared.tracing import Tracing

_NOT_TOLD = {AttemptResult.FAILED, AttemptResult.GONE, AttemptResult.BLOCKED}


def trace_published(tracing: Tracing, facts: Sequence[Waiting], ended: datetime) -> None:
    """Record `lead.answer` for leads.answered and `delivery.record` for deliveries.attempted."""
    for waiting in facts:
        fact = orjson.loads(waiting.value)
        data, traceparent, started = fact["data"], fact.get("traceparent"), datetime.fromisoformat(fact["time"])
        if waiting.topic == LEADS_ANSWERED.name:
            tracing.record(
                "lead.answer",
                traceparent=traceparent,
                parent=waiting.parent,
                started=started,
                ended=ended,
                lead_id=data["lead_id"],
                epoch=data["epoch"],
                site_id=data["site_id"],
                answer=data["answer"],
                via=data["via"],
            )
        else:
            tracing.record(
                "delivery.record",
                traceparent=traceparent,
                parent=waiting.parent,
                started=started,
                ended=ended,
                failed=data["result"] in _NOT_TOLD,
                lead_id=data["lead_id"],
                epoch=data["epoch"],
                site_id=data["site_id"],
                channel=data["channel"],
                attempt=data["attempt"],
                result=data["result"],
            )
