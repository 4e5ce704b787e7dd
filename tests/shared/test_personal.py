"""No phone number, identity number or mail address passes, however it is written; what campaigns are called does."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.personal import PublishableSlug, PublishableText, holds_persons_number, looks_personal

PUBLISHABLE: TypeAdapter[str] = TypeAdapter(PublishableText)
SLUG: TypeAdapter[str] = TypeAdapter(PublishableSlug)
EVERY_SIGN = [chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number < 0xE000]
SEPARATORS = [
    sign
    for sign in EVERY_SIGN
    if not sign.isalnum()
    and unicodedata.category(sign) not in ("Cn", "Co")
    and "No" not in unicodedata.category(sign)
    # Letters in a frame, and signs that are letters with marks, are letters: ⓐ, ㏂, ℀.
    and not any(part.isalnum() for part in unicodedata.normalize("NFKC", sign))
]
DIGITS: dict[int, list[str]] = {}
for _sign in EVERY_SIGN:
    _value = unicodedata.numeric(_sign, -1)
    if _value in range(10):
        DIGITS.setdefault(int(_value), []).append(_sign)
DIGITS[0] += ["○", "◯"]
DIGITS[1] += ["幺"]

LETTERS_BETWEEN = [*"axtqβж和车号のー가ǀㆍⓧ", " and ", "-x-", "xx", " 和 ", "\u3164", "\u115f"]

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
IDENTITY = st.from_regex(
    r"[1-6][1-5][0-9]{4}(?:19[4-9]|200)[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9])[0-9]{3}[0-9X]", fullmatch=True
)
LANDLINE = st.from_regex(r"0[1-9][0-9]{1,2}[2-8][0-9]{6,7}", fullmatch=True)
NUMBER = MOBILE | IDENTITY | LANDLINE


@given(NUMBER, st.lists(st.integers(1, 5), min_size=20, max_size=20), st.sampled_from(SEPARATORS), st.integers(1, 3))
@example("13812345678", [3, 4, 4, 5, 5], "_", 1)
@example("13820121567", [3, 4, 1, 1, 5], "/", 1)
@example("13800138000", [2, 3, 3, 3], ",", 1)
def test_a_number_in_groups_is_seen_whatever_separates_them(
    number: str, groups: list[int], separator: str, times: int
) -> None:
    written, rest = [], number
    for size in groups:
        if rest:
            written.append(rest[:size])
            rest = rest[size:]
    text = (separator * times).join([*written, rest] if rest else written)

    assert looks_personal(text)
    assert looks_personal(f"spring {text} sale")
    with pytest.raises(ValidationError):
        PUBLISHABLE.validate_python(text[:64])


@given(NUMBER, st.lists(st.sampled_from(SEPARATORS), min_size=17, max_size=17))
def test_a_number_is_seen_with_another_separator_everywhere(number: str, separators: list[str]) -> None:
    assert looks_personal("".join(sign + separator for sign, separator in zip(number, separators, strict=False)))


@given(MOBILE | IDENTITY, st.lists(st.integers(1, 5), min_size=20, max_size=20), st.sampled_from(LETTERS_BETWEEN))
def test_letters_between_the_groups_of_a_number_hide_it_no_better(
    number: str, groups: list[int], separator: str
) -> None:
    written, rest = [], number
    for size in groups:
        if rest:
            written.append(rest[:size])
            rest = rest[size:]

    assert looks_personal("spring " + separator.join([*written, rest] if rest else written))


@given(MOBILE | LANDLINE, st.randoms(use_true_random=False), st.sampled_from(["", " ", "/", "·"]))
def test_a_number_is_seen_in_digits_of_every_script(number: str, chance: "object", separator: str) -> None:
    signs = [getattr(chance, "choice")(DIGITS[int(digit)]) for digit in number]  # noqa: B009 - typed as object

    assert looks_personal(separator.join(signs))


@pytest.mark.parametrize("value", range(10))
def test_every_sign_for_a_digit_counts_as_one(value: int) -> None:
    assert all(looks_personal(sign * 11) for sign in DIGITS[value])


@pytest.mark.parametrize(
    "text",
    [
        *("138/1234/5678", "138_1234_5678", "110105_19900307_1234", "138+1234+5678", "138:1234:5678", "138&1234&5678"),
        *(
            "138'1234'5678",
            "138,1234,5678",
            "+86/138/1234/5678",
            "一三八〇〇一三八〇〇〇",
            "一三八○○一三八○○○",
            "壹叁捌零零壹叁捌零零零",
        ),
        *(
            "幺三八 零零幺三 八零零零",
            "１３８／１２３４／５６７８",
            "①③⑧⓪⓪①③⑧⓪⓪⓪",
            "¹³⁸⁰⁰¹³⁸⁰⁰⁰",
            "١٣٨٠٠١٣٨٠٠٠",
            "१३८००१३८०००",
            "𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎",
        ),
        *("1️⃣3️⃣8️⃣0️⃣0️⃣1️⃣3️⃣8️⃣0️⃣0️⃣0️⃣", "1\u200b3\u200b8\u200b0\u200b0\u200b1\u200b3", "138OO138OOO", "138 oo1 38o oo"),
        *(
            "one three eight zero zero one three eight",
            "One-Three-Eight-Zero-Zero-One-Three",
            "yao san ba ling ling yao san",
        ),
        *("010-65001234", "(021)6234-5678", "E12345678", "110105199003071234", "tel13800138000", "138 2012/1/5 678 12"),
        *("13%800%138%000", "138%20130%20080", "\\u0031\\u0033\\u0038\\u0030\\u0030\\u0031\\u0033\\u0038"),
        *("=31=33=38=30=30=31=33=38", "I38OOI38OOO", "138i0i38i00", "yī sān bā líng líng yī sān bā"),
        *("yisanbalinglingyisanba", "onethreeeightzerozeroonethreeeightzerozero", "＆#49;＆#51;800138000"),
        "".join(chr(0xE0000 + ord(digit)) for digit in "13800138000"),
    ],
)
def test_numbers_are_seen(text: str) -> None:
    assert looks_personal(text)
    assert looks_personal(f"Call {text} now")


@pytest.mark.parametrize(
    "text",
    [
        *("me@example.com", "me＠example。com", "me﹫example.com", "me (at) example.com", "me[at]example[dot]com"),
        *("me at example dot com", "me AT example.com", "me(AT)example", "me_at_example_dot_com", "me-at-example.com"),
        *(
            "me%40example.com",
            "me%2540example.com",
            "me&#64;example.com",
            "me&#x40;example.com",
            "me&commat;example.com",
        ),
        *(
            "me\\u0040example.com",
            "me\\x40example.com",
            "me=40example.com",
            "me艾特example点com",
            "me { at } example . com",
        ),
        *(
            "me at example点com",
            "mе@exаmple.com",
            "m\u200be\u2060@example.com",
            "me <at> example",
            "me at mail.example.cn",
            'me"at"example.com',
            "me/at/example.com",
            "me—at—example.com",
            "me|at|example.com",
            "me(a)example.com",
            "me at example point com",
            "me＆#64;example.com",
            "me\U000e0040example.com",
        ),
    ],
)
def test_mail_addresses_are_seen(text: str) -> None:
    assert looks_personal(text)
    assert looks_personal(f"Write to {text}, please")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026_spring_0415",
            "2026/03/15",
            "2026/3/5",
            "2026_03_15",
            "2025/2026",
            "2026/03/15 10:30",
            "spring 2026/03/15",
        ),
        *("One", "Model 3", "Model Y 2026", "One(长续航)", "ID.4 X", "GLC 300 L", "199,800", "10-15万", "CLTC 715 km"),
        *(
            "二〇二六年新春",
            "三一重工",
            "五四青年节",
            "一汽大众",
            "零跑 C11",
            "极氪001",
            "2026款 60 kWh",
            "4+2 seats",
            "5/7 seats",
        ),
        *(
            "Data at rest",
            "at the mall",
            "Saturday at 10",
            "lat.long",
            "v2.1",
            "privacy-1",
            "2026-01",
            "Q1/Q2/Q3",
            "24/7",
        ),
        *(
            "One Two Three",
            "Seven Seater",
            "A&B",
            "Spring & Summer 2026",
            "100% electric",
            "test_drive_at_home",
            "try-at-store",
            "320i 2026 M",
            "utm_2026_q4_banner_728x90",
            "2026-12-01T10:00:00",
            "0-100km 3.8s 500km 2026",
            "50 at 50",
        ),
    ],
)
def test_what_products_and_campaigns_are_called_is_published(text: str) -> None:
    assert not looks_personal(text)


@pytest.mark.parametrize(
    "name", ["13800138000", "138-0013-8000", "store-13800138000", "86_138_0013_8000", "02162345678"]
)
def test_a_name_that_is_a_persons_number_is_none(name: str) -> None:
    assert holds_persons_number(name)
    with pytest.raises(ValidationError):
        SLUG.validate_python(name)


@pytest.mark.parametrize(
    "name", ["suzhou-huqiu-store", "web-form", "store-1001", "cn-10138420", "3205-0001-2026", "mei", "osm-4938215571"]
)
def test_an_ordinary_name_is_one(name: str) -> None:
    assert SLUG.validate_python(name) == name


@given(st.text(max_size=64))
def test_whatever_is_written_is_judged(text: str) -> None:
    assert looks_personal(text) in (True, False)
