"""The spans of a batch's decisions, read back from the emitted facts: deciding itself pays nothing for them. And those
of leads that the timers asked for."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import orjson

from services.router.db.timers import Due
from services.router.reading import Arrival
from services.router.settle import next_step
from shared.tracing import Tracing, child


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


def due_step(due: Due) -> str | None:
    """The context of asking for a lead; that of asking again for the same epoch is the same."""
    return child(due.traceparent, f"due{due.epoch}")


def trace_due(tracing: Tracing, asked: Sequence[Due], kind: str, started: datetime, ended: datetime) -> None:
    """Record `lead.due` for each published leads.due record of one kind, under the decision or arrival before it."""
    for due in asked:
        tracing.record(
            "lead.due",
            traceparent=due_step(due),
            parent=due.traceparent,
            started=started,
            ended=ended,
            lead_id=str(due.lead_id),
            epoch=due.epoch,
            due=kind,
        )
