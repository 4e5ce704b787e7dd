"""A table in any width: words stay whole, rows stay apart, and what people typed is only text."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from shared.terminal.output import Output
from shared.terminal.table import Column, Table, fold, lines_of, print_table, table_of

LEAD = "01a21ae0-6a19-71d3-b5f1-5476456276e8"


def waiting(reason: str = "is full") -> Table:
    table = table_of("Waiting", ("lead", "reason", "place"), ("age",))
    table.add_row(LEAD, reason, "苏州市 吴中区", "3")
    return table


def test_a_pipe_gets_a_line_for_each_row_however_long() -> None:
    out = io.StringIO()
    print_table(Output(file=out, width=10), waiting("words " * 50))
    title, headings, row = out.getvalue().splitlines()
    assert title == "Waiting"
    assert headings.split() == ["lead", "reason", "place", "age"]
    assert row.startswith(f"{LEAD}  words words")
    assert row.endswith("苏州市 吴中区    3")


def test_texts_are_wrapped_between_words_when_the_terminal_is_narrower() -> None:
    lines = [line.plain for line in lines_of(waiting("holds as many leads as it may today"), 80)]
    assert all(cell_len(line) <= 80 for line in lines)
    assert len(lines) == 3
    assert lines[1].startswith(f"{LEAD}  holds as many")
    assert lines[2].startswith(" " * 38)


def test_a_row_is_a_block_of_its_own_when_columns_would_not_do() -> None:
    table = waiting()
    table.add_row("x" * 63, "", "Somewhere", "4")
    assert [line.plain for line in lines_of(table, 40)] == [
        LEAD,
        "  reason: is full",
        "  place: 苏州市 吴中区",
        "  age: 3",
        "x" * 63,
        "  place: Somewhere",
        "  age: 4",
    ]


def test_what_people_typed_is_no_markup_and_obeyed_by_no_terminal() -> None:
    table = table_of("", ("site", "name"))
    table.add_row("a", "[red]Name[/] :smile: \x1b[2J\x07 \udcff")
    out = io.StringIO()
    print_table(Output(file=out, force_terminal=True, width=80, no_color=True), table)
    assert "[red]Name[/] :smile: \ufffd[2J\ufffd \ufffd" in out.getvalue()


def test_a_style_is_for_people_only() -> None:
    table = Table("", [Column("state")])
    table.add_row(Text("refused", style="red"))
    out = io.StringIO()
    print_table(Output(file=out), table)
    assert out.getvalue() == "state\nrefused\n"


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 cells for 4 columns"):
        waiting().add_row("a", "b")


CELLS = st.text(st.sampled_from("ab- 的\n"), max_size=60)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=4), st.none() | st.integers(20, 200))
def test_every_word_of_every_cell_stands_whole_on_one_line(rows: list[tuple[str, str, str]], width: int | None) -> None:
    table = table_of("", ("one", "two"), ("three",))
    for row in rows:
        table.add_row(*row)
    shown = [line.plain for line in lines_of(table, width)]
    for row in rows:
        for word in re.split(r"[ \n]+", " ".join(row)):
            assert any(word in line for line in shown)
    if width is not None:
        longest = max((cell_len(word) for row in rows for cell in row for word in re.split(r"[ \n]", cell)), default=0)
        assert all(cell_len(line) <= max(width, longest + 4) for line in shown)


@given(CELLS, st.integers(1, 60))
def test_folding_loses_nothing(text: str, width: int) -> None:
    assert " ".join(fold(text, width)).split() == text.split()
