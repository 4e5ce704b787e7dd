"""Silences that a partner should have heard of, and did not."""

from collections.abc import Sequence
from datetime import datetime

from shared.contracts import DeliveryAttempted, LeadAnswered, LeadAssigned, LeadClosed, LeadJoined, LeadWaiting


def unheard(said: Sequence[object], now: datetime) -> list[LeadAssigned]:
    """Assignments among the facts of one lead that were unanswered at their `escalate_at`, which nobody was told of."""
    told = {fact.epoch for fact in said if isinstance(fact, DeliveryAttempted) and fact.event == "escalated"}
    ends: dict[int, datetime] = {}
    for fact in said:
        match fact:
            case LeadAnswered():
                epoch, at = fact.epoch, fact.answered_at
            case LeadAssigned() | LeadWaiting() | LeadJoined() | LeadClosed():
                epoch, at = fact.epoch - 1, fact.decided_at
            case _:
                continue
        ends[epoch] = min(at, ends.get(epoch, at))
    assigned = {fact.epoch: fact for fact in said if isinstance(fact, LeadAssigned) and fact.escalate_at is not None}
    return [
        fact
        for epoch, fact in sorted(assigned.items())
        if fact.escalate_at is not None and fact.escalate_at < min(now, ends.get(epoch, now)) and epoch not in told
    ]
