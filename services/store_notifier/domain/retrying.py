"""After an attempt: delivered, try again later, or give up. And when to leave a failing endpoint alone for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from shared.contracts import AttemptResult


class Kind(StrEnum):
    """What an attempt's ending says about the endpoint."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    """Overloaded, down, unreachable, or nobody knows: the next attempt may well succeed."""
    MISCONFIGURED = "misconfigured"
    """It answers, and refuses: a person must put it right, so hammering it helps nobody."""
    GONE = "gone"
    """410: it asks never to be called again."""
    BLOCKED = "blocked"
    """Its name leads to an address that must not be called."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended; `detail` is for the operator and quotes neither addresses nor bodies."""

    kind: Kind
    detail: str
    status_code: int | None = None
    retry_after_s: float | None = None


def classify(status_code: int) -> Kind:
    """The meaning of an HTTP status. Standard Webhooks: only 2xx is success, 410 disables, redirects are failures."""
    if 200 <= status_code < 300:
        return Kind.DELIVERED
    if status_code == 410:
        return Kind.GONE
    if status_code in (408, 425, 429) or status_code >= 500:
        return Kind.TRANSIENT
    return Kind.MISCONFIGURED


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How patient the notifier is."""

    ceilings_s: tuple[float, ...] = (5, 15, 45, 120, 300, 900, 1800, 3600)
    """Upper bound of the random wait after attempt 1, 2, ...; the last one repeats. Over ten hours in all."""
    shortest_wait_s: float = 0.5
    most_attempts: int = 16
    misconfigured_wait_s: float = 120
    """Ceiling of the one wait that an endpoint gets after refusing; the second refusal is final."""
    longest_retry_after_s: float = 3600
    """A server may ask for more; then it is asked again after this long all the same."""
    time_to_answer_s: float = 30
    """The last attempt leaves a person this long before `respond_by`."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint has it."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Not yet; try again at `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Never again for this delivery."""

    result: AttemptResult
    disable_endpoint: bool = False


Step = Delivered | RetryAt | GivenUp


def next_step(
    attempt: int,
    outcome: Outcome,
    now: datetime,
    rng: Random,
    *,
    expires_at: datetime,
    misconfigured_before: int = 0,
    plan: RetryPlan,
) -> Step:
    """What follows attempt `attempt` (from 1) of a delivery whose assignment may be answered until `expires_at`.

    Waits are full jitter, `uniform(shortest, ceiling)`: endpoints that failed together must not be retried together
    (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/). Retry-After is a lower bound
    of the wait, itself bounded by the plan and by the time that is left.
    """
    if outcome.kind is Kind.DELIVERED:
        return Delivered()
    if outcome.kind is Kind.GONE:
        return GivenUp(AttemptResult.GONE, disable_endpoint=True)
    if outcome.kind is Kind.BLOCKED:
        return GivenUp(AttemptResult.BLOCKED)
    if outcome.kind is Kind.MISCONFIGURED and misconfigured_before >= 1:
        return GivenUp(AttemptResult.FAILED)
    left_s = (expires_at - now).total_seconds() - plan.time_to_answer_s
    if attempt >= plan.most_attempts or left_s <= plan.shortest_wait_s:
        return GivenUp(AttemptResult.FAILED)
    if outcome.kind is Kind.MISCONFIGURED:
        ceiling_s = plan.misconfigured_wait_s
        wait_s = rng.uniform(ceiling_s / 2, ceiling_s)
    else:
        ceiling_s = plan.ceilings_s[min(attempt, len(plan.ceilings_s)) - 1]
        wait_s = rng.uniform(plan.shortest_wait_s, max(plan.shortest_wait_s, ceiling_s))
        wait_s = max(wait_s, min(outcome.retry_after_s or 0, plan.longest_retry_after_s))
    return RetryAt(now + timedelta(seconds=min(wait_s, left_s)))


BREAKER_THRESHOLD = 5
"""Failures in a row after which an endpoint is left alone; afterwards one probe at a time until one succeeds."""
_OPEN_S, _LONGEST_OPEN_S = 30.0, 300.0


def breaker_after(
    failures: int, open_until: datetime | None, now: datetime, *, delivered: bool
) -> tuple[int, datetime | None]:
    """An endpoint's failures in a row, and until when to leave it alone: 30 s, doubled by each failed probe to 5 min.

    Requests that were already under way when it opened do not prolong it.
    """
    if delivered:
        return 0, None
    if open_until is not None and open_until > now:
        return failures, open_until
    failures += 1
    if failures < BREAKER_THRESHOLD:
        return failures, None
    open_s = min(_LONGEST_OPEN_S, _OPEN_S * 2.0 ** min(failures - BREAKER_THRESHOLD, 10))
    return failures, now + timedelta(seconds=open_s)
