"""Whether a text may hold a phone number, an identity number or a mail address, however it is written.

What is published can never be taken back, so a doubt counts as yes; what is refused here stays sealed with the
contact. A number of seven digits or more is somebody's: with anything between them that is no letter, in digits of any
script, in Han numerals, in words. Only dates pass, for campaigns have them.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator

from shared.vocabulary import PublicText, Slug

_ZEROS = "○◯⚪⭕〇洞"
"""Drawn or said for zero, without a numeric value in Unicode."""
_SAID = {"幺": "1", "拐": "7", "勾": "9", "俩": "2", "仨": "3"}
_WORDS = (
    *("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple"),
    *("ling", "yi", "yao", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu"),
)
_LONG_VOWELS = "ーｰㆍ"
"""Letters by their category, which look like a dash or a dot."""
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"
"""Letters of Hangul by their category, and nothing to see."""
_LEAST_DIGITS = 7
"""A local phone number has no fewer; an identity number has 15 or 18."""
_RUN = re.compile(rf"(?:(?:[0-9]|(?<![a-z])(?:{'|'.join(_WORDS)})(?![a-z]))[\W_]*){{{_LEAST_DIGITS},}}")
_WORDS_TOGETHER = re.compile(rf"(?<![a-z])(?:(?:[0-9]|{'|'.join(_WORDS)})[\W_]*){{{_LEAST_DIGITS},}}")
_NO_DIGITS = re.compile(r"[^0-9]+")
_DIGITS_OF_A_MOBILE = 11
_GAP = r"[^0-9]{0,5}"
_WITH_LETTERS_BETWEEN = re.compile(
    # A mobile's number or an identity card's, with an x or an "and" between its groups; 2026, 300 and 250 make neither.
    rf"(?<![0-9])(?:0{{0,2}}{_GAP}8{_GAP}6{_GAP})?1{_GAP}[3-9](?:{_GAP}[0-9]){{9}}(?![0-9])"
    rf"|(?<![0-9])[1-8](?:{_GAP}[0-9]){{5}}{_GAP}(?:1{_GAP}9|2{_GAP}0)(?:{_GAP}[0-9]){{2}}{_GAP}[01](?:{_GAP}[0-9]){{6}}"
    rf"{_GAP}[0-9x](?![0-9])"
)
_DATE = r"20[0-9]{2}[-/._](?:0?[1-9]|1[0-2])[-/._](?:0?[1-9]|[12][0-9]|3[01])"
_DATES = re.compile(
    # A date with a time or a number of its own behind it, from a date to a date, from a year to a year.
    rf"{_DATE}(?:[-/._ ][0-9]{{1,2}}(?::[0-9]{{2}}){{0,2}})?|{_DATE}[-/~_ ]+{_DATE}|20[0-9]{{2}}[-/_]20[0-9]{{2}}"
)
_LETTER_O = re.compile(r"(?<=[0-9])(?:[\W_]*o)+(?![a-np-z])")
_LETTER_FOR_ONE = re.compile(r"(?<=[0-9o])[il](?=[0-9o])")
_ESCAPED = re.compile(r"(?:\\(?:u\{?0{0,4}|x)|=)([2-7][0-9a-f])\}?|\\0?(1[0-7]{2}|[4-7][0-7])", re.IGNORECASE)
_SIGNS_OF_ESCAPES = str.maketrans("％＆＃；＝＼", "%&#;=\\")
_HIDDEN_ASCII = range(0xE0020, 0xE007F)
"""Unicode's tags: invisible, and each one stands for a character of ASCII."""
_AT = re.compile(
    r"[(\[{<（【「]\s*(?:at|a\.t|艾特|圈a)\s*[)\]}>）】」]"  # a(at)b
    r"|[(\[{<]\s*a\s*[)\]}>]\s*[a-z0-9][\w-]*\s*[.。．点點]\s*[a-z]{2}"  # a(a)b.com
    r"|[a-z0-9]\s*(?:艾特|圈a)\s*[a-z0-9]"
    # a at b dot com, a_at_b.com, a/at/b.com; but test_drive_at_home is a campaign.
    r"|[a-z0-9][\W_]+at[\W_]+[a-z0-9][\w-]*(?:[\W_]*[.。．点點][\W_]*|[\W_]+(?:dot|point)[\W_]+)[a-z]{2}"
)
_HINTS_OF_AN_AT = ("at", "a.t", "(a", "[a", "{a", "<a", "( a", "艾特", "圈a")
_PERSONS_NUMBER = re.compile(
    r"(?:0{0,2}86)?1[3-9][0-9]{9}|[1-8][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9x]|0[1-9][0-9]{8,11}"
)
_MOST_DECODED = 3


