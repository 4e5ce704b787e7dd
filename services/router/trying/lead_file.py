"""Files of leads to simulate with: CSV or NDJSON, read strictly. One bad row, and nothing of the file is used.

A cell is never quoted in a fault: what people keep beside coordinates is often personal.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.router.spelling import meant
from services.router.trying.lead_columns import EPOCH, INTENTS, MICROSECOND, LeadColumns
from shared.csv_rows import Columns, csv_rows
from shared.datum import to_wgs84
from shared.faults import Bounded, Faults
from shared.faults_in_words import in_words
from shared.numbers import read_number
from shared.points import NO_POSITION, SWAPPED, look_swapped, no_position
from shared.vocabulary import Datum, Intent

COLUMNS = ("intent", "lat", "lon", "datum", "received_at")
_COLUMNS = Columns(COLUMNS, frozenset(COLUMNS) - {"received_at"}, lambda name: meant(name, COLUMNS))
_LONGEST_LINE = 100_000
_MOST_OF_A_ROW = 20
_PLACE_OF = {intent: place for place, intent in enumerate(INTENTS)}


class BadLead(NamedTuple):
    """Why one field of one row is refused."""

    row: int
    """Line of the file, counted from 1."""
    field: str
    reason: str


@dataclass(frozen=True)
class LeadFile:
    """What a file says. `leads` may be used only when `faults` is empty."""

    leads: LeadColumns
    faults: Bounded[BadLead]
    """In file order."""

    @property
    def bad(self) -> tuple[BadLead, ...]:
        """The first of the faults."""
        return self.faults.first


def read_lead_csv(lines: Iterable[str]) -> LeadFile:
    """Read CSV with a header line; line ends as they are in the file."""
    gathered = _Gathered()
    for number, fields in csv_rows(lines, _COLUMNS, gathered.refuse):
        gathered.add(number, _read_texts, fields)
    return gathered.as_file()


def read_lead_ndjson(lines: Iterable[str]) -> LeadFile:
    """Read one JSON object a line; numbers are numbers, texts are texts."""
    gathered = _Gathered()
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONGEST_LINE:
            gathered.refuse(number, "row", f"is longer than {_LONGEST_LINE:,} characters")
        elif line.strip():
            gathered.add(number, partial(_Row.model_validate_json, strict=True), line)
    return gathered.as_file()


def _read_texts(fields: Mapping[str, str]) -> "_Row":
    texts: dict[str, Any] = {name: text.strip() for name, text in fields.items() if text.strip()}
    return _Row.model_validate(
        {name: _degrees(text) if name in ("lat", "lon") else text for name, text in texts.items()}
    )


def _degrees(text: str) -> float | str:
    """The number, or the text itself where it is none: then the model says so, in words that quote nothing."""
    try:
        return read_number(text)
    except ValueError:
        return text


def _iso(value: Any) -> Any:
    # Else a bare number would pass for seconds, or milliseconds, since 1970.
    if not isinstance(value, str):
        raise ValueError("is no text; write an ISO time, such as 2026-03-01T10:00+08:00")  # noqa: TRY004 - for pydantic
    try:
        moment = datetime.fromisoformat(value) if value[:1].isascii() else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError("is no ISO time, such as 2026-03-01T10:00+08:00")
    if moment.tzinfo is not None and not _FIRST_YEAR <= moment <= _LAST_YEAR:
        raise ValueError("is not between the years 2000 and 2100")
    return moment


def _a_number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("is not a valid number of degrees, such as 31.2989")  # noqa: TRY004 - for pydantic
    return value


_FIRST_YEAR, _LAST_YEAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_Degrees = Annotated[float, BeforeValidator(_a_number)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    intent: Intent
    lat: Annotated[_Degrees, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[_Degrees, Field(ge=-180, le=180, allow_inf_nan=False)]
    datum: Datum
    received_at: Annotated[AwareDatetime | None, BeforeValidator(_iso)] = None

    def point(self) -> tuple[float, float]:
        """WGS-84 degrees. Raises ValueError when there is no such place, or nobody can be there."""
        if no_position(self.lat, self.lon):
            raise ValueError(NO_POSITION)
        if look_swapped(self.lat, self.lon):
            raise ValueError(SWAPPED)
        return to_wgs84(self.lat, self.lon, self.datum)


class _Gathered:
    """Rows as they are read: good ones as numbers, bad ones as faults."""

    def __init__(self) -> None:
        self.bad: Faults[BadLead] = Faults(lambda fault: fault.field)
        self._rows = array("q")
        self._intents = array("b")
        self._points = array("d")
        self._timed = array("q")
        """Rows that have a time."""
        self._received_us = array("q")

    def refuse(self, number: int, field: str, reason: str) -> None:
        """A fault of the line `number`."""
        self.bad.add(BadLead(number, field, reason))

    def add(self, number: int, read: Callable[[Any], _Row], raw: Any) -> None:
        """The row at line `number`, to be read from `raw`."""
        try:
            row = read(raw)
        except ValidationError as problem:
            self.bad.extend(_fault(number, error) for error in problem.errors(include_url=False)[:_MOST_OF_A_ROW])
            return
        try:
            lat, lon = row.point()
        except ValueError as problem:
            self.refuse(number, "lat, lon", str(problem))
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
            self.refuse(0, "file", "holds no lead")
        if 0 < len(self._timed) < len(self._rows):
            reason = "is missing, and other rows have it; give it to all of them or to none"
            timed = set(self._timed)
            for row in self._rows:
                if row not in timed:
                    self.refuse(row, "received_at", reason)
        rows = np.array(self._rows, dtype=np.int64)
        intents = np.array(self._intents, dtype=np.int8)
        points = np.array(self._points, dtype=np.float64).reshape(-1, 2)
        bad = self.bad.bounded()
        if len(self._timed) != len(rows) or not len(rows):
            return LeadFile(LeadColumns(rows, intents, points, None), bad)
        received_us = np.array(self._received_us, dtype=np.int64)
        order = np.argsort(received_us, kind="stable")
        return LeadFile(LeadColumns(rows[order], intents[order], points[order], received_us[order]), bad)


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
