"""One spelling of counts."""

import pytest

from shared.words import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "fault", "0 faults"),
        (1, "minute", "1 minute"),
        (2, "minute", "2 minutes"),
        (-1, "day", "-1 day"),
        (3, "day", "3 days"),
        (2, "city", "2 cities"),
        (2, "match", "2 matches"),
    ],
)
def test_one_is_one_and_others_are_many(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text
