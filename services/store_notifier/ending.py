"""Who is told that an assignment is over: a site that did not end it itself, a partner that heard of its silence.

Each is told once, after whatever it was told before, and only if it was, or may have been, told anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.store_notifier import facts
from services.store_notifier.db import deliveries, endpoints
from services.store_notifier.domain import TELL_END_WITHIN, Event, Over, Revoked, why_over
from shared.contracts import Fact, LeadDecided
from shared.postgres import Connection

Decided = Fact[LeadDecided]
Item = tuple[UUID, int]
"""An assignment of a lead: its id and epoch."""


@dataclass(frozen=True, slots=True)
class _End:
    reason: Revoked | Over
    decided: Decided


async def revoke(
    connection: Connection, lost: Mapping[Item, Revoked], newest: Mapping[UUID, Decided], now: datetime
) -> int:
    """Tell every webhook of a site that knows of these assignments, or may, that they are over; how many are told."""
    ends = {item: _End(reason, newest[item[0]]) for item, reason in lost.items()}
    return await _tell(connection, Event.REVOKED, (Event.CREATED, Event.REMINDER), ends, now)


async def end_escalations(
    connection: Connection, open_before: Mapping[UUID, int | None], decided: Sequence[Decided], now: datetime
) -> int:
    """Tell the partners' endpoints that were told of a silence how it ended; how many are told.

    `open_before`: the epoch of each lead's assignment that was open until now, which `decided`, in the order of their
    epochs, end. What was never open for a moment nobody was told of.
    """
    later: dict[Item, list[Decided]] = {}
    for fact in decided:
        epoch = open_before.get(fact.data.lead_id)
        if epoch is not None and fact.data.epoch > epoch:
            later.setdefault((fact.data.lead_id, epoch), []).append(fact)
    ends = {item: _end(item[1], facts_after) for item, facts_after in later.items()}
    return await _tell(connection, Event.ESCALATION_ENDED, (Event.ESCALATED,), ends, now)


def _end(epoch: int, later: Sequence[Decided]) -> _End:
    reason, decision = why_over(epoch, [fact.data for fact in later])
    return _End(reason, next(fact for fact in later if fact.data is decision))


async def _tell(
    connection: Connection, event: Event, after: Sequence[Event], ends: Mapping[Item, _End], now: datetime
) -> int:
    if not ends:
        return 0
    rows = []
    for row in await deliveries.told(connection, sorted(ends), after):
        end = ends[row["lead_id"], row["epoch"]]
        rows.append(
            deliveries.NewDelivery(
                facts.delivery_id_of(row["decision_id"], row["endpoint_id"], event),
                row["decision_id"],
                row["endpoint_id"],
                row["lead_id"],
                row["epoch"],
                row["site_id"],
                row["intent"],
                row["distance_m"],
                end.decided.traceparent,
                deliveries.DUE,
                # After what is under way, or they would learn of the end before the beginning.
                now if row["busy_until"] is None else row["busy_until"],
                now + TELL_END_WITHIN,
                end.decided.data.decided_at,
                event,
                end.reason,
                row["respond_by"] if event is Event.ESCALATION_ENDED else None,
            )
        )
    new = await deliveries.add(connection, rows)
    if new:
        await endpoints.wake(connection, sorted({row.endpoint_id for row in rows}), now)
        await deliveries.wake_schedulers(connection)
    return len(new)
