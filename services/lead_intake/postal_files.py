"""Files of postal codes: our CSV, or GeoNames' postal export. Either every row is good, or nothing of the file is used.

GeoNames (https://download.geonames.org/export/zip/readme.txt, CC BY 4.0): no header, tabs between country code, postal
code, place name, three pairs of division name and code, latitude, longitude, accuracy (1 estimated ... 6 centroid).
"""

import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.lead_intake.faults import nearest
from services.lead_intake.postal_codes import NO_POSTAL_CODES, NOT_SIX_DIGITS, PostalCodes, PostalPlace, read_code
from shared.csv_rows import Columns, column_name, csv_rows
from shared.datum import certainly_abroad, to_wgs84
from shared.errors import UserError
from shared.faults import Bounded, Faults, refusal
from shared.numbers import read_number
from shared.points import NO_POSITION, SWAPPED, look_swapped, no_position
from shared.text_files import read_text_file
from shared.vocabulary import Accuracy, Datum
from shared.words import counted

COLUMNS = ("postal_code", "lat", "lon", "datum", "name")
NEEDED = COLUMNS[:4]
LARGEST_FILE_BYTES = 64 * 1024 * 1024
WHOLE_FILE = 0
_GEONAMES_FIELDS = 12
_ESTIMATED = "1"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class BadRow:
    """Why one field of one row is refused; rows are lines of the file, counted from 1."""

    row: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row} {self.field}: {self.reason}" if self.row else f"{self.field} {self.reason}"


@dataclass(frozen=True, slots=True)
class PostalFile:
    """What a file says; `codes` may be used only when `faults` is empty."""

    codes: PostalCodes
    faults: Bounded[BadRow]

    @property
    def bad(self) -> tuple[BadRow, ...]:
        """The first of the faults."""
        return self.faults.first


def load_postal_codes(path: Path | None) -> PostalCodes:
    """The list of a file, or the empty one without a file. Raises UserError that names every kind of fault found."""
    if path is None:
        return NO_POSTAL_CODES
    hint = "correct the file, or unset WAYPOST_POSTAL_CODES; see docs/operations.md"
    try:
        text = read_text_file(path, LARGEST_FILE_BYTES)
    except UserError as problem:
        raise UserError(f"the postal codes: {problem.message}", hint) from None
    read = read_postal_file(text)
    if read.faults:
        raise UserError(refusal(f"{path} is refused", read.faults, str), hint)
    return read.codes


def read_postal_file(text: str) -> PostalFile:
    """The codes of a file's text, or its faults; a tab after `CN` in the first line means GeoNames."""
    bad = _Bad()
    places: defaultdict[str, list[PostalPlace]] = defaultdict(list)
    rows = _geonames_rows if _is_geonames(text) else _csv_rows
    for number, fields in rows(text, bad):
        found = _read_row(number, fields, bad)
        if found is not None:
            places[found[0]].append(found[1])
    if not places and not bad:
        bad.append(BadRow(WHOLE_FILE, "the file", "holds no postal code of China"))
    return PostalFile(PostalCodes(places), bad.bounded())


class _Bad(Faults[BadRow]):
    """The faults of a file, by field."""

    def __init__(self) -> None:
        super().__init__(lambda fault: fault.field)
        self.found = 0

    def append(self, fault: BadRow) -> None:
        """Keep the fault."""
        self.found += 1
        self.add(fault)


def _is_geonames(text: str) -> bool:
    """Whether this is GeoNames' export, which has no header, and not our own columns between tabs."""
    first = text.partition("\n")[0].split("\t")
    return len(first) > 1 and not {column_name(cell) for cell in first}.intersection(NEEDED)


def _csv_rows(text: str, bad: _Bad) -> Iterator[tuple[int, Mapping[str, str]]]:
    def refuse(number: int, field: str, reason: str) -> None:
        bad.append(BadRow(number, field, reason))

    yield from csv_rows(io.StringIO(text, newline=""), _COLUMNS, refuse)


def _meant(name: str) -> str:
    near = nearest(name, COLUMNS)
    return f"did you mean {near}?" if near else f"use {', '.join(COLUMNS)}"


_COLUMNS = Columns(COLUMNS, frozenset(NEEDED), _meant)


def _geonames_rows(text: str, bad: _Bad) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.rstrip("\r").split("\t")
        if not line.strip() or cells[0] != "CN":
            continue
        if len(cells) != _GEONAMES_FIELDS:
            bad.append(
                BadRow(number, "row", f"has {counted(len(cells), 'field')}, GeoNames' postal export {_GEONAMES_FIELDS}")
            )
            continue
        yield (
            number,
            {
                "postal_code": cells[1],
                "name": cells[2],
                "lat": cells[9],
                "lon": cells[10],
                "datum": Datum.WGS84,
                "accuracy": cells[11].strip(),
            },
        )


def _read_row(number: int, fields: Mapping[str, str], bad: _Bad) -> tuple[str, PostalPlace] | None:
    before = bad.found
    code = read_code(fields["postal_code"])
    if code is None:
        bad.append(BadRow(number, "postal_code", NOT_SIX_DIGITS))
    lat, lon = (_degrees(number, axis, fields[axis], bad) for axis in ("lat", "lon"))
    written = fields["datum"].strip().lower()
    if written not in tuple(Datum):
        near = nearest(written, tuple(Datum))
        hint = f"; did you mean {near}?" if near else ""
        bad.append(BadRow(number, "datum", f"must be one of {', '.join(Datum)}{hint}"))
    name = " ".join(fields.get("name", "").split())
    if len(name) > _LONGEST_NAME or not (name.isprintable()):
        bad.append(
            BadRow(number, "name", f"is longer than {_LONGEST_NAME} characters, or holds some that do not print")
        )
    if bad.found > before or code is None or lat is None or lon is None:
        return None
    if no_position(lat, lon):
        bad.append(BadRow(number, "lat", NO_POSITION))
        return None
    if certainly_abroad(lat, lon):
        hint = f"; {SWAPPED}" if look_swapped(lat, lon) else ""
        bad.append(BadRow(number, "lat", f"lies outside China{hint}"))
        return None
    lat, lon = to_wgs84(lat, lon, Datum(written))
    estimated = fields.get("accuracy") == _ESTIMATED
    return code, PostalPlace(lat, lon, Accuracy.CITY if estimated else Accuracy.DISTRICT, name)


def _degrees(number: int, axis: str, text: str, bad: _Bad) -> float | None:
    most = 90 if axis == "lat" else 180
    why = ""
    try:
        degrees = read_number(text)
    except ValueError as problem:
        degrees, why = math.nan, f"; {problem}"
    if abs(degrees) <= most:
        return degrees
    hint = "; are lat and lon swapped?" if most < abs(degrees) <= 180 else why
    bad.append(BadRow(number, axis, f"must be a number of degrees between -{most} and {most}{hint}"))
    return None
