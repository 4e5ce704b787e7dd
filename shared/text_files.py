"""Text files as people save them: UTF-8, with or without a byte-order mark. What is none says what it is instead."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import UserError

MEBIBYTE = 1024 * 1024
_FIRST_LOOK = 4_096
_UTF8_ADVICE = "save it as UTF-8; spreadsheets call it 'CSV UTF-8'"
_UTF16 = "UTF-16 (Windows calls it 'Unicode')"
_OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook or an archive (zip)",
    b"\xd0\xcf\x11\xe0": "a workbook of an old spreadsheet (xls)",
    b"\x1f\x8b": "compressed (gzip)",
    b"%PDF": "a PDF",
}
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: _UTF16,
    codecs.BOM_UTF16_BE: _UTF16,
}
_LOOKS_UTF16 = 0.3
"""Share of zero bytes at which a text without a mark is taken for UTF-16: every second one, in letters of ASCII."""


def read_text_file(path: Path, largest_bytes: int) -> str:
    """The text of a file without its byte-order mark. Raises UserError for a file that is large, or no UTF-8 text."""
    try:
        _must_be_small(path, largest_bytes)
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    _must_be_text(path, content[:_FIRST_LOOK])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, content, error.start) from error
    _must_have_no_nul(path, text)
    return text


@contextmanager
def text_lines(path: Path, largest_bytes: int) -> Iterator[Iterator[str]]:
    """The lines of a file as they are, line ends included, read one at a time. Raises what `read_text_file` raises."""
    try:
        _must_be_small(path, largest_bytes)
        with path.open("rb") as opened:
            _must_be_text(path, opened.read(_FIRST_LOOK))
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield _checked(path, lines)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise _not_utf8(path, path.read_bytes(), None) from error


def _checked(path: Path, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            _must_have_no_nul(path, line)
        yield line


def _must_be_small(path: Path, largest_bytes: int) -> None:
    if path.stat().st_size > largest_bytes:
        raise UserError(
            f"{path} has {path.stat().st_size // MEBIBYTE} MiB; {largest_bytes // MEBIBYTE} MiB are the most",
            "is it the right file?",
        )


def _must_be_text(path: Path, beginning: bytes) -> None:
    for mark, name in _OTHER_FORMATS.items():
        if beginning.startswith(mark):
            raise UserError(f"{path} is {name} and no text", "save it as text in UTF-8; spreadsheets: 'CSV UTF-8'")
    for mark, name in _MARKS.items():
        if beginning.startswith(mark):
            raise UserError(f"{path} is {name} and not UTF-8", _UTF8_ADVICE)
    if beginning and beginning.count(0) >= _LOOKS_UTF16 * len(beginning):
        raise UserError(f"{path} looks like {_UTF16} and is not UTF-8", _UTF8_ADVICE)


def _must_have_no_nul(path: Path, text: str) -> None:
    place = text.find("\0")
    if place >= 0:
        line = text.count("\n", 0, place) + 1
        raise UserError(f"{path} holds a NUL character in line {line}: it is damaged, or no text", "save it anew")


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path} cannot be read: {error.strerror or type(error).__name__}")


def _not_utf8(path: Path, content: bytes, start: int | None) -> UserError:
    if start is None:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            start = error.start
    start = start or 0
    line = content.count(b"\n", 0, start) + 1
    guess = "; it looks like GBK (GB 18030)" if _is_chinese(content[: start + MEBIBYTE]) else ""
    return UserError(f"{path} is not UTF-8: byte {start}, in line {line}{guess}", _UTF8_ADVICE)


def _is_chinese(content: bytes) -> bool:
    """Whether the bytes read as GB 18030 with nothing but Chinese beyond ASCII: other encodings give rare signs."""
    text = content.decode("gb18030", errors="replace")
    foreign = [c for c in text if c > "\x7f"]
    common = sum("\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef" for c in foreign)
    return bool(foreign) and common >= 0.9 * len(foreign)
