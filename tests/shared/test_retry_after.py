"""Retry-After in every form that RFC 9110 knows, and in many that it does not."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.retry_after import retry_after_s

NOW = datetime(2026, 12, 1, 14, 53, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("40", 40.0),
        (" 40 ", 40.0),
        ("00040", 40.0),
        ("0" * 5_000 + "40", 40.0),
        ("9" * 5_000, 9_999_999_999.0),
        ("Tue, 01 Dec 2026 14:54:00 GMT", 40.0),
        ("Tuesday, 01-Dec-26 14:54:00 GMT", 40.0),
        ("Tue Dec  1 14:54:00 2026", 40.0),
        ("Tue Dec 01 14:54:00 2026", 40.0),
        ("tue, 01 dec 2026 14:54:00 gmt", 40.0),
        ("Tue, 01 Dec 2026 14:54:00 +0000", 40.0),
        ("Tue, 01 Dec 2026 22:54:00 +0800", 40.0),
        ("Tue, 01 Dec 2026 14:54:00", 40.0),
        ("Tue, 01 Dec 2020 14:54:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251608669599.0),
    ],
)
def test_what_makes_sense_is_read(value: str, seconds: float) -> None:
    assert retry_after_s(value, NOW) == pytest.approx(seconds, rel=0.01)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "soon",
        "-5",
        "+5",
        "1e3",
        "0x10",
        "\u0664\u0660",
        "\u00b2",
        "nan",
        "inf",
        "40s",
        "40, 50",
        "Mon, 99 Foo 2026",
        "Tue, 32 Dec 2026 14:54:00 GMT",
        "Tue, 01 Dec 2026 25:54:00 GMT",
        "Tue, 01 Dec 77777777777777777777 14:54:00 GMT",
        "Tue, 77777777777777777777 Dec 2026 14:54:00 GMT",
        "Tue, 01 Dec 2026 14:54:00 +99999999999999",
        "Tue, 01 Dec 2026 77777777777777777777:54:00 GMT",
        "Sat, 01 Jan 0001 00:00:00 +2359",
        "Tue Dec  1 14:54:00 77777777777777777777",
        ",,,,,",
        "\x00",
    ],
)
def test_what_makes_none_asks_for_no_wait(value: str | None) -> None:
    assert retry_after_s(value, NOW) in (None, 0.0)


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d{1,4} [A-Z][a-z]{2} \d{1,30} \d+:\d+:\d+( [-+A-Z0-9]+)?")
)
def test_any_text_is_read_without_harm(value: str) -> None:
    seconds = retry_after_s(value, NOW)
    assert seconds is None or seconds >= 0


@given(st.integers(0, 10_000_000), st.integers(-12, 14))
def test_a_date_says_the_same_in_every_zone(seconds: int, hours: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    assert retry_after_s(format_datetime(at, usegmt=True), NOW) == seconds
    assert retry_after_s(format_datetime(at.astimezone(timezone(timedelta(hours=hours)))), NOW) == seconds
    assert retry_after_s(at.strftime("%d-%m-%Y"), NOW) in (None, 0.0)
