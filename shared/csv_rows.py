"""Rows of a CSV file by the names of its header. What spoils a whole file is one fault that names the cause.

Names are compared without case, spaces and widths (`Site ID` is `site_id`); empty columns at no name and empty rows are
passed over, as spreadsheets add them; so is a first line `sep=,`.
"""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from shared.words import counted

csv.field_size_limit(131_072)  # the library's default, said because the refusal of a longer field rests on it

Refuse = Callable[[int, str, str], None]
"""Takes a line of the file (from 1; 0 for the whole file), a field, and why it is refused."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", "，": "full-width commas", "；": "full-width semicolons"}
_SEP_LINE = re.compile(r"\s*\"?sep=(.?)\"?\s*\Z", re.IGNORECASE)
_LONGEST_HEADER = 20_000
_LONGEST_LINE = 1_000_000
_MOST_COLUMNS = 1_000


@dataclass(frozen=True)
class Columns:
    """The columns that a kind of file may have."""

    known: tuple[str, ...]
    needed: frozenset[str]
    meant: Callable[[str], str]
    """What to say of a name that is not known."""


class CsvRow(NamedTuple):
    """One row."""

    number: int
    """Line of the file at which it ends, counted from 1."""
    fields: dict[str, str]


def column_name(written: str) -> str:
    """A heading as it is compared: without case, widths, marks that nobody sees, and dashes or spaces for `_`."""
    visible = "".join(c for c in written[:256] if unicodedata.category(c) != "Cf")
    plain = unicodedata.normalize("NFKC", visible).strip().lower()
    return re.sub(r"[\s\-]+", "_", plain)


def csv_rows(lines: Iterable[str], columns: Columns, refuse: Refuse) -> Iterator[CsvRow]:
    """The rows below the header, in file order; what is wrong is told to `refuse`."""
    source = _bounded(lines)
    try:
        skipped, first = _first_line(source)
    except csv.Error as problem:
        refuse(0, "file", f"is not CSV: {problem}")
        return
    if cause := _cause(first[:_LONGEST_HEADER], columns):
        refuse(skipped + 1 if first else 0, "file", cause)
        return
    reader = csv.reader(chain([first], source), strict=True, skipinitialspace=True)
    begun = 0
    try:
        header = _header(next(reader), skipped + reader.line_num, columns, refuse)
        begun = reader.line_num
        for cells in reader if header else ():
            if any(map(str.strip, cells)):
                if why := _misfit(cells, header):
                    refuse(skipped + reader.line_num, "row", why)
                else:
                    fields = {name: cell for name, cell in zip(header, cells, strict=False) if name}
                    yield CsvRow(skipped + reader.line_num, fields)
            begun = reader.line_num
    except csv.Error as problem:
        begun, line = skipped + begun + 1, skipped + reader.line_num
        refuse(begun, "row", _csv_fault(str(problem), begun, line))


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    """The lines. Raises csv.Error at one that no spreadsheet writes: a million cells are memory for nothing."""
    for line in lines:
        if len(line) > _LONGEST_LINE:
            raise csv.Error(f"a line has more than {_LONGEST_LINE:,} characters")
        yield line


def _first_line(source: Iterator[str]) -> tuple[int, str]:
    """How many lines stand before the header, and the header's first line; a line `sep=` that lies is kept as it."""
    skipped = 0
    for line in source:
        separator = _SEP_LINE.match(line)
        if line.strip(" \t\r\n,") and (separator is None or separator[1] not in ("", ",")):
            return skipped, line
        skipped += 1
    return skipped, ""


def _misfit(cells: list[str], header: list[str]) -> str | None:
    """Why the row does not fit its header; cells without a heading may stand empty."""
    if len(cells) < len(header):
        return _wrong_length(cells, header)
    for place, cell in enumerate(cells):
        if cell.strip() and not (place < len(header) and header[place]):
            if place >= len(header):
                return _wrong_length(cells, header)
            return f"has something in column {place + 1}, which has no heading"
    return None


def _header(cells: list[str], line: int, columns: Columns, refuse: Refuse) -> list[str]:
    """The columns' names, empty for a column without; none at all when the file cannot be read by them."""
    if len(cells) > _MOST_COLUMNS:
        refuse(line, "file", f"has {len(cells)} columns; {_MOST_COLUMNS} are the most")
        return []
    header = [column_name(cell) for cell in cells]
    while header and not header[-1]:
        header.pop()
    missing = [name for name in columns.known if name in columns.needed and name not in header]
    faults = [(name, "this column is missing from the header") for name in missing]
    for name, often in Counter(filter(None, header)).items():
        if name not in columns.known:
            faults.append((name[:64], f"unknown column; {columns.meant(name[:64])}"))
        elif often > 1:
            faults.append((name, "this column stands twice in the header"))
    for field, reason in faults:
        refuse(line, field, reason)
    return [] if faults else header


def _cause(line: str, columns: Columns) -> str | None:
    """What spoils a whole file, by its first line: no header, or one in which commas find next to no column."""
    if not line:
        return "is empty"
    if said := _SEP_LINE.match(line):
        return _wrong_separator(said[1])
    cells = next(csv.reader([line], skipinitialspace=True), [])
    if sum(column_name(cell) in columns.known for cell in cells) >= min(2, len(columns.needed)):
        return None
    beginning = line.lstrip()[:1]
    if beginning in ("{", "["):
        return "is JSON and no CSV; name it for what it holds"
    if beginning == "<":
        return "is XML or HTML and no CSV"
    words = [word for word in re.split(r"[^\w\-]+", line) if word]
    if sum(column_name(word) in columns.known for word in words) < min(2, len(columns.needed)):
        needed = ",".join(name for name in columns.known if name in columns.needed)
        return f"has no header: its first line must name the columns, such as {needed}"
    between = re.findall(r"(?<=[\w\"'])[^\w\"'\-]+(?=[\w\"'])", line.strip())
    found = Counter(text.strip(" ") or " " for text in between)
    if not found:
        return "has one column only; the header names all of them, with commas between"
    separator = found.most_common(1)[0][0]
    if separator != ",":
        return _wrong_separator(separator)
    if line.count("'") > len(between):
        return 'has its fields in single quotes; write " instead of them, or nothing'
    return "has whole lines in quotes: each is one field; remove the quotes"


def _wrong_separator(separator: str) -> str:
    name = "spaces" if separator == " " else _SEPARATORS.get(separator, "another sign")
    sign = "" if separator in ("\t", " ") else f" ({separator[:4]!r})"
    return (
        f"has its columns separated by {name}{sign}, not by commas: "
        "save it with the separator comma; spreadsheets call it 'CSV UTF-8 (comma delimited)'"
    )


def _wrong_length(cells: list[str], header: list[str]) -> str:
    found = f"has {counted(len(cells), 'field')} where the header has {len(header)}"
    for separator, name in _SEPARATORS.items():
        if len(cells) == 1 and cells[0].count(separator) >= len(header) - 1 > 0:
            return f"{found}; it is separated by {name}, not by commas"
    return f"{found}; quote fields that hold a comma"


def _csv_fault(problem: str, begun: int, line: int) -> str:
    if "unexpected end" in problem:
        return f'is not CSV: a quoted field of the row that begins in line {begun} has no end; close it with "'
    if "field larger" in problem:
        return f"is not CSV: a field has more than {csv.field_size_limit():,} characters; is a closing quote missing?"
    if "expected after" in problem:
        return f'is not CSV: something follows a closing quote, up to line {line}; write "" for a quote within a field'
    return f"is not CSV: {problem}"
