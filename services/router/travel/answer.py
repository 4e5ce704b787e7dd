"""What an engine may say: seconds from each source to each target, or the reason why there are none."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple, Protocol

from pydantic import Field

from services.router.barriers import Point
from shared.contracts import WhyDistance

LONGEST_S = 7 * 24 * 3600
"""Nobody drives longer to a store: more is not an answer but a fault."""

Cell = Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)] | None
"""Seconds of one way; None where the engine knows none."""


class NoTimes(Exception):  # noqa: N818 - it names a state
    """The engine gave no times for a whole question. Its text holds no coordinates: they are a person's."""

    def __init__(self, why: WhyDistance, detail: str = "") -> None:
        super().__init__(f"{why.value}: {detail}" if detail else why.value)
        self.why = why
        self.detail = detail


class Question(NamedTuple):
    """One HTTP request, below the engine's address."""

    path: str
    """With its query, as it goes over the wire."""
    body: bytes | None = None
    """JSON to POST; None: GET."""


class Interface(Protocol):
    """How one kind of engine is asked. Pure: bytes out, bytes in."""

    def question(self, sources: Sequence[Point], targets: Sequence[Point]) -> Question:
        """How to ask for the ways from each source to each target (WGS-84 degrees)."""

    def read(self, status: int, body: bytes, sources: int, targets: int) -> list[list[int | None]]:
        """A row of whole seconds for each of so many sources. Raises NoTimes; NO_ROUTE is about the whole table."""


def whole_seconds(rows: Sequence[Sequence[Cell]], sources: int, targets: int) -> list[list[int | None]]:
    """The rows rounded; records and ties know whole seconds only. Raises NoTimes when they are not of this size."""
    if len(rows) != sources or any(len(row) != targets for row in rows):
        raise NoTimes(WhyDistance.UNREADABLE, "times of another size than asked for")
    return [[None if cell is None else round(cell) for cell in row] for row in rows]
