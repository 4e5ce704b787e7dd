"""From the bytes of a file to its text, whatever its labels say, and what had to be done for it.

Only charsets of this file's list are ever used: Python knows codecs that are no charsets (hex, zlib), that fail with
another error than a decoding error (undefined, idna), or that let an ASCII text say something else (utf-7,
unicode_escape).
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Sequence
from dataclasses import dataclass
from encodings.aliases import aliases
from typing import NamedTuple

from services.lead_intake.sources.reading import Unreadable

# Python's name of a charset -> the charset that real files under its label are in: a superset of it. Files that say
# gb2312 use characters of GBK, and files that say ISO-8859-1 use those of Windows-1252 (as the WHATWG's Encoding
# Standard has it, https://encoding.spec.whatwg.org/#names-and-labels).
_MULTI_BYTE = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
    **dict.fromkeys(("big5", "cp950"), "cp950"),
    "big5hkscs": "big5hkscs",
    **dict.fromkeys(("shift_jis", "cp932"), "cp932"),
    "euc_jp": "euc_jp",
    **dict.fromkeys(("euc_kr", "cp949"), "cp949"),
}
_SINGLE_BYTE = {
    "latin_1": "cp1252",
    "cp1252": "cp1252",
    "iso8859_9": "cp1254",
    **{f"iso8859_{number}": f"iso8859_{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"cp{number}": f"cp{number}" for number in (437, 850, 866, 874, 1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
    **{name: name for name in ("koi8_r", "koi8_u", "mac_roman")},
}
# These say nothing more than the bytes do.
_PLAIN = dict.fromkeys(("ascii", "utf_8", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"), "")
_MARKS = (
    (BOM_UTF32_LE, "utf-32-le"),
    (BOM_UTF32_BE, "utf-32-be"),
    (BOM_UTF8, "utf-8"),
    (BOM_UTF16_LE, "utf-16-le"),
    (BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {"gb18030": "GB 18030", "cp1252": "Windows-1252", "cp950": "Big5", "utf-8": "UTF-8"}
_COMMON = {"gb18030": ("gb2312", b"\xf8"), "cp950": ("big5", b"\xc9")}
"""Where a charset's common characters are: its smaller predecessor, up to its rare and its own ones. Of texts of six
common characters, Big5 is taken for GB 18030 once in 100 times and never the other way round (2,000 random ones)."""
_HEAD_BYTES = 1024
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:\-]{1,40})["']""", re.IGNORECASE)
_TWO_CHINESE = re.compile(rb"[\xa1-\xfe]{4}")
_CONTROLS_OF_LATIN_1 = re.compile(rb"[\x80-\x9f]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
DAMAGE = "\ufffd"
"""Stands for bytes that are no character."""


def _plain_label(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


_KNOWN = _MULTI_BYTE | _SINGLE_BYTE | _PLAIN
_BY_LABEL = {_plain_label(alias): name for alias, name in aliases.items() if name in _KNOWN} | {
    **{_plain_label(name): name for name in _KNOWN},
    "xgbk": "gbk",
    "gb23121980": "gb2312",
    "utf8mb4": "utf_8",
    "ucs2": "utf_16",
    "unicode": "utf_16",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and, for its sender, what was done so that it could be read."""

    text: str
    repairs: tuple[str, ...] = ()


def decode(body: bytes, label: str) -> Decoded:
    """The text: by byte order mark, as UTF-8, as declared, as GB 2312, then as Windows-1252.

    `label` is the charset of the transport, which goes before the file's own declaration. Declared comes after UTF-8,
    for many files in UTF-8 say something else. GB 2312 comes before Windows-1252, which would read any Chinese name as
    Latin letters without an error; Latin names are no valid GB 2312. Raises Unreadable.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return _marked(body[len(mark) :], charset, label)
    if charset := _unmarked_utf_16(body):
        return _decoded(_cut_to_pairs(body), charset, ("said no charset, and was read as UTF-16",))
    return _unmarked(body, label)


def _marked(body: bytes, charset: str, label: str) -> Decoded:
    declared = [name for name in _declared(body, label) if _plain_label(charset)[:5] not in _plain_label(name)]
    told = ("declares another charset than its byte order mark, which was followed",) if declared else ()
    if charset != "utf-8":
        return _decoded(_cut_to_pairs(body), charset, told)
    try:
        return Decoded(body.decode(), told)
    except UnicodeDecodeError:
        rest = _unmarked(body, label)
        return Decoded(rest.text, ("begins with a byte order mark that does not fit what follows", *rest.repairs))


def _unmarked(body: bytes, label: str) -> Decoded:
    labels = _declared(body, label)
    names = [_BY_LABEL.get(_plain_label(name)) for name in labels]
    charsets = list(dict.fromkeys(filter(None, (_KNOWN[name] for name in names if name))))
    try:
        text = body.decode()
    except UnicodeDecodeError:
        pass
    else:
        # In ASCII there is nothing that a wrong label could change.
        told = ("declares another charset, and was read as UTF-8, which it is",) if charsets else ()
        return Decoded(text, () if body.isascii() else told)
    told = ("declares two charsets; ",) if len({name for name in names if name not in (None, "ascii")}) > 1 else ()
    if None in names:
        told = ("declares a charset that is not known; ",)
    reading = _as_declared(body, charsets) or _as_found(body)
    if reading is None:
        raise Unreadable("is in no encoding that its declaration, UTF-8, GB 2312 or Windows-1252 explain")
    charset, text = reading
    if DAMAGE in text:
        told = (*told, "holds bytes that are no characters; ")
    elif charset not in (*charsets, "latin-1") and not told:
        told = ("is not in the charset that it declares; ",) if labels else ("is not in UTF-8 and says no charset; ",)
    elif charset in ("cp1252", "latin-1") and "latin_1" in names and _CONTROLS_OF_LATIN_1.search(body):
        told = (*told, "holds characters of Windows-1252 under another label; ")
    read_as = f"it was read as {_NAMES.get(charset, charset)}"
    return Decoded(text, ("".join(told) + read_as,) if told else ())


class _Reading(NamedTuple):
    charset: str
    text: str


def _as_declared(body: bytes, charsets: Sequence[str]) -> _Reading | None:
    # A charset of single bytes reads anything, so those that can fail are tried first: libraries label what they send
    # as ISO-8859-1 without looking.
    many = [charset for charset in charsets if charset in _MULTI_BYTE.values()]
    single = [charset for charset in charsets if charset not in many]
    if readings := [reading for charset in many if (reading := _strictly(body, charset))]:
        return max(readings, key=_common_share) if len(readings) > 1 else readings[0]
    if single and (damaged := _as_damaged_utf_8(body)):
        return damaged
    if "cp1252" in single and _TWO_CHINESE.search(body) and (chinese := _as_chinese(body)):
        return chinese
    for charset in single:
        # The five bytes that Windows-1252 leaves open are control characters in ISO-8859-1.
        if reading := _strictly(body, charset) or _strictly(body, "latin-1" if charset == "cp1252" else charset):
            return reading
    return None


def _as_found(body: bytes) -> _Reading | None:
    if reading := _strictly(body, "gb2312"):
        return _Reading("gb18030", reading.text)
    return _as_damaged_utf_8(body) or _as_chinese(body) or _strictly(body, "cp1252")


def _as_damaged_utf_8(body: bytes) -> _Reading | None:
    """As UTF-8, if more of its characters are whole than broken; in another charset hardly any would be whole."""
    text = body.decode(errors="replace")
    is_mostly_whole = len(_NOT_ASCII.findall(text)) > 2 * text.count(DAMAGE)
    return _Reading("utf-8", text) if is_mostly_whole else None


def _as_chinese(body: bytes) -> _Reading | None:
    """As GB 18030, if half of it is common there: Latin letters with accents would be among the rare characters."""
    reading = _strictly(body, "gb18030")
    return reading if reading and _common_share(reading) >= 0.5 else None


def _common_share(reading: _Reading) -> float:
    """How much of what is not ASCII is among the common characters of a charset; text of another one seldom is."""
    common, end = _COMMON.get(reading.charset, (reading.charset, b"\xff"))
    foreign = _NOT_ASCII.findall(reading.text)
    found = sum(b"" < character.encode(common, "ignore") < end for character in foreign)
    return found / len(foreign) if foreign else 0.0


def _declared(body: bytes, label: str) -> list[str]:
    # Without its zeros, UTF-16 shows what its declaration says.
    found = _DECLARED.search(_COMMENT.sub(b"", body[:_HEAD_BYTES].replace(b"\0", b"")))
    return [name for name in (label, found[1].decode() if found else "") if name]


def _unmarked_utf_16(body: bytes) -> str:
    # A file begins with markup or a blank, which are ASCII.
    first, second = body[:16:2], body[1:16:2]
    if len(second) >= 2 and not any(second) and all(first):
        return "utf-16-le"
    if len(first) >= 2 and not any(first) and all(second):
        return "utf-16-be"
    return ""


def _cut_to_pairs(body: bytes) -> bytes:
    return body if len(body) % 2 == 0 else body[:-1]


def _decoded(body: bytes, charset: str, told: tuple[str, ...]) -> Decoded:
    text = body.decode(charset, errors="replace")
    return Decoded(text, (*told, "holds bytes that are no characters") if DAMAGE in text else told)


def _strictly(body: bytes, charset: str) -> _Reading | None:
    try:
        return _Reading(charset, body.decode(charset))
    except UnicodeDecodeError:
        return None
