"""What is remembered of a service that fails, at times that the test names."""

from shared.breaker import Breaker


def resting() -> Breaker:
    """Down since second 0."""
    breaker = Breaker(3, 10, 40)
    assert [breaker.failed(0) for _ in range(3)] == [False, False, True]
    return breaker


def test_only_failures_in_a_row_count() -> None:
    breaker = Breaker(3, 10, 40)
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        assert not breaker.answered()

    assert breaker.allows(0)
    assert not breaker.is_resting


def test_after_a_rest_one_question_looks_and_its_answer_ends_the_rests() -> None:
    breaker = resting()

    assert [breaker.allows(9.9), breaker.rests(10), breaker.allows(10), breaker.allows(10)] == [
        False,
        False,
        True,
        False,
    ]
    assert breaker.answered()
    assert [breaker.allows(10), breaker.is_resting, breaker.answered()] == [True, False, False]


def test_each_look_that_fails_doubles_the_rest_up_to_the_longest() -> None:
    breaker, now = resting(), 10.0
    for rest_s in (20, 40, 40, 40):
        assert breaker.allows(now)
        assert not breaker.failed(now)
        assert breaker.rests(now + rest_s - 0.1)
        now += rest_s
        assert not breaker.rests(now)


def test_a_look_of_which_nobody_hears_again_does_not_hold_up_the_next_for_ever() -> None:
    breaker = resting()
    assert breaker.allows(10)

    assert [breaker.allows(19.9), breaker.allows(20)] == [False, True]


def test_what_was_asked_before_it_rested_does_not_prolong_the_rest() -> None:
    breaker = resting()
    assert not breaker.failed(9)

    assert breaker.allows(10)


def test_a_service_that_says_for_how_long_is_left_alone_at_once_and_no_less_than_that() -> None:
    breaker = Breaker(3, 10, 40)

    assert breaker.failed(0, pause_s=600)
    assert [breaker.allows(599), breaker.allows(600)] == [False, True]
