"""The spans of a batch's decisions, read back from the emitted facts: deciding itself pays nothing for them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import orjson

from services.router.reading import Arrival
from services.router.settle import next_step
from shared.tracing import Tracing


def trace_decisions(
    tracing: Tracing,
    arrivals: Sequence[Arrival],
    emissions: Sequence[tuple[bytes, bytes]],
    started: datetime,
    ended: datetime,
) -> None:
    """Record `lead.decide` for each emitted leads.decided record, under the arrival that caused it."""
    contexts: dict[str, set[str | None]] = defaultdict(set)
    for arrival in arrivals:
        contexts[arrival.lead_id].add(arrival.traceparent)
    for key, value in emissions:
        fact = orjson.loads(value)
        decision, traceparent = fact["data"], fact.get("traceparent")
        causes = contexts[key.decode()]
        tracing.record(
            "lead.decide",
            traceparent=traceparent,
            parent=next((cause for cause in causes if next_step(cause, decision["epoch"]) == traceparent), None),
            started=started,
            ended=ended,
            lead_id=decision["lead_id"],
            epoch=decision["epoch"],
            outcome=decision["outcome"],
            site_id=decision.get("site_id"),
        )
