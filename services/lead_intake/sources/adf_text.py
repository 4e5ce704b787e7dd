"""From the bytes of an ADF file to well-formed elements, up a ladder of repairs that real files need.

Of the files met in practice, many are not well-formed: the standard's own sample opens with an upper-case XML
declaration. The rungs: decode; refuse DOCTYPE and entities; cut out the `<adf>` spans, which drops every header
problem; parse strictly; only then repair what is known to go wrong, and parse strictly again.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from html.entities import html5
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from services.lead_intake.sources.reading import Unreadable

DEEPEST = 16
"""Levels of elements; the standard needs seven."""

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.\-]{1,40})["']""", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_START = re.compile(r"<adf[\s>]", re.IGNORECASE)
_END = re.compile(r"</adf\s{0,8}>", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z/][^<>]*>")
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
_BARE_LESS_THAN = re.compile(r"<(?![A-Za-z/!?])")
_UNQUOTED = re.compile(r"""(\s[\w:\-]+\s*=\s*)([^\s"'<>=]+)(?=[\s>/])""")
_CURLY = str.maketrans("“”„‟″‘’‚‛′", "\"\"\"\"\"'''''")
_XML_ENTITIES = ("amp", "lt", "gt", "quot", "apos")


def decode(body: bytes, charset: str) -> str:
    """The text: by byte order mark, as UTF-8, as declared, as GB 2312, then as Windows-1252.

    Declared comes after UTF-8, for many files in UTF-8 say something else. GB 2312 comes before Windows-1252, which
    would read any Chinese name as Latin letters without an error; Latin names are no valid GB 2312.
    """
    if body.startswith(BOM_UTF8):
        charset_tries = ["utf-8-sig"]
    elif body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        charset_tries = ["utf-16"]
    else:
        found = _DECLARED.search(body[:1024])
        declared = [charset, found[1].decode() if found else ""]
        charset_tries = ["utf-8", *(_superset(name) for name in declared if name), "gb2312", "cp1252"]
    for name in charset_tries:
        try:
            return body.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    raise Unreadable("is in no encoding that its declaration, UTF-8, GB 2312 or Windows-1252 explain")


def documents(text: str) -> Iterator[Element | Unreadable]:
    """The `<adf>` elements of a text, each parsed, or why it cannot be.

    Raises Unreadable for a text without any, and for a DOCTYPE or entity declaration anywhere.
    """
    if _DOCTYPE.search(text):
        raise Unreadable("declares a DOCTYPE or an entity, which is refused")
    spans = list(_spans(text))
    if not spans:
        raise Unreadable("holds no whole <adf> element")
    for span in spans:
        try:
            yield _parse_or_repair(span)
        except Unreadable as error:
            yield error


def _superset(charset: str) -> str:
    # Files that say gb2312 use characters of GBK; gb18030 reads both.
    return "gb18030" if charset.lower().replace("-", "") in ("gb2312", "gbk", "gb18030", "cp936") else charset


def _spans(text: str) -> Iterator[str]:
    position = 0
    while (start := _START.search(text, position)) and (end := _END.search(text, start.end())):
        yield text[start.start() : end.end()]
        position = end.end()


def _parse_or_repair(span: str) -> Element:
    try:
        return _parse(span)
    except ParseError:
        try:
            return _parse(_repair(span))
        except ParseError as error:
            line, column = error.position
            raise Unreadable(f"is not well-formed, at line {line}, column {column + 1} of its <adf> element") from None


def _parse(span: str) -> Element:
    parser = DefusedXMLParser(target=_Shallow(), forbid_dtd=True)
    try:
        parser.feed(span)
        element: Element = parser.close()
    except DefusedXmlException as error:
        raise Unreadable("declares a DOCTYPE or an entity, which is refused") from error
    return element


class _Shallow(TreeBuilder):
    """Builds a tree and refuses a deep one before it is built: a few kilobytes can nest by the ten thousand."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(f"nests deeper than {DEEPEST} elements")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def _repair(span: str) -> str:
    return "".join(part if part.startswith("<![CDATA[") else _repair_part(part) for part in _around_cdata(span))


def _around_cdata(span: str) -> Iterator[str]:
    # By `find`, not by a pattern: many unclosed openings would make a pattern quadratic.
    position = 0
    while (start := span.find("<![CDATA[", position)) >= 0 and (end := span.find("]]>", start)) >= 0:
        yield span[position:start]
        yield span[start : end + 3]
        position = end + 3
    yield span[position:]


def _repair_part(text: str) -> str:
    text = _NOT_XML.sub("", text)
    text = _ENTITY.sub(lambda m: m[0] if m[1] in _XML_ENTITIES else html5.get(m[1] + ";", m[0]), text)
    text = _BARE_AMPERSAND.sub("&amp;", text)
    text = _BARE_LESS_THAN.sub("&lt;", text)
    return _TAG.sub(lambda m: _UNQUOTED.sub(r'\1"\2"', m[0].translate(_CURLY)), text)
