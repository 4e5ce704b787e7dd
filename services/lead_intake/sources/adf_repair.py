"""Mends what is known to go wrong in an `<adf>` that is not well-formed, and says each thing that it did.

Nothing is guessed: where a tag is missing or closes another, the text stays as it is and the parser refuses it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from html.entities import html5
from typing import NamedTuple, TypeAlias

from services.lead_intake.sources.adf_markup import CDATA, shadow, stretches


class Repair(StrEnum):
    """What was mended; the text is for the sender."""

    CONTROLS = "characters that XML does not allow were replaced by blanks"
    WINDOWS = "control characters 128 to 159 were read as the characters of Windows-1252 in their place"
    REFERENCES = "numeric references to no character were replaced by blanks"
    ENTITIES = "entities that XML does not know (such as &nbsp;) were replaced"
    AMPERSANDS = "an &, < or ]]> that was not escaped was taken as text"
    HTML = "tags of HTML that need no end, such as <br>, were replaced by blanks"
    QUOTES = "attributes without straight quotes were given them"
    COMMENTS = "comments that are not well-formed were passed over"
    CASE = "tags in different cases were taken as the same"
    PREFIXES = "namespace prefixes that nothing declares were dropped"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A mended text and what was done, each kind once."""

    text: str
    repairs: tuple[Repair, ...]


NEEDED = re.compile(r"[\x7f-\x9f]|&#0*(?:12[789]|1[345][0-9]);|&#x0*(?:7f|[89][0-9a-f]);", re.IGNORECASE)
"""What a parser takes and nobody means: the control characters from 127 to 159."""

