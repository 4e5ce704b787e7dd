"""Rows of CSV by the names of a header: what spoils a whole file is one fault that names the cause."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.csv_rows import Columns, CsvRow, csv_rows

COLUMNS = Columns(
    ("site_id", "name", "lat", "hours"), frozenset({"site_id", "name", "lat"}), lambda name: f"{name}? perhaps hours?"
)
Fault = tuple[int, str, str]


def read(text: str) -> tuple[list[CsvRow], list[Fault]]:
    faults: list[Fault] = []
    rows = list(csv_rows(io.StringIO(text, newline=""), COLUMNS, lambda *fault: faults.append(fault)))
    return rows, faults


@pytest.mark.parametrize(
    "text",
    [
        "site_id,name,lat\none,One,31.3\n",
        "site_id,name,lat\r\none,One,31.3\r\n",
        "site_id,name,lat\rone,One,31.3\r",
        "site_id,name,lat,,\none,One,31.3,,\n,,,,\n",
        "site_id,name,lat\none,One,31.3,,,\n",
        "site_id,name,lat\none,One,31.3\n\n   \n,,\n",
        " Site ID ,NAME,ｌａｔ\none,One,31.3",
        "\ufeff\u200bsite_id,name,lat\none,One,31.3\n",
        "site-id,,name,lat\none,,One,31.3\n",
        '"site_id","name","lat"\n"one","One","31.3"\n',
        '"site_id", "name", "lat"\n"one", "One", "31.3"\n',
    ],
)
def test_what_spreadsheets_add_makes_no_difference(text: str) -> None:
    rows, faults = read(text)
    assert faults == []
    assert rows == [CsvRow(2, {"site_id": "one", "name": "One", "lat": "31.3"})]


def test_lines_before_the_header_are_passed_over_and_counted() -> None:
    assert read("sep=,\n\nsite_id,name,lat\none,One,31.3\n")[0][0].number == 4


@pytest.mark.parametrize(
    ("separator", "name"),
    [
        (";", "semicolons (';')"),
        ("\t", "tabs"),
        ("|", "bars ('|')"),
        ("，", "full-width commas ('，')"),
        ("；", "full-width semicolons ('；')"),
        (" ; ", "semicolons (';')"),
        (" ", "spaces"),
        ("^", "another sign ('^')"),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_another_separator_is_one_fault_that_names_it(separator: str, name: str, quote: str) -> None:
    lines = [["site_id", "name", "lat"], ["one", "One", "31.3"], ["two", "Two", "31.4"]]
    text = "\n".join(separator.join(f"{quote}{cell}{quote}" for cell in line) for line in lines)
    rows, [(line, field, reason)] = read(text)
    assert (rows, line, field) == ([], 1, "file")
    assert f"has its columns separated by {name}, not by commas: save it with the separator comma" in reason


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "is empty"),
        ("\n ,,\n\n", 0, "is empty"),
        ("sep=;\nsite_id;name;lat\n", 1, "separated by semicolons"),
        (
            "one,One,31.3\ntwo,Two,31.4\n",
            1,
            "has no header: its first line must name the columns, such as site_id,name",
        ),
        ('"site_id,name,lat"\n"one,One,31.3"\n', 1, "has whole lines in quotes"),
        ("'site_id','name','lat'\n'one','One','31.3'\n", 1, "has its fields in single quotes"),
        ('{"type": "FeatureCollection"}', 1, "is JSON and no CSV"),
        (f"site_id,name,lat{' ' * 2_000_000}\n", 0, "a line has more than 1,000,000 characters"),
        ("<html><body>", 1, "is XML or HTML and no CSV"),
        ("site_id,name,lat" + "," * 2_000 + "x\n", 1, "has 2003 columns"),
    ],
)
def test_what_spoils_a_file_is_one_fault(text: str, line: int, says: str) -> None:
    rows, [(found, field, reason)] = read(text)
    assert (rows, found, field) == ([], line, "file")
    assert says in reason


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("one;One;31.3\n", 3, "has 1 field where the header has 3; it is separated by semicolons, not by commas"),
        ("one,One\n", 3, "has 2 fields where the header has 3"),
        ("one,One,31.3,,x\n", 3, "has 5 fields where the header has 3; quote fields that hold a comma"),
        ('one,"One,31.3\ntwo,Two,31.4\n', 3, "a quoted field of the row that begins in line 3 has no end"),
        ('one,"One" Lane,31.3\n', 3, "something follows a closing quote"),
        (f"one,{'x' * 200_000},31.3\n", 3, "a field has more than 131,072 characters"),
        (f"{',' * 2_000_000}x\n", 3, "a line has more than 1,000,000 characters"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_its_line(text: str, line: int, says: str) -> None:
    rows, faults = read(f"site_id,name,lat\nfirst,First,31.2\n{text}")
    assert [row.fields["site_id"] for row in rows] == ["first"]
    [(found, field, reason)] = faults
    assert (found, field) == (line, "row")
    assert says in reason


def test_something_below_no_heading_is_named_by_its_column() -> None:
    assert read("site_id,,name,lat\none,x,One,31.3\n")[1] == [
        (2, "row", "has something in column 2, which has no heading")
    ]


def test_columns_that_are_missing_unknown_or_twice_are_named() -> None:
    assert read("site_id,name,name,hour\n")[1] == [
        (1, "lat", "this column is missing from the header"),
        (1, "name", "this column stands twice in the header"),
        (1, "hour", "unknown column; hour? perhaps hours?"),
    ]


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    read(text)
    read(f"site_id,name,lat\n{text}")
