"""How many unreadable facts of our own go: a bad deploy must not empty a topic, a burst must come to its end."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.dead_share import CALM, FEW_ENOUGH, DeadShare

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def test_a_bad_record_now_and_then_is_never_held_back() -> None:
    share = DeadShare()
    assert all(share.admit(1, 100, NOW) == 1 for _ in range(500))
    assert not share.is_holding


def test_a_batch_that_comes_back_is_not_counted_again() -> None:
    share = DeadShare()
    for second in range(4):
        assert share.admit(500, 500, NOW + timedelta(seconds=second)) == 0
    assert (share.seen, share.dead) == (0, 0)


def test_of_a_bad_deploy_some_twenty_a_minute_go() -> None:
    """A batch of nothing else comes back every second for an hour."""
    share = DeadShare()
    buried = sum(share.admit(500, 500, NOW + timedelta(seconds=second)) for second in range(3_600))
    assert FEW_ENOUGH * 55 <= buried <= FEW_ENOUGH * 66


def test_a_burst_is_got_through_and_then_forgotten() -> None:
    share, left, second = DeadShare(), 130, 0
    while left:
        left -= share.admit(left, 200, NOW + timedelta(seconds=second))
        second += 1
    assert second < 600
    assert share.is_holding

    later = NOW + timedelta(seconds=second) + CALM
    assert share.admit(0, 100, later) == 0
    assert not share.is_holding
    assert share.admit(FEW_ENOUGH, 500, later) == FEW_ENOUGH


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 90)), max_size=60))
def test_never_more_go_than_there_are_and_never_faster_than_the_rule(
    batches: list[tuple[int, int, int]],
) -> None:
    share, now, buried, seen = DeadShare(), NOW, 0, 0
    for dead, good, pause_s in batches:
        now += timedelta(seconds=pause_s)
        admitted = share.admit(dead, dead + good, now)
        assert 0 <= admitted <= dead
        buried, seen = buried + admitted, seen + dead + good
    minutes = (now - NOW) / timedelta(minutes=1)
    # 20 to begin with, 1 % of what was seen, 20 a minute, and at each new beginning (a minute apart) 20 and some.
    assert buried <= FEW_ENOUGH + 0.01 * seen + (3 * minutes + 6) * FEW_ENOUGH
