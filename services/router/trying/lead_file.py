"""Files of leads to simulate with: CSV or NDJSON, read strictly. One bad row, and nothing of the file is used.

A cell is never quoted in a fault: what people keep beside coordinates is often personal.
"""

import csv
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.router.spelling import meant
from services.router.trying.lead_columns import EPOCH, INTENTS, MICROSECOND, LeadColumns
from shared.datum import to_wgs84
from shared.faults_in_words import in_words
from shared.vocabulary import Datum, Intent
from shared.words import counted

COLUMNS = ("intent", "lat", "lon", "datum", "received_at")
_PLACE_OF = {intent: place for place, intent in enumerate(INTENTS)}


class BadLead(NamedTuple):
    """Why one field of one row is refused."""

    row: int
    """Line of the file, counted from 1."""
    field: str
    reason: str


@dataclass(frozen=True)
class LeadFile:
    """What a file says. `leads` may be used only when `bad` is empty."""

    leads: LeadColumns
    bad: tuple[BadLead, ...]
    """Every fault, in file order."""


def read_lead_csv(lines: Iterable[str]) -> LeadFile:
    """Read CSV with a header line; line ends as they are in the file."""
    reader = csv.reader(lines, strict=True)
    gathered = _Gathered()
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        gathered.bad += _header_faults(header)
        for cells in reader if not gathered.bad else ():
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                found = counted(len(cells), "field")
                reason = f"has {found} where the header has {len(header)}; quote fields that hold a comma"
                gathered.bad.append(BadLead(reader.line_num, "row", reason))
                continue
            fields = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
            gathered.add(reader.line_num, _Row.model_validate_strings, fields)
    except csv.Error as problem:
        gathered.bad.append(BadLead(reader.line_num, "row", f"is not CSV: {problem}"))
    return gathered.as_file()


def read_lead_ndjson(lines: Iterable[str]) -> LeadFile:
    """Read one JSON object a line; numbers are numbers, texts are texts."""
    gathered = _Gathered()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            gathered.add(number, partial(_Row.model_validate_json, strict=True), line)
    return gathered.as_file()


def _iso(value: Any) -> Any:
    # Else a bare number would pass for seconds, or milliseconds, since 1970.
    if not isinstance(value, str):
        raise ValueError("is no text; write an ISO time, such as 2026-03-01T10:00+08:00")  # noqa: TRY004 - for pydantic
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is no ISO time, such as 2026-03-01T10:00+08:00") from None


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    intent: Intent
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    datum: Datum
    received_at: Annotated[AwareDatetime | None, BeforeValidator(_iso)] = None

    def point(self) -> tuple[float, float]:
        """WGS-84 degrees. Raises ValueError when there is no such place, or nobody can be there."""
        if self.lat == 0 and self.lon == 0:
            raise ValueError("0, 0 is a point in the sea that means 'no position'; give the real one")
        return to_wgs84(self.lat, self.lon, self.datum)


class _Gathered:
    """Rows as they are read: good ones as numbers, bad ones as faults."""

    def __init__(self) -> None:
        self.bad: list[BadLead] = []
        self._rows = array("q")
        self._intents = array("b")
        self._points = array("d")
        self._timed = array("q")
        """Rows that have a time."""
        self._received_us = array("q")

    def add(self, number: int, read: Callable[[Any], _Row], raw: Any) -> None:
        """The row at line `number`, to be read from `raw`."""
        try:
            row = read(raw)
        except ValidationError as problem:
            self.bad += [_fault(number, error) for error in problem.errors(include_url=False)]
            return
        try:
            lat, lon = row.point()
        except ValueError as problem:
            self.bad.append(BadLead(number, "lat, lon", str(problem)))
            return
        self._rows.append(number)
        self._intents.append(_PLACE_OF[row.intent])
        self._points.extend((lat, lon))
        if row.received_at is not None:
            self._timed.append(number)
            self._received_us.append((row.received_at - EPOCH) // MICROSECOND)

    def as_file(self) -> LeadFile:
        """All of it, in the order in which the leads came."""
        if not self._rows and not self.bad:
            self.bad.append(BadLead(0, "file", "holds no lead"))
        if 0 < len(self._timed) < len(self._rows):
            reason = "is missing, and other rows have it; give it to all of them or to none"
            timed = set(self._timed)
            self.bad += [BadLead(row, "received_at", reason) for row in self._rows if row not in timed]
        rows = np.array(self._rows, dtype=np.int64)
        intents = np.array(self._intents, dtype=np.int8)
        points = np.array(self._points, dtype=np.float64).reshape(-1, 2)
        bad = tuple(sorted(self.bad, key=lambda fault: fault.row))
        if len(self._timed) != len(rows) or not len(rows):
            return LeadFile(LeadColumns(rows, intents, points, None), bad)
        received_us = np.array(self._received_us, dtype=np.int64)
        order = np.argsort(received_us, kind="stable")
        return LeadFile(LeadColumns(rows[order], intents[order], points[order], received_us[order]), bad)


def _header_faults(header: list[str]) -> list[BadLead]:
    faults = [
        BadLead(1, column, "this column is missing from the header")
        for column in COLUMNS
        if column not in header and column != "received_at"
    ]
    for column in dict.fromkeys(header):
        if column not in COLUMNS:
            faults.append(BadLead(1, column[:64], f"unknown column; {meant(column, COLUMNS)}"))
        elif header.count(column) > 1:
            faults.append(BadLead(1, column, "this column stands twice in the header"))
    return faults


_NAMES: Mapping[str, Sequence[str]] = {"intent": [*Intent], "datum": [*Datum]}
_MISSING = {"datum": "is missing and is never guessed; say wgs84 (GPS), gcj02 (Amap, Tencent) or bd09 (Baidu)"}
_OUTSIDE = {
    "lat": "is outside -90 to 90 degrees; are lat and lon swapped?",
    "lon": "is outside -180 to 180 degrees",
}


def _fault(number: int, error: Any) -> BadLead:
    """One of pydantic's errors, in our words where they help more."""
    name = str(error["loc"][0])[:64] if error["loc"] else "row"
    kind = error["type"]
    if kind == "extra_forbidden":
        reason = f"unknown field; {meant(name, COLUMNS)}"
    elif kind == "missing":
        reason = _MISSING.get(name, "is missing")
    elif kind == "enum":
        reason = f"unknown name; {meant(str(error['input']), _NAMES[name])}"
    elif kind in ("less_than_equal", "greater_than_equal"):
        reason = _OUTSIDE[name]
    elif kind == "value_error":
        reason = str(error["ctx"]["error"])
    else:
        reason = in_words(error)
    return BadLead(number, name, reason)
