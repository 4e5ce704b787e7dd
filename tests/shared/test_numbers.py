"""Numbers as people type them: plain ones are read, everything that Python would also take is asked back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.numbers import NotANumber, quoted, read_number, read_whole, written


@pytest.mark.parametrize(("text", "number"), [("31.2989", 31.2989), ("-0.5", -0.5), ("7", 7.0), (" 007.50 ", 7.5)])
def test_plain_numbers_are_read(text: str, number: float) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3_1.3", "31.3"),
        ("٣١.٣", "31.3"),
        ("３１．３", "31.3"),
        ("31,3", "31.3"),
        ("+31.3", "31.3"),
        ("\u221231.3", "-31.3"),
        ("1.205853E+02", "120.5853"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("५", "5"),
        ("\u200b31.3\ufeff", "31.3"),
    ],
)
def test_a_number_in_another_spelling_is_asked_back(text: str, meant: str) -> None:
    with pytest.raises(NotANumber, match=f"is not a number; did you mean {meant}\\?"):
        read_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "nan", "inf", "-Infinity", "0x1f", "1e999", "1.2.3", "31°17'", "1,234,567.8", "true", "½", "1" * 41, "31 2"],
)
def test_what_is_no_number_is_refused_without_a_guess(text: str) -> None:
    with pytest.raises(NotANumber) as refused:
        read_number(text)
    assert "did you mean" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2.0", "2"),
        ("1,000", "1000"),
        ("1_0", "10"),
        ("٣", "3"),
        ("+4", "4"),
        ("1e3", "1000"),
        ("1 000", "1000"),
        ("12'000", "12000"),
    ],
)
def test_whole_numbers_are_as_strict(text: str, meant: str) -> None:
    assert read_whole("-12") == -12
    with pytest.raises(NotANumber, match=f"is not a whole number; did you mean {meant}\\?"):
        read_whole(text)


@pytest.mark.parametrize("text", ["1.5", "nan", "9" * 5_000, "0b11", "1e-3", "1.000", "1 2"])
def test_what_is_no_whole_number_is_refused_within_bounds(text: str) -> None:
    with pytest.raises(NotANumber) as refused:
        read_whole(text)
    assert "did you mean" not in str(refused.value)
    assert len(str(refused.value)) < 120


@given(st.floats(min_value=-1e12, max_value=1e12).filter(lambda number: number == 0 or abs(number) > 1e-12))
def test_what_is_written_is_read_again(number: float) -> None:
    assert read_number(written(number)) == number


@given(st.text(max_size=50))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        assert read_number(text) == float(text)
    except NotANumber:
        assert not text.strip().isdigit() or not text.isascii() or len(text.strip()) > 40


def test_what_is_quoted_moves_no_cursor_and_has_an_end() -> None:
    assert quoted("\x1b[31m\u202e") == "'\\x1b[31m\\u202e'"
    assert quoted("x" * 300_000) == f"'{'x' * 32}'..."
