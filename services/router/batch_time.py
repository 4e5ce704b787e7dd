"""At what time a batch is decided, by what is recorded of its leads and of what happened to them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.router.db.ledger import LeadRow
from services.router.domain import Due
from services.router.domain.decision_time import TOGETHER, DecisionTime, decision_time
from services.router.reading import Arrival

_NEVER = datetime.min.replace(tzinfo=UTC)


def batch_time(now: datetime, rows: Sequence[LeadRow], arrivals: Sequence[Arrival]) -> DecisionTime:
    """`decision_time` of the leads that arrived; `rows` are those that were locked for them."""
    times = [arrival.at for arrival in arrivals if arrival.at is not None] + [row.changed_at for row in rows]
    if not times or max(times) <= now:
        return DecisionTime(now, frozenset())
    known = dict.fromkeys([arrival.lead_id for arrival in arrivals], _NEVER)
    for arrival in arrivals:
        if arrival.at is not None and arrival.at > known[arrival.lead_id]:
            known[arrival.lead_id] = arrival.at
    for row in rows:
        if row.lead_id in known and row.changed_at > known[row.lead_id]:
            known[row.lead_id] = row.changed_at
    return decision_time(now, known)


def without_early(arrivals: Sequence[Arrival], now: datetime) -> tuple[Sequence[Arrival], list[Arrival]]:
    """The arrivals without those of deadlines that are still to come, and those.

    Who said that such a deadline had passed had a wrong clock, or made it up; the assignment is not given up for that.
    """
    early = [arrival for arrival in arrivals if _is_early(arrival, now)]
    return ([arrival for arrival in arrivals if arrival not in early], early) if early else (arrivals, early)


def _is_early(arrival: Arrival, now: datetime) -> bool:
    due = arrival.stimulus
    return isinstance(due, Due) and due.due == "respond_by" and due.due_at > now + TOGETHER
