"""The pace and the kept answers, each against a clock that the test moves."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.geocoding.answers import Answers
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
