"""PostgreSQL's time in a process: right whatever the own clock shows, however long the way to PostgreSQL is."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import TOLERANCE, Clock, Comparison, own_clock, since_boot_s

START = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
NOTHING = timedelta(0)
MICROSECOND = timedelta(microseconds=1)

seconds = st.integers(0, 5_000_000).map(lambda microseconds: microseconds / 1_000_000)
offsets = st.integers(-7_200_000_000, 7_200_000_000).map(lambda microseconds: timedelta(microseconds=microseconds))


class Machine:
    """A machine's clock that is wrong by `offset`, and true time, which PostgreSQL has."""

    def __init__(self, offset: timedelta = NOTHING) -> None:
        self.offset = offset
        self.passed_s = 0.0

    def true(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def own(self) -> datetime:
        return self.true() + self.offset

    def since_boot(self) -> float:
        return 1_000 + self.passed_s

    def clock(self) -> Clock:
        return Clock(self.own, self.since_boot)

    def compare(self, there_s: float, back_s: float) -> Comparison:
        """PostgreSQL is asked: so long the question takes, and so long the answer."""
        asked = self.since_boot()
        self.passed_s += there_s
        theirs = self.true()
        self.passed_s += back_s
        return Comparison(asked, self.since_boot(), theirs, self.own())


@given(offsets, seconds, seconds)
def test_the_time_followed_is_wrong_by_half_a_round_trip_at_most(offset: timedelta, there: float, back: float) -> None:
    machine = Machine(offset)
    clock = machine.clock()

    seen = machine.compare(there, back)
    clock.follow(seen)

    assert abs(clock() - machine.true()) <= 2 * seen.unsure + 2 * MICROSECOND


@given(offsets, seconds, seconds)
def test_a_slow_connection_is_not_taken_for_a_wrong_clock_nor_a_wrong_clock_for_a_slow_connection(
    offset: timedelta, there: float, back: float
) -> None:
    seen = Machine(offset).compare(there, back)

    if abs(offset) <= TOLERANCE - 2 * MICROSECOND:
        assert not seen.is_off
    if abs(offset) > TOLERANCE + 2 * seen.unsure + 2 * MICROSECOND:
        assert seen.is_off


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=8), offsets)
def test_it_never_goes_back_while_postgresql_does_not(trips: list[tuple[float, float]], offset: timedelta) -> None:
    machine = Machine(offset)
    clock = machine.clock()
    clock.follow(machine.compare(0, 0))

    before = clock()
    for there, back in trips:
        clock.follow(machine.compare(there, back))
        now = clock()
        assert now >= before
        before = now


def test_nothing_is_followed_of_the_own_clock_once_it_was_compared() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.follow(machine.compare(0.001, 0.001))

    machine.offset = timedelta(hours=-1)
    machine.passed_s += 10

    assert clock() == machine.true()
    assert machine.compare(0.001, 0.001).is_off


def test_a_process_that_was_frozen_while_it_asked_learns_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.follow(machine.compare(0.001, 0.001))

    frozen = machine.compare(0.001, 3_600)

    assert clock.follow(frozen) == NOTHING
    assert not frozen.is_off
    assert clock() == machine.true()


def test_a_machine_that_slept_without_counting_goes_by_the_right_time_after_the_next_comparison() -> None:
    machine = Machine()
    clock = machine.clock()
    woken = Comparison(machine.since_boot(), machine.since_boot(), START + timedelta(hours=8), START)

    assert clock.follow(woken) == timedelta(hours=8)
    assert clock() == START + timedelta(hours=8)


def test_small_corrections_make_it_stand_still_and_large_ones_take_it_back() -> None:
    machine = Machine()
    clock = machine.clock()
    now = clock()

    def set_back(by: timedelta) -> None:
        clock.follow(Comparison(machine.since_boot(), machine.since_boot(), START - by, machine.own()))

    set_back(timedelta(seconds=1))
    assert clock() == now
    machine.passed_s += 1.5
    assert clock() == START + timedelta(seconds=0.5)
    machine.passed_s = 0
    set_back(timedelta(minutes=5))
    assert clock() == START - timedelta(minutes=5)


def test_the_clock_that_nobody_sets_goes_on() -> None:
    first = since_boot_s()

    assert since_boot_s() >= first > 0
    assert own_clock().tzinfo is UTC
