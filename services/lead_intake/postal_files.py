"""Files of postal codes: our CSV, or GeoNames' postal export. Either every row is good, or nothing of the file is used.

GeoNames (https://download.geonames.org/export/zip/readme.txt, CC BY 4.0): no header, tabs between country code, postal
code, place name, three pairs of division name and code, latitude, longitude, accuracy (1 estimated ... 6 centroid).
"""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.lead_intake.faults import nearest
from services.lead_intake.postal_codes import NO_POSTAL_CODES, NOT_SIX_DIGITS, PostalCodes, PostalPlace, read_code
from shared.datum import certainly_abroad, to_wgs84
from shared.errors import UserError
from shared.vocabulary import Accuracy, Datum
from shared.words import counted

COLUMNS = ("postal_code", "lat", "lon", "datum", "name")
NEEDED = COLUMNS[:4]
LARGEST_FILE_BYTES = 64 * 1024 * 1024
WHOLE_FILE = 0
_GEONAMES_FIELDS = 12
_ESTIMATED = "1"
_MOST_FAULTS_TOLD = 20
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
    """What a file says; `codes` may be used only when `bad` is empty."""

    codes: PostalCodes
    bad: tuple[BadRow, ...]


def load_postal_codes(path: Path | None) -> PostalCodes:
    """The list of a file, or the empty one without a file. Raises UserError that names every kind of fault found."""
    if path is None:
        return NO_POSTAL_CODES
    hint = "correct the file, or unset WAYPOST_POSTAL_CODES; see docs/operations.md"
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise UserError(f"{path} is larger than {LARGEST_FILE_BYTES // 1024 // 1024} MiB", hint)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"the postal codes in {path} cannot be read ({type(error).__name__})", hint) from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not in UTF-8", hint) from None
    read = read_postal_file(text)
    if read.bad:
        told = [f"  {fault}" for fault in read.bad[:_MOST_FAULTS_TOLD]]
        if len(read.bad) > _MOST_FAULTS_TOLD:
            told.append(f"  and {len(read.bad) - _MOST_FAULTS_TOLD} more")
        raise UserError("\n".join([f"{path} is refused, {counted(len(read.bad), 'fault')}:", *told]), hint)
    return read.codes


def read_postal_file(text: str) -> PostalFile:
    """The codes of a file's text, or every fault; a tab in the first line means GeoNames."""
    bad: list[BadRow] = []
    places: defaultdict[str, list[PostalPlace]] = defaultdict(list)
    rows = _geonames_rows if "\t" in text.partition("\n")[0] else _csv_rows
    for number, fields in rows(text, bad):
        found = _read_row(number, fields, bad)
        if found is not None:
            places[found[0]].append(found[1])
    if not places and not bad:
        bad.append(BadRow(WHOLE_FILE, "the file", "holds no postal code of China"))
    return PostalFile(PostalCodes(places), tuple(bad))


def _csv_rows(text: str, bad: list[BadRow]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        bad += _header_faults(header)
        if bad:
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) == len(header):
                yield reader.line_num, dict(zip(header, cells, strict=True))
            else:
                bad.append(
                    BadRow(reader.line_num, "row", f"has {counted(len(cells), 'field')}, the header {len(header)}")
                )
    except csv.Error as problem:
        bad.append(BadRow(reader.line_num, "row", f"is not CSV: {problem}"))


def _header_faults(header: list[str]) -> list[BadRow]:
    faults = [BadRow(1, column, "is missing from the header") for column in NEEDED if column not in header]
    for column in header:
        if column not in COLUMNS:
            near = nearest(column, COLUMNS)
            faults.append(BadRow(1, "header", f"has a column that is not known{f'; {near}?' if near else ''}"))
        elif header.count(column) > 1:
            faults.append(BadRow(1, column, "stands twice in the header"))
    return faults


def _geonames_rows(text: str, bad: list[BadRow]) -> Iterator[tuple[int, Mapping[str, str]]]:
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


def _read_row(number: int, fields: Mapping[str, str], bad: list[BadRow]) -> tuple[str, PostalPlace] | None:
    before = len(bad)
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
    if len(bad) > before or code is None or lat is None or lon is None:
        return None
    if certainly_abroad(lat, lon):
        swapped = not certainly_abroad(lon, lat)
        bad.append(BadRow(number, "lat", f"lies outside China{'; lat and lon are swapped' if swapped else ''}"))
        return None
    lat, lon = to_wgs84(lat, lon, Datum(written))
    estimated = fields.get("accuracy") == _ESTIMATED
    return code, PostalPlace(lat, lon, Accuracy.CITY if estimated else Accuracy.DISTRICT, name)


def _degrees(number: int, axis: str, text: str, bad: list[BadRow]) -> float | None:
    most = 90 if axis == "lat" else 180
    try:
        degrees = float(text)
    except ValueError:
        degrees = math.nan
    if math.isfinite(degrees) and abs(degrees) <= most:
        return degrees
    hint = "; are lat and lon swapped?" if most < abs(degrees) <= 180 else ""
    bad.append(BadRow(number, axis, f"must be a number of degrees between -{most} and {most}{hint}"))
    return None
