"""Phones and e-mail addresses as people and forms write them, brought to the plain form that the libraries take.

What cannot be seen, other scripts' digits, full-width forms, labels and notes around a number say nothing about it.
A second number in the same field does: whoever reads is given both.
"""

import re
import unicodedata
from typing import NamedTuple

_HAN_DIGITS = {
    ord(character): str(digit)
    for digit, characters in enumerate(
        ("〇零", "一壹幺", "二贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for character in characters
}
_FULL_STOPS = str.maketrans("。｡．·•", ".....")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Me")
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d]")
_DASHES = "\u2212\u30fc\u02d7"
"""Minus, the long vowel mark and the modifier minus, which stand for dashes and are none."""
_EXTENSION = re.compile(
    r"(?:;\s*ext\s*=|[,;(]?\s*(?:转接?|轉接?|分机号?|分機號?|内线|內線|extension|extn|ext|x)\s*[.:]?)\s*([0-9]{1,6})[^0-9]*$"
    r"|[#,]\s*([0-9]{1,6})\s*#?\s*$",
    re.IGNORECASE,
)
_LAST_GROUP = re.compile(r"[-\s(]\s*([0-9]{1,5})\s*\)?\s*$")
_OF_A_TABLE = re.compile(r"(?<=[0-9]{7})\.0{1,2}(?![0-9.])")
"""Spreadsheets and data frames read a phone as a number, and write it as 13900000001.0."""
_NOT_OF_A_NUMBER = re.compile(r"[^0-9\s()+\-.]+")
_COUNTRY_TWICE = re.compile(r"^[\s(]*\+?([0-9]{2,3})[\s\-)]*(?=\+\s*\1)")
_BETWEEN_WORDS = re.compile(r"[^0-9+\-.]+")
_MOST_WORDS = 12
_MAIL_LABEL = re.compile(r"^(?:mailto|e-?mail|mail|邮箱|电子邮件)\s*:\s*", re.IGNORECASE)
_ANGLES = re.compile(r"<([^<>]*@[^<>]*)>")
_LINK = re.compile(r"mailto:([^\s?\"'<>()]+@[^\s?\"'<>()]+)", re.IGNORECASE)
_NOTE = re.compile(r"^([^@\s]+@[^@\s()?]+)(?:\s*\(|\?|\s+(?![.]))[^@]*$")
"""What follows an address and is no part of it: (work), ?subject=, a phone number."""
_BETWEEN_ADDRESSES = re.compile(r"[;,/|、或]|\s(?=\S*@)")
_AROUND_ADDRESS = " \t.,;:'\"“”‘’<>()[]{}《》「」、"


class Extended(NamedTuple):
    """A number and the extension behind it, both in ASCII digits."""

    number: str
    extension: str


def plain_phone(text: str) -> str:
    """The text with ASCII digits, dashes and blanks, without what cannot be seen; labels and notes stay."""
    text = _VARIATION_SELECTORS.sub("", unicodedata.normalize("NFKC", text))
    text = _COUNTRY_TWICE.sub("", "".join(map(_plain_character, text)))
    text = _OF_A_TABLE.sub("", text)
    # Beside other digits 一 is a dash, or a part of a word (周一).
    return text.replace("一", "-") if any(map(str.isdigit, text)) else text.translate(_HAN_DIGITS)


def extended(plain: str) -> Extended | None:
    """A number whose extension is named as one: 转123, ext. 5, x5, #5, or 5 behind a comma."""
    found = _EXTENSION.search(plain)
    number = whole_number(plain[: found.start()]) if found else ""
    return Extended(number, found[1] or found[2]) if found and number else None


def extended_by_a_group(plain: str) -> Extended | None:
    """A number whose last group may be its extension: 0512-65223344-801, 13900000001 (2)."""
    found = _LAST_GROUP.search(plain)
    number = whole_number(plain[: found.start()]) if found else ""
    return Extended(number, found[1]) if found and number else None


def whole_number(plain: str) -> str:
    """All digits of a text as one number, with its leading +; empty when words or a + stand between them."""
    first = next((i for i, character in enumerate(plain) if character.isdigit()), 0)
    last = next((i for i in range(len(plain), 0, -1) if plain[i - 1].isdigit()), 0)
    return "" if any(map(str.isalpha, plain[first:last])) else _digits("".join(_NOT_OF_A_NUMBER.split(plain)))


def numbers_apart(plain: str) -> list[str]:
    """The parts that anything but blanks, dots, dashes, brackets and + sets apart, each in its digits."""
    return [*dict.fromkeys(filter(None, map(_digits, _NOT_OF_A_NUMBER.split(plain))))]


def pairs_by_blanks(plain: str) -> list[list[str]]:
    """Each way to read a text as two numbers with a blank or a bracket between them."""
    words = _BETWEEN_WORDS.sub(" ", plain).split()
    cuts = range(1, min(len(words), _MOST_WORDS))
    return [[_digits("".join(words[:cut])), _digits("".join(words[cut:]))] for cut in cuts]


def written_addresses(text: str) -> list[str]:
    """The e-mail addresses that a text may mean, each once whatever its case; what is none comes as written."""
    plain = unicodedata.normalize("NFKC", _VARIATION_SELECTORS.sub("", text.translate(_FULL_STOPS)))
    plain = plain.replace("%40", "@") if "@" not in plain else plain
    if links := _LINK.findall(plain):
        return [*{address.casefold(): address for address in links}.values()]
    plain = _MAIL_LABEL.sub("", "".join(c for c in plain if unicodedata.category(c) not in _UNSEEN).strip())
    candidates = _ANGLES.findall(plain)
    if not candidates:
        pieces = _BETWEEN_ADDRESSES.split(plain)
        # "a b@example.com" is no address with a word before it, but none at all.
        candidates = pieces if all("@" in piece for piece in pieces if piece.strip(_AROUND_ADDRESS)) else [plain]
        if len(candidates) == 1 and (noted := _NOTE.match(plain.strip(_AROUND_ADDRESS))):
            candidates = [noted[1]]
    tidied = (re.sub(r"\s*([@.])\s*", r"\1", candidate.strip(_AROUND_ADDRESS)) for candidate in candidates)
    return [*{address.casefold(): address for address in tidied if address}.values()]


def _plain_character(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else ";" if character in "\r\n" else " "
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in _UNSEEN:
        return ""
    if category == "Pd" or character in _DASHES:
        return "-"
    return " " if category[0] == "Z" else character


def _digits(written: str) -> str:
    """The digits with their leading +; empty when a + stands among them."""
    signs = "".join(filter(lambda c: c.isdigit() or c == "+", written)).rstrip("+")
    digits = signs.lstrip("+")
    return "" if "+" in digits or not digits else ("+" if signs.startswith("+") else "") + digits
