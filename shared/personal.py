"""Whether a text may hold a phone number, an identity number or a mail address, however it is written.

What is published can never be taken back, so a doubt counts as yes; what is refused here stays sealed with the
contact. A number of seven digits or more is somebody's: with anything between them that is no letter, in digits of any
script, in Han numerals, in words. Only dates pass, for campaigns have them.
"""

import html
import re
import unicodedata
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
_LEAST_DIGITS = 7
"""A local phone number has no fewer; an identity number has 15 or 18."""
_RUN = re.compile(rf"(?:(?:[0-9]|(?<![a-z])(?:{'|'.join(_WORDS)})(?![a-z]))[\W_]*){{{_LEAST_DIGITS},}}")
_DATE = r"20[0-9]{2}[-/._](?:0?[1-9]|1[0-2])[-/._](?:0?[1-9]|[12][0-9]|3[01])"
_DATES = re.compile(
    # A date with a time or a number of its own behind it, from a date to a date, from a year to a year.
    rf"{_DATE}(?:[-/._ ][0-9]{{1,2}}(?::[0-9]{{2}}){{0,2}})?|{_DATE}[-/~_ ]+{_DATE}|20[0-9]{{2}}[-/_]20[0-9]{{2}}"
)
_LETTER_O = re.compile(r"(?<=[0-9])(?:[\W_]*o)+(?![a-np-z])")
_ESCAPED = re.compile(r"\\(?:u\{?0{0,4}|x|0*1?)40\}?|=40|\\100")
_AT = re.compile(
    r"[(\[{<（【「*_~\-]+\s*(?:at|a\.t|艾特|圈a)\s*[)\]}>）】」*_~\-]+"  # a(at)b, a_at_b
    r"|[a-z0-9]\s*(?:艾特|圈a)\s*[a-z0-9]"
    r"|[a-z0-9][\s.]+at[\s.]+[a-z0-9][\w-]*[\W_]*(?:[.。．]|dot|点|點)[\W_]*[a-z]{2}"  # a at b dot com
)
_PERSONS_NUMBER = re.compile(
    r"(?:0{0,2}86)?1[3-9][0-9]{9}|[1-8][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9x]|0[1-9][0-9]{8,11}"
)
_MOST_DECODED = 3


def looks_personal(text: str) -> bool:
    """Whether a text may hold a phone number, an identity number or a mail address in any spelling."""
    plain = _plain(text)
    if "@" in plain or (("at" in plain or "艾特" in plain or "圈a" in plain) and _AT.search(plain)):
        return True
    if "o" in plain:
        plain = _LETTER_O.sub(lambda found: "0" * found.group().count("o"), plain)
    return any(not _DATES.fullmatch(run.group().strip(" -/._~:,()")) for run in _RUN.finditer(plain))


def holds_persons_number(name: str) -> bool:
    """Whether a name of a site, a source or an operator is a mobile's, a landline's or an identity card's number.

    Dealers' codes may be long, so that only what has such a number's form counts.
    """
    return any(
        _PERSONS_NUMBER.fullmatch(re.sub(r"[-_]", "", run))
        for run in re.findall(r"[0-9](?:[-_]*[0-9])*x?", name.lower())
    )


def _plain(text: str) -> str:
    """The text in lower case as a person reads it: without escapes and invisible signs, its digits as 0 to 9."""
    for _ in range(_MOST_DECODED):
        if not any(sign in text for sign in "%&\\="):
            break
        text = _ESCAPED.sub("@", html.unescape(unquote(text)))
    if text.isascii():
        return text.lower()
    # Ⅳ is a digit before it is taken apart into letters, ㊀ only after.
    return "".join(map(_read, unicodedata.normalize("NFKC", "".join(map(_read, text))))).casefold()


@lru_cache(maxsize=4096)
def _read(sign: str) -> str:
    """A character as the ASCII digit that it stands for, or itself; nothing for what nobody sees."""
    if unicodedata.category(sign) == "Cf":
        return ""
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