def looks_personal(text: str) -> bool:
    """Whether a text may hold a phone number, an identity number or a mail address in any spelling."""
    return any(map(_shows_personal, _readings(text)))


def _shows_personal(plain: str) -> bool:
    if "@" in plain or (any(hint in plain for hint in _HINTS_OF_AN_AT) and _AT.search(plain)):
        return True
    if "i" in plain or "l" in plain:
        plain = _LETTER_FOR_ONE.sub("1", plain)
    if "o" in plain:
        plain = _LETTER_O.sub(lambda found: "0" * found.group().count("o"), plain)
    if len(_NO_DIGITS.sub("", plain)) >= _DIGITS_OF_A_MOBILE and _WITH_LETTERS_BETWEEN.search(plain):
        return True
    if any(any(map(str.isalpha, run.group())) for run in _WORDS_TOGETHER.finditer(plain)):
        return True
    return any(not _DATES.fullmatch(run.group().strip(" -/._~:,()")) for run in _RUN.finditer(plain))


def holds_persons_number(name: str) -> bool:
    """Whether a name of a site, a source or an operator is a mobile's, a landline's or an identity card's number.

    Dealers' codes may be long, so that only what has such a number's form counts.
    """
    return any(
        _PERSONS_NUMBER.fullmatch(re.sub(r"[-_]", "", run))
        for run in re.findall(r"[0-9](?:[-_]*[0-9])*x?", name.lower())
    )


def _readings(text: str) -> Iterator[str]:
    """The text as it stands, and as it reads once its escapes are undone: in 13%800 the sign only separates."""
    for _ in range(1 + _MOST_DECODED):
        yield _plain(text)
        signs = text if text.isascii() else text.translate(_SIGNS_OF_ESCAPES)
        if not any(sign in signs for sign in "%&\\="):
            return
        decoded = _ESCAPED.sub(_unescaped, html.unescape(unquote(signs)))
        if decoded == text:
            return
        text = decoded


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16) if found[1] else int(found[2], 8))


def _plain(text: str) -> str:
    """The text in lower case as a person reads it: without invisible signs, its digits as 0 to 9."""
    if text.isascii():
        return text.lower()
    # Ⅳ is a digit before it is taken apart into letters, ㊀ only after. Letters lose their marks: yī is yi.
    return "".join(map(_read, unicodedata.normalize("NFKD", "".join(map(_read, text))))).casefold()


@lru_cache(maxsize=4096)
def _read(sign: str) -> str:
    """A character as the ASCII digit that it stands for, or itself; nothing for invisible signs and marks on others."""
    if ord(sign) in _HIDDEN_ASCII:
        return chr(ord(sign) - 0xE0000)
    category = unicodedata.category(sign)
    if category in ("Cf", "Mn", "Me", "Mc") or sign in _BLANK_LETTERS:
        return ""
    if sign in _LONG_VOWELS:
        return "-"
    if sign in _ZEROS:
        return "0"
    value = unicodedata.numeric(sign, None)
    if value is not None and 0 <= value <= 9 and value == int(value):
        return str(int(value))
    return _SAID.get(sign, sign)


def _refuse(text: str) -> str:
    if looks_personal(text):
        raise ValueError("looks like a phone number or an address; only product or campaign names may stand here")
    return text


def _refuse_number(name: str) -> str:
    if holds_persons_number(name):
        raise ValueError("looks like a person's number; only a name may stand here")
    return name


PublishableText = Annotated[PublicText, AfterValidator(_refuse)]
"""Free text that a door lets into facts. Contracts read more: what old ledgers hold must be read for ever."""

PublishableSlug = Annotated[Slug, AfterValidator(_refuse_number)]
"""An identifier that a person chooses anew, such as an operator's name: it stands in facts, and is nobody's number."""
