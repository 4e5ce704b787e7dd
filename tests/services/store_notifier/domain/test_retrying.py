"""When a delivery is tried again, given up, or its endpoint left alone."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.store_notifier.domain import (
    BREAKER_THRESHOLD,
    Delivered,
    GivenUp,
    Kind,
    Outcome,
    RetryAt,
    RetryPlan,
    breaker_after,
    classify,
    next_step,
)
from shared.contracts import AttemptResult

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PLAN = RetryPlan()
FAR = NOW + timedelta(days=2)

attempts = st.integers(1, 40)
left = st.floats(-100, 200_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
outcomes = st.builds(
    Outcome,
    st.sampled_from(Kind),
    st.just("test"),
    st.none(),
    st.none() | st.floats(0, 1e10),
)


def wait_s(attempt: int, outcome: Outcome, expires_at: datetime = FAR, seed: int = 0) -> float:
    step = next_step(attempt, outcome, NOW, Random(seed), expires_at=expires_at, plan=PLAN)
    assert isinstance(step, RetryAt)
    return (step.at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Kind.DELIVERED) for status in (200, 201, 202, 204, 299)),
        *((status, Kind.MISCONFIGURED) for status in (301, 302, 307, 308, 400, 401, 403, 404, 405, 415, 422)),
        *((status, Kind.TRANSIENT) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
        (410, Kind.GONE),
    ],
)
def test_a_status_has_one_meaning(status: int, kind: Kind) -> None:
    assert classify(status) is kind


@given(attempts, outcomes, left, st.integers(0, 3), st.integers())
def test_a_retry_is_always_in_the_future_and_leaves_a_person_time_to_answer(
    attempt: int, outcome: Outcome, expires_at: datetime, misconfigured: int, seed: int
) -> None:
    step = next_step(
        attempt,
        outcome,
        NOW,
        Random(seed),
        expires_at=expires_at,
        misconfigured_before=misconfigured,
        plan=PLAN,
    )
    if isinstance(step, RetryAt):
        assert NOW < step.at <= expires_at - timedelta(seconds=PLAN.time_to_answer_s) + timedelta(microseconds=1)
        assert attempt < PLAN.most_attempts
    assert isinstance(step, Delivered) == (outcome.kind is Kind.DELIVERED)


@given(attempts, left, st.integers())
def test_the_same_failure_at_the_same_chance_gives_the_same_step(attempt: int, expires_at: datetime, seed: int) -> None:
    outcome = Outcome(Kind.TRANSIENT, "test")
    steps = {next_step(attempt, outcome, NOW, Random(seed), expires_at=expires_at, plan=PLAN) for _ in range(2)}
    assert len(steps) == 1


@given(st.integers(1, 15), st.integers())
def test_a_wait_stays_below_its_ceiling(attempt: int, seed: int) -> None:
    ceiling = PLAN.ceilings_s[min(attempt, len(PLAN.ceilings_s)) - 1]
    assert PLAN.shortest_wait_s <= wait_s(attempt, Outcome(Kind.TRANSIENT, "test"), seed=seed) <= ceiling


def test_waits_of_endpoints_that_failed_together_are_spread_over_the_whole_range() -> None:
    waits = [wait_s(3, Outcome(Kind.TRANSIENT, "test"), seed=seed) for seed in range(400)]
    assert min(waits) < 3
    assert max(waits) > 42


def test_patience_reaches_over_hours() -> None:
    ceilings = [PLAN.ceilings_s[min(n, len(PLAN.ceilings_s)) - 1] for n in range(1, PLAN.most_attempts)]
    assert timedelta(seconds=sum(ceilings)) > timedelta(hours=8)


def test_retry_after_is_honoured() -> None:
    assert wait_s(1, Outcome(Kind.TRANSIENT, "HTTP 429", 429, 600.0)) == 600


def test_an_absurd_retry_after_is_clamped_to_an_hour_and_to_the_time_left() -> None:
    absurd = Outcome(Kind.TRANSIENT, "HTTP 429", 429, 1e10)
    assert wait_s(1, absurd) == PLAN.longest_retry_after_s
    assert wait_s(1, absurd, NOW + timedelta(minutes=5)) == 300 - PLAN.time_to_answer_s


def test_a_retry_after_of_nothing_does_not_shorten_the_wait() -> None:
    assert wait_s(3, Outcome(Kind.TRANSIENT, "HTTP 503", 503, 0.0)) >= PLAN.shortest_wait_s


def test_an_endpoint_that_is_set_up_wrongly_gets_one_slow_retry_and_then_none() -> None:
    wrong = Outcome(Kind.MISCONFIGURED, "HTTP 404", 404)
    assert wait_s(1, wrong) >= PLAN.misconfigured_wait_s / 2
    second = next_step(2, wrong, NOW, Random(0), expires_at=FAR, misconfigured_before=1, plan=PLAN)
    assert second == GivenUp(AttemptResult.FAILED)


def test_gone_disables_the_endpoint_at_once() -> None:
    step = next_step(1, Outcome(Kind.GONE, "HTTP 410", 410), NOW, Random(0), expires_at=FAR, plan=PLAN)
    assert step == GivenUp(AttemptResult.GONE, disable_endpoint=True)


def test_a_blocked_address_is_not_tried_again() -> None:
    step = next_step(1, Outcome(Kind.BLOCKED, "test"), NOW, Random(0), expires_at=FAR, plan=PLAN)
    assert step == GivenUp(AttemptResult.BLOCKED)


def test_nothing_is_tried_when_nobody_could_answer_in_time() -> None:
    soon = NOW + timedelta(seconds=PLAN.time_to_answer_s)
    step = next_step(1, Outcome(Kind.TRANSIENT, "test"), NOW, Random(0), expires_at=soon, plan=PLAN)
    assert step == GivenUp(AttemptResult.FAILED)


def test_the_breaker_opens_at_the_fifth_failure_and_doubles_up_to_five_minutes() -> None:
    failures, open_until, at = 0, None, NOW
    opened = []
    for _ in range(BREAKER_THRESHOLD + 6):
        failures, open_until = breaker_after(failures, open_until, at, delivered=False)
        if open_until is not None:
            opened.append((open_until - at).total_seconds())
            at = open_until
    assert opened == [30, 60, 120, 240, 300, 300, 300]


def test_requests_under_way_when_the_breaker_opens_do_not_prolong_it() -> None:
    opened = breaker_after(BREAKER_THRESHOLD - 1, None, NOW, delivered=False)
    later = breaker_after(*opened, NOW + timedelta(seconds=1), delivered=False)
    assert later == opened


@given(st.integers(0, 100), st.none() | st.just(FAR))
def test_one_success_closes_the_breaker(failures: int, open_until: datetime | None) -> None:
    assert breaker_after(failures, open_until, NOW, delivered=True) == (0, None)
