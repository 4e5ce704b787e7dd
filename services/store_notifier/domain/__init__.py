"""What the notifier decides, without any IO: when to try again, and whether an answer still counts."""

from services.store_notifier.domain.answering import (
    Assignment,
    Earlier,
    Refusal,
    Said,
    State,
    Verdict,
    holds,
    judge,
)
from services.store_notifier.domain.deciding import Ending, item_changes, state_after, taken_away, why_over
from services.store_notifier.domain.events import ENDS, TELL_END_WITHIN, Event, Over, Revoked
from services.store_notifier.domain.retrying import (
    BREAKER_THRESHOLD,
    Delivered,
    GivenUp,
    Kind,
    Outcome,
    RetryAt,
    RetryPlan,
    Step,
    breaker_after,
    classify,
    next_step,
)

__all__ = [
    "BREAKER_THRESHOLD",
    "ENDS",
    "TELL_END_WITHIN",
    "Assignment",
    "Delivered",
    "Earlier",
    "Ending",
    "Event",
    "GivenUp",
    "Kind",
    "Outcome",
    "Over",
    "Refusal",
    "RetryAt",
    "RetryPlan",
    "Revoked",
    "Said",
    "State",
    "Step",
    "Verdict",
    "breaker_after",
    "classify",
    "holds",
    "item_changes",
    "judge",
    "next_step",
    "state_after",
    "taken_away",
    "why_over",
]
