"""Valhalla's time-distance matrix, `POST /sources_to_targets`.

https://valhalla.github.io/valhalla/api/matrix/api-reference: `sources` and `targets` are lists of lat and lon, and
`costing` says how one travels. The answer's `sources_to_targets` has a row for each source; a cell is an object with
`time` in seconds, null where no way was found. With `verbose` false it holds rows of plain `durations` instead.
Refusals have status 400 and an `error_code` (src/exceptions.cc in the sources).
"""

from collections.abc import Sequence

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.router.barriers import Point
from services.router.travel.answer import Cell, NoTimes, Question, whole_seconds
from shared.contracts import WhyDistance

_NO_WAY = {170, 171, 172, 442}
"""Unconnected regions; no road near a point; none near enough; no path."""


class _Read(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Way(_Read):
    time: Cell = None


class _Compact(_Read):
    durations: list[list[Cell]]


class _Matrix(_Read):
    sources_to_targets: list[list[_Way]] | list[_Way] | _Compact


class _Refusal(_Read):
    error_code: int


class Valhalla:
    """Asks for matrices by POST."""

    def __init__(self, costing: str = "") -> None:
        """`costing` is one of the engine's models; empty: `auto`, a car."""
        self._costing = costing or "auto"

    def question(self, sources: Sequence[Point], targets: Sequence[Point]) -> Question:
        """The matrix from each source to each target."""
        body = {
            "sources": [_location(one) for one in sources],
            "targets": [_location(one) for one in targets],
            "costing": self._costing,
        }
        return Question("/sources_to_targets", orjson.dumps(body))

    def read(self, status: int, body: bytes, sources: int, targets: int) -> list[list[int | None]]:
        """Whole seconds, a row for each source. Raises NoTimes."""
        if status != 200:
            code = _error_code(body)
            if code in _NO_WAY:
                raise NoTimes(WhyDistance.NO_ROUTE, f"error_code {code}")
            raise NoTimes(WhyDistance.REFUSED, f"HTTP {status}" + ("" if code is None else f" error_code {code}"))
        try:
            found = _Matrix.model_validate_json(body).sources_to_targets
        except ValidationError:
            raise NoTimes(WhyDistance.UNREADABLE, "not an answer of Valhalla's matrix service") from None
        return whole_seconds(_rows(found, targets), sources, targets)


def _rows(found: list[list[_Way]] | list[_Way] | _Compact, targets: int) -> list[list[Cell]]:
    if isinstance(found, _Compact):
        return found.durations
    # The reference calls the long form flat; servers nest it by source.
    flat = [one.time for one in found if isinstance(one, _Way)]
    if flat:
        return [flat[start : start + targets] for start in range(0, len(flat), targets)]
    return [[way.time for way in row] for row in found if isinstance(row, list)]


def _error_code(body: bytes) -> int | None:
    try:
        return _Refusal.model_validate_json(body).error_code
    except ValidationError:
        return None


def _location(point: Point) -> dict[str, float]:
    return {"lat": round(point[0], 6), "lon": round(point[1], 6)}
