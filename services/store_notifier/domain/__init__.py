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
from services.store_notifier.domain.deciding import Ending, item_changes, state_after, taken_away
from services.store_notifier.domain.events import REVOKE_WITHIN, Event, Revoked
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
    "REVOKE_WITHIN",
    "Assignment",
    "Delivered",
    "Earlier",
    "Ending",
    "Event",
    "GivenUp",
    "Kind",
    "Outcome",
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
]
