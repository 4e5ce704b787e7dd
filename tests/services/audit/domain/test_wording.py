from typing import Any

from services.audit.domain import wording
from shared.contracts import AttemptResult, Cause, DeclineReason, Lost, Result, WaitingReason


def test_every_word_of_the_contracts_has_a_wording() -> None:
    pairs: list[tuple[Any, Any]] = [
        (wording.LOST, Lost),
        (wording.WAITING, WaitingReason),
        (wording.UNTIL, WaitingReason),
        (wording.CAUSE, Cause),
        (wording.DECLINED, DeclineReason),
        (wording.RESULT, Result),
        (wording.ATTEMPT, AttemptResult),
    ]

    assert all(set(words) == set(kinds) for words, kinds in pairs)


def test_distances_and_durations_are_said_as_people_say_them() -> None:
    assert [wording.distance(metres) for metres in (0, 999, 1_000, 45_678, 127_400)] == [
        "0 m",
        "999 m",
        "1.0 km",
        "45.7 km",
        "127 km",
    ]
    assert [wording.duration(seconds) for seconds in (0.0421, 2.34, 90, 3_600, 12_000, 187_200, -5)] == [
        "0.042 s",
        "2.3 s",
        "2 min",
        "1 h",
        "3 h 20 min",
        "2 d 4 h",
        "-5.0 s",
    ]
