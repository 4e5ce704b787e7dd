"""However a phone or an address is written, it is the same person; what is neither is refused with fitting advice."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.people import read_address, read_phone, to_address, to_e164

NUMBER, OTHER, LANDLINE = "+8613900000001", "+8613900000002", "+8651265223344"
UNSEEN = ["\ufe0f", "\u200b", "\u200d", "\u2060", "\u00ad", "\ufeff", "\u202a", "\u202c", "\u2066", "\u061c", "\u180e"]
BLANKS = ["", " ", "\u00a0", "\u2009", "\u3000"]
MARKS = [
    "-",
    "\u2010",
    "\u2011",
    "\u2013",
    "\u2014",
    "\u2212",
    "\uff0d",
    "\u30fc",
    "\uff0e",
    ".",
    "_",
    "/",
    "\uff0f",
    "·",
]
ZEROS = [
    chr(i) for i in range(0x80, 0x1FFFF) if unicodedata.category(chr(i)) == "Nd" and unicodedata.digit(chr(i)) == 0
]


@pytest.mark.parametrize(
    "written",
    [
        "+86\ufe0f-139-0000-0001",
        "＋８６（１３９）００００－０００１",
        "tel:+86-139-0000-0001",
        "ＴＥＬ：139 0000 0001",
        "手机：13900000001",
        "13900000001（微信同号）",
        "13900000001, Mr Test",
        "13900000001.",
        "\u202a13900000001\u202c",
        "139/0000/0001",
        "139,0000,0001",
        "1️⃣3️⃣900000001",
        "①③⑨00000001",
        "一三九〇〇〇〇〇〇〇一",
        "139一0000一0001",
        "(+86) 139 0000 0001",
        "+86+8613900000001",
        "86-13900000001",
        "٠٠٨٦١٣٩٠٠٠٠٠٠٠١",
        "13900000001 / +86 139 0000 0001",
        "13900000001.0",
        "8613900000001.00",
    ],
)
def test_a_phone_is_read_however_it_is_written(written: str) -> None:
    assert read_phone(written, "CN").value == to_e164(written, "CN") == NUMBER
    assert read_phone(written, "CN").remark == ""


@given(
    st.sampled_from(ZEROS), st.sampled_from(MARKS), st.lists(st.sampled_from(UNSEEN + BLANKS), min_size=4, max_size=4)
)
def test_no_script_mark_or_unseen_character_makes_another_person(zero: str, mark: str, between: list[str]) -> None:
    digits = "".join(chr(ord(zero) + int(digit)) for digit in "13900000001")

    written = f"{between[0]}{digits[:3]}{between[1]}{mark}{digits[3:7]}{mark}{between[2]}{digits[7:]}{between[3]}"

    assert to_e164(written, "CN") == NUMBER


@pytest.mark.parametrize(
    "written",
    [
        "0512-65223344转123",
        "0512-65223344 轉 123",
        "051265223344分机123",
        "0512-65223344（转123）",
        "0512-65223344 ext. 123",
        "0512-65223344x123",
        "0512-65223344#123",
        "0512-65223344,123",
        "0512-65223344-123",
        "0512-65223344 (123)",
        "0512 65223344 123",
        "+86 512 65223344;ext=123",
        "０５１２－６５２２３３４４　转　１２３",
        "0512-65223344转123，张先生",
    ],
)
def test_an_extension_is_kept_and_told(written: str) -> None:
    reading = read_phone(written, "CN")

    assert reading.value == to_e164(written, "CN") == f"{LANDLINE};ext=123"
    assert "extension" in reading.remark
    assert to_e164(reading.value, "CN") == reading.value


def test_two_extensions_are_two_people() -> None:
    assert to_e164("0512-65223344转1", "CN") != to_e164("0512-65223344转2", "CN")


@pytest.mark.parametrize(
    "between", [" / ", "/", ";", "；", "、", " 或 ", " or ", ",", "，", " ", "|", "\n", "（", " +86 "]
)
def test_of_two_numbers_the_first_is_taken_and_it_is_told(between: str) -> None:
    written = f"139 0000 0001{between}139 0000 0002"

    reading = read_phone(written, "CN")

    assert (reading.value, reading.is_one_of_several) == (NUMBER, True)
    assert "more than one" in reading.remark
    with pytest.raises(ValueError, match="several phone numbers"):
        to_e164(written, "CN")


@pytest.mark.parametrize("written", ["6522 1234 / 13900000001", "139000000011;13900000001", "13900000001、6522 1234"])
def test_beside_a_number_that_is_none_the_other_is_taken_and_it_is_told(written: str) -> None:
    reading = read_phone(written, "CN")

    assert (reading.value, reading.is_one_of_several) == (NUMBER, True)
    assert "more than one" in reading.remark


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("6522 1234", "area code"),
        ("2596 1234", "area code"),
        ("2596822", "area code"),
        ("(000) 000-0000", "filler"),
        ("1111111", "filler"),
        ("139****0001", "hidden"),
        ("1390000000", "11 digits, and this one 10"),
        ("139000000012", "11 digits, and this one 12"),
        ("n/a", "no digits"),
        ("test@example.com", "e-mail address"),
        ("123转5", "extension"),
        ("1390000000/139000000012", "several numbers"),
        ("139OO000OO1", "phone number"),
        ("99999999999999999999", "filler"),
        ("12345", "country code"),
    ],
)
def test_what_is_no_phone_is_refused_with_advice_that_fits(written: str, advice: str) -> None:
    for read in (read_phone, to_e164):
        with pytest.raises(ValueError, match=advice) as refused:
            read(written, "CN")
        assert written not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        "test.person＠example.com",
        "ｔｅｓｔ．ｐｅｒｓｏｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "test.person@example。com",
        "mailto:test.person@example.com",
        "mailto:test.person@example.com?subject=Hello%20you",
        '<a href="mailto:test.person@example.com">Test Person</a>',
        "[test.person@example.com](mailto:test.person@example.com)",
        "test.person@example.com (work)",
        "test.person@example.com（工作）",
        "test.person@example.com 13900000001",
        "test.person%40example.com",
        "E-Mail：test.person@example.com",
        "Test Person <test.person@example.com>",
        "test.person@example.com.",
        "test.person@example.com，",
        "“test.person@example.com”",
        "test.person @ example.com",
        "test.\u200bperson@exam\u00adple.com\ufeff",
        "test.person@example.com; Test.Person@Example.com",
    ],
)
def test_an_address_is_read_however_it_is_written(written: str) -> None:
    assert to_address(written).casefold() == "test.person@example.com"
    assert not read_address(written).is_one_of_several


@pytest.mark.parametrize("between", [", ", ";", "；", " ", "/", "、", " 或 "])
def test_of_two_addresses_the_first_is_taken_and_it_is_told(between: str) -> None:
    reading = read_address(f"a@example.com{between}b@example.com")

    assert (reading.value, reading.is_one_of_several) == ("a@example.com", True)
    assert "more than one" in reading.remark


def outcome(read: Callable[[str], str], written: str) -> str:
    try:
        return read(written)
    except ValueError as error:
        return f"refused: {error}"


@given(st.text(max_size=64) | st.text("0123456789+-/;,x转 ", max_size=40))
def test_any_text_is_a_number_that_is_read_the_same_again_or_a_refusal(written: str) -> None:
    once = outcome(lambda text: read_phone(text, "CN").value, written)

    assert once.startswith("refused: ") or to_e164(once, "CN") == once


@given(st.text(max_size=254))
def test_any_text_is_an_address_that_is_read_the_same_again_or_a_refusal(written: str) -> None:
    once = outcome(lambda text: read_address(text).value, written)

    assert once == "refused: is no valid e-mail address" or to_address(once) == once
