"""The breaker, the pace and the kept answers, each against a clock that the test moves."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.geocoding.answers import Answers
from services.lead_intake.geocoding.breaker import FAILURES_IN_A_ROW, LONGEST_OPEN_S, OPEN_S, Breaker
from services.lead_intake.geocoding.pace import Pace
from services.lead_intake.geocoding.port import Found, Question
from shared.vocabulary import Accuracy

ANSWER = (Found(29.65, 91.11, Accuracy.POINT),)


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES_IN_A_ROW):
        assert breaker.enter()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES_IN_A_ROW - 1):
        breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.enter()

    assert not opened(clock).enter()


def test_after_a_while_one_question_looks_and_its_success_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += OPEN_S

    assert breaker.enter()
    assert not breaker.enter()
    breaker.succeeded()
    assert breaker.enter()
    assert breaker.enter()


def test_each_look_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    clock = Clock()
    breaker = opened(clock)
    pause_s = OPEN_S
    for _ in range(8):
        clock.now += pause_s
        assert breaker.enter()
        breaker.failed()
        pause_s = min(LONGEST_OPEN_S, pause_s * 2)
        clock.now += pause_s - 1
        assert not breaker.enter()
        clock.now += 1
        clock.now -= pause_s
    clock.now += pause_s
    assert breaker.enter()


def test_a_used_up_quota_opens_it_at_once_for_as_long_as_said() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(pause_s=600)
    clock.now += 599
    assert breaker.is_open
    clock.now += 1
    assert breaker.enter()


def test_what_was_asked_before_it_opened_does_not_prolong_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    breaker.failed()
    clock.now += OPEN_S
    assert breaker.enter()


@given(
    st.floats(0.5, 50),
    st.lists(st.tuples(st.floats(0, 2), st.floats(0, 3)), min_size=1, max_size=40),
)
def test_turns_are_never_closer_than_the_pace_and_never_later_than_allowed(
    per_second: float, asks: list[tuple[float, float]]
) -> None:
    clock = Clock()
    pace = Pace(per_second, clock)
    turns = []
    for after_s, within_s in asks:
        clock.now += after_s
        wait_s = pace.take_turn(within_s)
        if wait_s is not None:
            assert 0 <= wait_s <= within_s
            turns.append(clock.now + wait_s)

    assert turns
    assert all(later - earlier >= 1 / per_second - 1e-9 for earlier, later in pairwise(turns))


def test_an_answer_is_kept_for_its_time_even_an_empty_one() -> None:
    clock = Clock()
    answers = Answers(b"p" * 32, most=10, keep_s=60, clock=clock)
    known, unknown = answers.key(Question("拉萨市")), answers.key(Question("Atlantis"))
    answers.put(known, ANSWER)
    answers.put(unknown, ())
    clock.now += 59

    assert answers.get(known) == ANSWER
    assert answers.get(unknown) == ()
    clock.now += 1
    assert answers.get(known) is answers.get(unknown) is None
    assert len(answers) == 0


def test_the_longest_unused_answer_makes_room() -> None:
    answers = Answers(b"p" * 32, most=2, keep_s=60, clock=Clock())
    one, two, three = (answers.key(Question(text)) for text in ("one", "two", "three"))
    answers.put(one, ANSWER)
    answers.put(two, ANSWER)
    answers.get(one)
    answers.put(three, ANSWER)

    assert (answers.get(one), answers.get(two), answers.get(three)) == (ANSWER, None, ANSWER)


@given(st.text(min_size=4, max_size=40), st.text(max_size=10))
def test_a_key_is_a_hash_that_depends_on_text_city_and_pepper(text: str, city: str) -> None:
    answers, elsewhere = (Answers(pepper, 1, 1, Clock()) for pepper in (b"p" * 32, b"q" * 32))
    key = answers.key(Question(text, city))

    assert len(key) == 32
    assert text.encode() not in key
    assert key != elsewhere.key(Question(text, city))
    assert key != answers.key(Question(text, city + "x"))
