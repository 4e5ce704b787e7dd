"""Numbers as people type them, in files and at the command: ASCII digits, a point before decimals, and nothing else.

Python's own readers take `3_1.3`, `٣١.٣`, `1e3`, `inf` and `nan` for numbers. Whoever writes these has made a slip, or
means something else: they are refused, with the plain spelling where there is one.
"""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from fractions import Fraction

LONGEST = 40
"""Characters; a double has 17 significant digits."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?\Z")
_WHOLE = re.compile(r"-?[0-9]+\Z")
_DECIMAL_COMMA = re.compile(r"-?[0-9]{1,3},[0-9]+\Z")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+\Z")
_GROUPS = re.compile(r"-?[0-9]{1,3}(?:([ '])[0-9]{3})(?:\1[0-9]{3})*\Z")
_EITHER = re.compile(r"-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+\Z")
"""One thousand where a point separates thousands, one where it separates decimals."""
_MINUS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\uff0d", "-"))


class NotANumber(ValueError):  # noqa: N818 - it names what the text is
    """A text that is no plainly written number; the message quotes it and says what was meant, if that is plain."""


def read_number(text: str, wanted: str = "a number") -> float:
    """The number that `text` writes. Raises NotANumber, which says that `wanted` is expected."""
    plain = text.strip()
    if len(plain) <= LONGEST and _NUMBER.match(plain):
        return float(plain)
    raise NotANumber(_refusal(plain, wanted, _NUMBER))


def read_whole(text: str, wanted: str = "a whole number") -> int:
    """The whole number that `text` writes. Raises NotANumber, which says that `wanted` is expected."""
    plain = text.strip()
    if len(plain) <= LONGEST and _WHOLE.match(plain):
        return int(plain)
    raise NotANumber(_refusal(plain, wanted, _WHOLE))


def written(number: float) -> str:
    """A number as `read_number` reads it: without an exponent, whole numbers without decimals."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quoted(text: str, most: int = 32) -> str:
    """The text in quotes, in what a terminal shows safely; a long one is cut and marked."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def _refusal(text: str, wanted: str, form: re.Pattern[str]) -> str:
    meant = _meant(text[: LONGEST + 1], form) if len(text) <= LONGEST else None
    return f"{quoted(text)} is not {wanted}" + (f"; did you mean {meant}?" if meant else "")


def _meant(text: str, form: re.Pattern[str]) -> str | None:
    """The plain spelling of the same number; None when there is none, or more than one."""
    plain = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in unicodedata.normalize("NFKC", text))
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = plain.translate(_MINUS).replace("_", "").strip().removeprefix("+")
    if form is _WHOLE and _EITHER.match(plain):
        return None
    if _GROUPS.match(plain) or (form is _WHOLE and _THOUSANDS.match(plain)):
        plain = re.sub("[ ',]", "", plain)
    elif form is _NUMBER and _DECIMAL_COMMA.match(plain):
        plain = plain.replace(",", ".")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > LONGEST:
        return None
    spelt = format(number, "f")
    if form is _WHOLE and "." in spelt:
        if Fraction(number).denominator != 1:
            return None
        spelt = spelt.partition(".")[0]
    return spelt if form.match(spelt) and len(spelt) <= LONGEST else None
