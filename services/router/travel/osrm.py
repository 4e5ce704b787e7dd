"""OSRM's Table service, version 1 of its protocol.

https://github.com/Project-OSRM/osrm-backend/blob/master/docs/http.md#table-service: the request is
`GET /table/v1/{profile}/{lon},{lat};{lon},{lat}?sources=0&destinations=1`. The answer has a `code` and, with `Ok`,
`durations`: rows of seconds in which a cell is null where no route was found. Refusals have status 400 and their code.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from services.router.barriers import Point
from services.router.travel.answer import Cell, NoTimes, Question, whole_seconds
from shared.contracts import WhyDistance

_NO_WAY = {"NoSegment", "NoTable"}
"""A point that no road is near, and a table without any route."""


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    code: str
    durations: list[list[Cell]] | None = None


class Osrm:
    """Asks for tables by GET; `tables` keeps them far from any limit of an address."""

    def __init__(self, profile: str = "") -> None:
        """`profile` is part of the address only: what it means was settled when the map was prepared."""
        self._profile = profile or "driving"

    def question(self, sources: Sequence[Point], targets: Sequence[Point]) -> Question:
        """The table from each source to each target."""
        points = ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in (*sources, *targets))
        places = [str(place) for place in range(len(sources) + len(targets))]
        starts, ends = ";".join(places[: len(sources)]), ";".join(places[len(sources) :])
        query = f"sources={starts}&destinations={ends}&generate_hints=false"
        return Question(f"/table/v1/{self._profile}/{points}?{query}")

    def read(self, status: int, body: bytes, sources: int, targets: int) -> list[list[int | None]]:
        """Whole seconds, a row for each source. Raises NoTimes."""
        try:
            table = _Table.model_validate_json(body)
        except ValidationError:
            if status == 200:
                raise NoTimes(WhyDistance.UNREADABLE, "not an answer of OSRM's table service") from None
            raise NoTimes(WhyDistance.REFUSED, f"HTTP {status}") from None
        if table.code in _NO_WAY:
            raise NoTimes(WhyDistance.NO_ROUTE, table.code)
        if status != 200 or table.code != "Ok":
            # Only what looks like a code: the text comes from elsewhere and ends in a log.
            named = f" {table.code}" if table.code.isalpha() and len(table.code) < 40 else ""
            raise NoTimes(WhyDistance.REFUSED, f"HTTP {status}{named}")
        return whole_seconds(table.durations or [], sources, targets)
