"""From the text of an ADF file to prospects as elements, up a ladder of repairs that real files need.

Of the files met in practice, many are not well-formed: the standard's own sample opens with an upper-case XML
declaration. The rungs: refuse DOCTYPE and entities; cut out the `<adf>` spans, which drops every header problem; parse
strictly; only then take each prospect by itself, repair what is known to go wrong, and parse strictly again.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from services.lead_intake.sources.adf_elements import all_of
from services.lead_intake.sources.adf_markup import CDATA, INSTRUCTION, shadow
from services.lead_intake.sources.adf_repair import NEEDED, Repair, Repaired, repair, without_comments
from services.lead_intake.sources.reading import Unreadable

DEEPEST = 16
"""Levels of elements; the standard needs seven."""

_DOCTYPE = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_OF_HTML = re.compile(r"<!DOCTYPE\s+html(?:\s[^<>\[\]]*)?>", re.IGNORECASE)
"""A mail or a page around an `<adf>` says that it is HTML, which declares nothing."""
_START = re.compile(r"<((?:[\w.\-]{1,40}:)?)adf(?=[\s>])", re.IGNORECASE)
_END = re.compile(r"</(?:[\w.\-]{1,40}:)?adf\s{0,8}>", re.IGNORECASE)
_PROSPECT = re.compile(r"<(?:[\w.\-]{1,40}:)?prospect(?=[\s>])", re.IGNORECASE)
_PROSPECT_END = re.compile(r"</(?:[\w.\-]{1,40}:)?prospect\s{0,8}>", re.IGNORECASE)
_CARRYING = ((CDATA, INSTRUCTION), (INSTRUCTION,))
"""What is hidden when no `<adf>` stands in the markup itself: mails carry one in a comment, envelopes in CDATA."""
_REFUSED = "declares a DOCTYPE or an entity, which is refused"


@dataclass(frozen=True, slots=True)
class Prospect:
    """A prospect, and what had to be mended in it."""

    element: Element
    repairs: tuple[str, ...] = ()


def prospects(text: str) -> Iterator[Prospect | Unreadable]:
    """The prospects of every `<adf>` of a text, in order, or why one cannot be read.

    Raises Unreadable for a text without any `<adf>`, and for a DOCTYPE or entity declaration in its markup. One inside
    CDATA, a comment or an instruction declares nothing, and that of HTML declares no XML.
    """
    markup = shadow(text)
    if any(not _OF_HTML.match(markup, found.start()) for found in _DOCTYPE.finditer(markup)):
        raise Unreadable(_REFUSED)
    spans = [*_spans(text, markup, _START, _END)]
    for kinds in _CARRYING:
        spans = spans or [*_spans(text, shadow(text, kinds), _START, _END)]
    if not spans:
        raise Unreadable("holds no whole <adf> element")
    for span in spans:
        yield from _prospects_of(span)


def _spans(text: str, seen: str, opening: re.Pattern[str], end: re.Pattern[str]) -> Iterator[str]:
    position = 0
    while (start := opening.search(seen, position)) and (closed := end.search(seen, start.end())):
        yield text[start.start() : closed.end()]
        position = closed.end()


def _prospects_of(span: str) -> Iterator[Prospect | Unreadable]:
    if not NEEDED.search(span):
        with suppress(ParseError, Unreadable):
            found = [Prospect(prospect) for prospect in all_of(_parse(span), "prospect")]
            yield from found
            return
    # One that is broken must neither refuse the others nor be told what was mended in them.
    seen = shadow(span)
    root, end = span[: seen.find(">") + 1], span[span.rindex("</") :]
    pieces = [root + piece + end for piece in _spans(span, seen, _PROSPECT, _PROSPECT_END)]
    for piece in pieces or [span]:
        yield from _mended(piece, skipped=len(root) if pieces else 0)


def _mended(piece: str, skipped: int) -> Iterator[Prospect | Unreadable]:
    """The prospect of a piece; positions in its faults are counted without the `skipped` characters of its root."""
    try:
        mended = Repaired(piece, ())
        element = None if NEEDED.search(piece) else _parse_if_well_formed(piece)
        if element is None:
            mended = repair(piece)
            element = _parse_if_well_formed(mended.text)
        if element is None:
            mended = repair(without_comments(piece))
            element = _parse(mended.text)
            mended = Repaired(mended.text, (*mended.repairs, Repair.COMMENTS))
    except ParseError as error:
        line, column = error.position
        column -= skipped if line == 1 else 0
        where = "<prospect>" if skipped else "<adf>"
        yield Unreadable(f"is not well-formed, at line {line}, column {max(column, 0) + 1} of its {where} element")
    except Unreadable as error:
        yield error
    else:
        for prospect in all_of(element, "prospect"):
            yield Prospect(prospect, mended.repairs)


def _parse_if_well_formed(span: str) -> Element | None:
    try:
        return _parse(span)
    except ParseError:
        return None


def _parse(span: str) -> Element:
    parser = DefusedXMLParser(target=_Shallow(), forbid_dtd=True)
    try:
        parser.feed(span)
        element: Element = parser.close()
    except DefusedXmlException as error:
        raise Unreadable(_REFUSED) from error
    return element


class _Shallow(TreeBuilder):
    """Builds a tree of lower-case names without namespaces.

    It refuses a deep one before it is built: a few kilobytes can nest by the ten thousand.
    """

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(f"nests deeper than {DEEPEST} elements")
        return super().start(tag.rpartition("}")[2].lower(), attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2].lower())
