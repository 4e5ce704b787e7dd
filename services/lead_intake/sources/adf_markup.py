"""Where a text is no markup: comments, CDATA and instructions. Patterns that look for markup look at its shadow.

By `find`, not by a pattern, and never twice for an end that is not there: many unclosed openings would make either
quadratic.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

COMMENT, CDATA, INSTRUCTION = "<!--", "<![CDATA[", "<?"
_OPENING = re.compile(r"<(?:!--|!\[CDATA\[|\?)")
_ENDS = {COMMENT: "-->", CDATA: "]]>", INSTRUCTION: "?>"}


class Stretch(NamedTuple):
    """A part of a text from its opening to behind its end."""

    kind: str
    start: int
    end: int


def stretches(text: str, kinds: tuple[str, ...] = (COMMENT, CDATA, INSTRUCTION)) -> Iterator[Stretch]:
    """The stretches of these kinds in their order. What is opened and never closed is none."""
    unclosed: set[str] = set()
    position = closing = 0
    while opening := _OPENING.search(text, position):
        kind, start, position = opening[0], opening.start(), opening.end()
        if kind not in kinds or kind in unclosed:
            continue
        if kind == INSTRUCTION:
            # `<?xml version="1.0">` without its question mark is none, and must not reach to the end of the next one.
            if closing < start:
                closing = text.find(">", start)
            end = closing - 1 if closing - 1 > start + 1 and text[closing - 1] == "?" else -1
        else:
            end = text.find(_ENDS[kind], position)
        if end >= 0:
            position = end + len(_ENDS[kind])
            yield Stretch(kind, start, position)
        elif kind != INSTRUCTION or closing < 0:
            unclosed.add(kind)


def shadow(text: str, kinds: tuple[str, ...] = (COMMENT, CDATA, INSTRUCTION)) -> str:
    """The text with each such stretch blanked out, so that places in it are places in the text."""
    if "<!" not in text and "<?" not in text:
        return text
    parts: list[str] = []
    position = 0
    for stretch in stretches(text, kinds):
        parts += (text[position : stretch.start], " " * (stretch.end - stretch.start))
        position = stretch.end
    return "".join((*parts, text[position:]))
