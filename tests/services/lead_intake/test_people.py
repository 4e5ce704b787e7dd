"""Phones, e-mail addresses and names in one form; who is the same person."""

import unicodedata
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.people import (
    _ask_the_library,
    email_token,
    phone_token,
    share_out,
    tidy_name,
    to_address,
    to_e164,
)

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
PEPPER = b"p" * 32
A, B, C = (UUID(int=n) for n in (1, 2, 3))


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086 13800138000",
        "008613800138000",
        "１３８００１３８０００",
        "＋８６ １３８ ００１３ ８０００",
    ],
)
def test_every_way_to_write_a_mobile_number_is_one_number(written: str) -> None:
    assert to_e164(written, "CN") == "+8613800138000"


def test_a_landline_needs_its_area_code_only() -> None:
    assert to_e164("0512-6522 3344", "CN") == "+8651265223344"


def test_a_number_of_another_country_keeps_its_country() -> None:
    assert to_e164("+1 650 253 0000", "CN") == "+16502530000"


@pytest.mark.parametrize("wrong", ["138001380001", "12345", "call me", "", "１", "1380013800", "+86", "1" * 64])
def test_what_is_no_number_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(ValueError, match="phone number") as refused:
        to_e164(wrong, "CN")
    assert wrong == "" or wrong not in str(refused.value)


@given(st.integers(0, 99_999_999), st.sampled_from(["", " ", "-"]), st.sampled_from(["", "+86", "0086", "86"]))
def test_spelling_never_makes_two_persons(number: int, gap: str, prefix: str) -> None:
    plain = f"138{number:08d}"

    written = prefix + gap + gap.join((plain[:3], plain[3:7], plain[7:]))

    assert to_e164(written, "CN") == to_e164(written.translate(FULL_WIDTH), "CN") == f"+86{plain}"


@given(
    st.from_regex(r"(\+86|0086|86|\+|00)?[ \-]?1[0-9]{2}[ \-]{0,2}[0-9]{4}[ \-]?[0-9]{3,5}", fullmatch=True)
    | st.text("0123456789+- ", max_size=20)
)
def test_the_short_way_for_mobile_numbers_says_what_the_library_says(written: str) -> None:
    found = outcome(to_e164, written)

    # A last group that can only be an extension is not what the short way reads, and the library refuses it.
    assert ";ext=" in found or found == outcome(_ask_the_library, written)


def outcome(normalise: Callable[[str, str], str], written: str) -> str:
    try:
        return normalise(written, "CN")
    except ValueError:
        return "refused"


def test_an_address_is_recognised_whatever_its_case() -> None:
    assert email_token(PEPPER, to_address("Test.Person@EXAMPLE.com")) == email_token(
        PEPPER, to_address("test.person@example.com")
    )


@pytest.mark.parametrize(
    "wrong", ["a@", "a b@example.com", "example.com", "a@localhost", "a@example.com, b@example.com"]
)
def test_what_is_no_address_is_refused_without_being_repeated(wrong: str) -> None:
    with pytest.raises(ValueError, match="no valid e-mail") as refused:
        to_address(wrong)
    assert wrong not in str(refused.value)


def test_a_token_depends_on_the_pepper_and_on_the_kind() -> None:
    assert phone_token(PEPPER, "+8613800138000") != phone_token(b"q" * 32, "+8613800138000")
    assert phone_token(PEPPER, "x") != email_token(PEPPER, "x")


def test_a_name_loses_what_is_invisible_or_turns_text_around() -> None:
    assert tidy_name("Test\u202e \u200bPer\u2060son ") == "Test Person"


def test_a_name_keeps_at_most_four_marks_on_a_letter() -> None:
    assert len(tidy_name("x" + "\u0300\u0316" * 60)) == 5


@given(st.text(max_size=128))
def test_tidying_a_name_twice_changes_nothing_more(name: str) -> None:
    once = tidy_name(name)

    assert tidy_name(once) == once


def test_same_phone_or_same_address_is_the_same_person() -> None:
    leads = [(b"phone1",), (b"phone2", b"mail1"), (b"phone1", b"mail2"), (b"mail1",), (b"phone3", b"mail2")]
    new = iter([A, B, C])

    persons, written = share_out(leads, {}, lambda: next(new))

    assert persons == [A, B, A, B, A]
    assert written == {b"phone1": A, b"phone2": B, b"mail1": B, b"mail2": A, b"phone3": A}


def test_the_phone_decides_between_two_known_persons() -> None:
    persons, written = share_out([(b"phone", b"mail")], {b"phone": A, b"mail": B}, lambda: C)

    assert persons == [A]
    assert written == {}


@given(st.lists(st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=1, max_size=2, unique=True), max_size=12))
def test_every_token_ends_with_one_person_and_none_is_made_for_nothing(leads: list[list[bytes]]) -> None:
    numbers = iter(UUID(int=n) for n in range(1, 100))

    persons, written = share_out(leads, {b"a": UUID(int=999)}, lambda: next(numbers))

    for tokens, person in zip(leads, persons, strict=True):
        assert (written | {b"a": UUID(int=999)})[tokens[0]] == person or tokens[0] not in written
    assert set(written.values()) <= set(persons)


@given(st.text(max_size=20))
def test_no_shortcut_leaves_a_character_in_a_name_that_cannot_be_seen(name: str) -> None:
    assert not {unicodedata.category(c) for c in tidy_name(name)} & {"Cf", "Co", "Cn", "Cs"}


@given(st.text(st.characters(exclude_categories=("Cf", "Co", "Cn", "Cs", "M")), max_size=20))
def test_a_name_that_can_be_seen_loses_nothing_but_spare_spaces(name: str) -> None:
    assert tidy_name(name) == " ".join(unicodedata.normalize("NFC", name).split())
