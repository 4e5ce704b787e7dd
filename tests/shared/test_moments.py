from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import UserError
from shared.moments import before, coming_moment_of, moment_of, span_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 3, 2, 7, 0, tzinfo=UTC)),
        (" 1 d ", datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T10:00+08:00", datetime(2026, 3, 1, 2, 0, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_people_type_them(text: str, expected: datetime) -> None:
    assert moment_of(text, NOW, "--from") == expected


def test_spans_are_lengths_of_time() -> None:
    assert span_of("7d", "--last") == timedelta(days=7)
    assert span_of("90m", "--last") == timedelta(minutes=90)


@pytest.mark.parametrize("text", ["a week", "7", "-7d", "7w", ""])
def test_what_is_no_span_is_refused_with_its_option(text: str) -> None:
    with pytest.raises(UserError, match=r"--last .* is no length of time"):
        span_of(text, "--last")


def test_what_is_no_moment_is_refused_with_its_option() -> None:
    with pytest.raises(UserError, match="--to 'yesterday' is no time"):
        moment_of("yesterday", NOW, "--to")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 3, 2, 11, 0, tzinfo=UTC)),
        ("now", NOW),
        ("2026-03-03T03:00+08:00", datetime(2026, 3, 2, 19, 0, tzinfo=UTC)),
        (" 2026-03-03T03:00Z ", datetime(2026, 3, 3, 3, 0, tzinfo=UTC)),
    ],
)
def test_moments_to_come_are_read_as_people_type_them(text: str, expected: datetime) -> None:
    assert coming_moment_of(text, NOW, "--at") == expected


@pytest.mark.parametrize("text", ["2026-03-03T03:00", "2026-03-03"])
def test_a_moment_to_come_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"--at .* does not say in which zone"):
        coming_moment_of(text, NOW, "--at")


FAR = "is more than ten years ahead"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9999-12-31T23:59-12:00", FAR),
        ("9999-12-31T23:59Z", FAR),
        ("999999d", FAR),
        ("0001-01-01T00:00+14:00", "lies before 1970"),
        ("2026-02-30T03:00Z", "is no time: day is out of range for month"),
        ("2026-03-03T24:00Z", "is no time: hour must be in 0..23"),
        ("2026-12-31T23:59:60Z", "is no time: second must be in 0..59"),
        ("2026-03-03T03:00+24:00", "is no time: offset must be"),
        ("2026-W10-1T03:00Z", "is no time"),
        ("20260303T0300Z", "is no time"),
        ("٢h", "is no time"),
        ("2026-03-03T03:00Z" + "0" * 10_000, "is no time"),
        ("", "is no time"),
    ],
)
def test_a_moment_that_no_clock_shows_is_refused_in_a_line(text: str, says: str) -> None:
    with pytest.raises(UserError, match=f"--at .*{says}") as refused:
        coming_moment_of(text, NOW, "--at")
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9999-12-31T23:59-12:00", FAR),
        ("0001-01-01T00:00+14:00", "lies before 1970"),
        ("2026-02-30", "is no time: day is out of range for month"),
        ("٢٠٢٦-٠٣-٠١", "is no time"),
    ],
)
def test_a_past_moment_that_no_calendar_has_is_refused_in_a_line(text: str, says: str) -> None:
    with pytest.raises(UserError, match=f"--from .*{says}"):
        moment_of(text, NOW, "--from")


def test_a_span_longer_than_there_is_anything_to_find_begins_in_1970() -> None:
    assert moment_of("999999d", NOW, "--from") == datetime(1970, 1, 1, tzinfo=UTC)
    assert before(NOW, timedelta.max) == datetime(1970, 1, 1, tzinfo=UTC)
    assert before(NOW, timedelta(days=1)) == NOW - timedelta(days=1)