_NOT_XML = re.compile(r"[^\t\n\r\u0020-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HIGH_CONTROL = re.compile(r"[\x80-\x9f]")
_NEXT_LINE = "\x85"
_REFERENCE = re.compile(r"&#(?:[xX]([0-9A-Fa-f]{1,64})|([0-9]{1,64}));")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_BARE_LESS_THAN = re.compile(r"<(?![A-Za-z/!?])")
_CDATA_END = re.compile(r"\]\]>")
_HTML_ALONE = re.compile(
    r"<(?:br|hr|img|wbr|input|meta|link)(?:[\s/][^<>]*)?>(?:\s{0,8}</br\s{0,8}>)?|</br\s{0,8}>", re.IGNORECASE
)
"""Forms and mails put them into comments without an end; no element of ADF is called so."""
_TAG = re.compile(r"<[A-Za-z/][^<>]*>")
_TAG_NAME = re.compile(r"(</?)([\w.\-]{1,64}:)?([\w.\-]{1,64})")
_CURLY = "“”„‟″‘’‚‛′"
# What is quoted as it should be comes first, so that nothing inside it is taken for an attribute.
_ATTRIBUTE = re.compile(
    rf"""("[^"]*"|'[^']*')|(?<==)(\s*)[{_CURLY}]([^"{_CURLY}<>]*)["'{_CURLY}]"""
    rf"""|(\s[\w:\-]+\s*=\s*)([^\s"'<>={_CURLY}][^\s"'<>=]*)(?=[\s>/])"""
)
_PREFIXED = re.compile(r"""("[^"]*"|'[^']*')|(\s)([\w.\-]{1,64}):([\w.\-]{1,64}\s*=)""")
_DECLARED_PREFIX = re.compile(r"\sxmlns:([\w.\-]{1,64})\s*=")
_XML_ENTITIES = ("amp", "lt", "gt", "quot", "apos")

_COMMENTS = re.compile(r"<((?:[\w.\-]{1,64}:)?(?:price)?comments)(?=[\s>])[^<>]*(?<!/)>", re.IGNORECASE)
_NOT_A_LINE_END = re.compile(r"[^\r\n]")

_Replacement: TypeAlias = Callable[[re.Match[str]], str]


def repair(text: str) -> Repaired:
    """The text with everything mended that can be; comments and instructions are left out, for they say nothing."""
    mending = _Mending(frozenset(_DECLARED_PREFIX.findall(text)))
    mended = "".join(mending.part(part) for part in _parts(text))
    if len({name.lower() for name in mending.names}) < len(mending.names):
        mending.done[Repair.CASE] = None
    return Repaired(mended, tuple(mending.done))


def without_comments(text: str) -> str:
    """The text with what stands in its comments blanked out, place by place: nothing is read from there."""
    seen = shadow(text)
    lowered = seen.lower()
    parts: list[str] = []
    position = 0
    while opening := _COMMENTS.search(seen, position):
        # In capitals that change their length by lowering, places would differ.
        end = lowered.find(f"</{opening[1].lower()}", opening.end()) if len(lowered) == len(seen) else -1
        if end < 0:
            break
        parts += (text[position : opening.end()], _NOT_A_LINE_END.sub(" ", text[opening.end() : end]))
        position = end
    return "".join((*parts, text[position:]))


class _Part(NamedTuple):
    text: str
    is_cdata: bool


def _parts(text: str) -> Iterator[_Part]:
    position = 0
    for stretch in stretches(text):
        yield _Part(text[position : stretch.start], is_cdata=False)
        if stretch.kind == CDATA:
            yield _Part(text[stretch.start : stretch.end], is_cdata=True)
        position = stretch.end
    yield _Part(text[position:], is_cdata=False)


class _Mending:
    """One text being mended; `done` keeps the order of what was done."""

    def __init__(self, declared_prefixes: frozenset[str]) -> None:
        self.done: dict[Repair, None] = {}
        self.names: set[str] = set()
        self._declared = declared_prefixes

    def part(self, part: _Part) -> str:
        text = self._sub(Repair.CONTROLS, _NOT_XML, lambda m: " ", part.text)
        text = self._sub(Repair.WINDOWS, _HIGH_CONTROL, lambda m: _of_windows(ord(m[0]), m[0] == _NEXT_LINE), text)
        if part.is_cdata:
            return text
        text = _REFERENCE.sub(self._reference, text)
        text = self._sub(Repair.ENTITIES, _ENTITY, _replaced_entity, text)
        text = self._sub(Repair.AMPERSANDS, _BARE_AMPERSAND, lambda m: "&amp;", text)
        text = self._sub(Repair.AMPERSANDS, _BARE_LESS_THAN, lambda m: "&lt;", text)
        text = self._sub(Repair.AMPERSANDS, _CDATA_END, lambda m: "]]&gt;", text)
        text = self._sub(Repair.HTML, _HTML_ALONE, lambda m: " ", text)
        return _TAG.sub(self._tag, text)

    def _sub(self, kind: Repair, pattern: re.Pattern[str], new: _Replacement, text: str) -> str:
        mended = pattern.sub(new, text)
        if mended != text:
            self.done[kind] = None
        return mended

    def _reference(self, found: re.Match[str]) -> str:
        number = int(found[1], 16) if found[1] else int(found[2])
        if 0x80 <= number <= 0x9F:
            self.done[Repair.WINDOWS] = None
            return _of_windows(number)
        if number > 0x10FFFF or number == 0x7F or _NOT_XML.match(chr(number)):
            self.done[Repair.REFERENCES] = None
            return " "
        return found[0]

    def _tag(self, found: re.Match[str]) -> str:
        tag = self._sub(Repair.QUOTES, _ATTRIBUTE, _quoted, found[0])
        tag = _TAG_NAME.sub(self._tag_name, tag, count=1)
        return _PREFIXED.sub(self._prefixed, tag)

    def _tag_name(self, found: re.Match[str]) -> str:
        prefix = found[2] or ""
        if prefix and prefix[:-1] not in self._declared:
            self.done[Repair.PREFIXES] = None
            prefix = ""
        self.names.add(prefix + found[3])
        return found[1] + prefix + found[3].lower()

    def _prefixed(self, found: re.Match[str]) -> str:
        if found[1] or found[3] in ("xml", "xmlns", *self._declared):
            return found[0]
        self.done[Repair.PREFIXES] = None
        return found[2] + found[4]


def _quoted(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return f'{found[4]}"{found[5]}"' if found[4] else f'{found[2]}"{found[3]}"'


def _replaced_entity(found: re.Match[str]) -> str:
    meant = html5.get(found[1] + ";")
    # Escaped anew: an entity may stand for a character of markup. One that nobody knows is an & that stands for itself.
    return found[0] if meant is None or found[1] in _XML_ENTITIES else escape(meant)


def _of_windows(number: int, is_line_end: bool = False) -> str:
    # Mainframes end lines with character 133; nobody writes that one as a reference.
    return " " if is_line_end else bytes((number,)).decode("cp1252", errors="replace").replace("\ufffd", " ")
