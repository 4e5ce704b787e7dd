"""Tables that hold in any width: no word of a cell is ever cut or broken, so an id can be copied from every one.

A pipe gets one line for each row, however long. A terminal that is wide enough gets the same; in a narrower one texts
are wrapped between words; and where that is not enough, each row is a block of its own, a line for each value.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console
from rich.style import StyleType
from rich.text import Text

GAP = 2
INDENT = 2
TALLEST_ROW = 3
"""Lines that a cell of one line may be folded into. A row of more is easier to read as a block of its own."""
NARROWEST = 20
"""Columns. What says that it is narrower is not a terminal that anybody reads."""


@dataclass(frozen=True)
class Column:
    """One column; the first of a table says what each row is about, and begins its block in a narrow terminal."""

    heading: str
    right: bool = False


@dataclass(frozen=True)
class _Cell:
    text: str
    style: StyleType


@dataclass
class Table:
    """A title, columns, and rows of plain texts (or `Text` of one style): no markup is read in them."""

    title: str
    columns: Sequence[Column]
    rows: list[tuple[_Cell, ...]] = field(default_factory=list)
    has_headings: bool = True

    def add_row(self, *cells: str | Text) -> None:
        """One more row, a cell for each column."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(tuple(_cell(cell) for cell in cells))


def table_of(title: str, texts: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    """An empty table: first the columns of texts, then those of numbers."""
    return Table(title, [*map(Column, texts), *(Column(heading, right=True) for heading in numbers)])


def print_table(console: Console, table: Table) -> None:
    """Print it for the width of the terminal, or of any length in a pipe."""
    if table.title:
        console.print(Text(table.title, style="italic"), soft_wrap=True)
    for line in lines_of(table, max(console.width, NARROWEST) if console.is_terminal else None):
        console.print(line, soft_wrap=True)


def lines_of(table: Table, width: int | None) -> list[Text]:
    """The lines of a table for a terminal of this many columns; None: as long as they are."""
    headings = tuple(_Cell(column.heading, "bold") for column in table.columns)
    rows = [headings, *table.rows] if table.has_headings else table.rows
    if not rows:
        return []
    cells = list(zip(*rows, strict=True))
    natural = [max(cell_len(line) for cell in column for line in cell.text.split("\n")) for column in cells]
    least = [max(cell_len(word) for cell in column for word in cell.text.split(" ")) for column in map(_lines, cells)]
    room = None if width is None else width - GAP * (len(cells) - 1)
    if room is None or sum(natural) <= room:
        widths = natural
    elif sum(least) <= room:
        widths = _widths(least, natural, room)
        if any(
            len(fold(cell.text, wide)) > TALLEST_ROW for row in rows for cell, wide in zip(row, widths, strict=True)
        ):
            return list(_blocks(table, width or 0))
    else:
        return list(_blocks(table, width or 0))
    return [line for row in rows for line in _row(row, widths, table.columns)]


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words only: a longer word has a line of its own."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, *words = paragraph.split(" ")
        for word in words:
            if line and cell_len(f"{line} {word}") > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}"
        lines.append(line)
    return lines


def _cell(cell: str | Text) -> _Cell:
    text, style = (cell.plain, cell.style) if isinstance(cell, Text) else (cell, "")
    # What people typed may hold what a terminal would obey.
    shown = "".join(
        "\ufffd" if unicodedata.category(character) in ("Cc", "Cs") and character != "\n" else character
        for character in text
    )
    return _Cell(shown, style)


def _taller(text: str, width: int) -> int:
    """How many lines more than it has by itself."""
    return len(fold(text, width)) - text.count("\n")


def _lines(column: Sequence[_Cell]) -> list[_Cell]:
    return [_Cell(line, cell.style) for cell in column for line in cell.text.split("\n")]


def _widths(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """Each column's least, and of what is left as much as its part of all that is wanted."""
    left, wanted = room - sum(least), sum(natural) - sum(least)
    return [low + (high - low) * left // wanted for low, high in zip(least, natural, strict=True)]


def _row(row: Sequence[_Cell], widths: Sequence[int], columns: Sequence[Column]) -> Iterator[Text]:
    folded = [fold(cell.text, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, folded))):
        line = Text()
        for cell, lines, width, column in zip(row, folded, widths, columns, strict=True):
            text = lines[number] if number < len(lines) else ""
            fill = " " * (width - cell_len(text))
            line.append(fill + text if column.right else text + fill, style=cell.style)
            line.append(" " * GAP)
        line.rstrip()
        yield line


def _blocks(table: Table, width: int) -> Iterator[Text]:
    """Each row as a block: what it is about, then a line for each other value that there is."""
    for row in table.rows:
        for line in fold(row[0].text, width):
            yield Text(line, style=row[0].style or "bold")
        for cell, column in zip(row[1:], table.columns[1:], strict=True):
            if not cell.text:
                continue
            named = f"{column.heading}: {cell.text}" if column.heading else cell.text
            first, *rest = fold(named, width - INDENT)
            yield Text(" " * INDENT + first, style=cell.style)
            for line in fold("\n".join(rest), width - 2 * INDENT) if rest else ():
                yield Text(" " * 2 * INDENT + line, style=cell.style)
