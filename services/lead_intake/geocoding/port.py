"""What is asked of a map service and what it answers, whichever it is. Pure; a question never shows in a repr."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from services.lead_intake.nearness import Spot
from shared.vocabulary import Datum


@dataclass(frozen=True, slots=True)
class Question:
    """A written place, and the city it is said to be in, if that is a field of its own. Personal data."""

    text: str = field(repr=False)
    city: str = field(default="", repr=False)
    province: str = ""
    """First two digits of the official codes in the province that it names, if that is certain."""


@dataclass(frozen=True, slots=True)
class Found(Spot):
    """One answer: a WGS-84 point, as accurate as the service says, no coarser than a city."""

    name: str = field(default="", repr=False)
    """The city and district around it, never a street."""
    adcode: str | None = None
    given: Datum = Datum.WGS84
    """The datum that the service answered in."""


class Failure(StrEnum):
    """Why a question got no answer, in words for metrics."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER = "server_error"
    GARBAGE = "garbage"
    KEY = "key_refused"
    QUOTA = "quota"
    TOO_FAST = "too_fast"


class GeocoderFailed(Exception):  # noqa: N818 - it names a state
    """No answer. `pause_s`: leave the service alone that long at once; 0 when one failure alone says nothing."""

    def __init__(self, failure: Failure, pause_s: float = 0.0) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.pause_s = pause_s


class Geocoder(Protocol):
    """The port: answers best first, none when the place is not known. Raises GeocoderFailed."""

    async def find(self, question: Question) -> tuple[Found, ...]:
        """Ask once."""
        ...


class Dialect(Protocol):
    """How one kind of map service is spoken to over HTTP."""

    path: str

    def parameters(self, question: Question) -> Mapping[str, str]:
        """The query of a GET."""
        ...

    def read(self, body: bytes) -> tuple[Found, ...]:
        """The answers of a 200. Raises GeocoderFailed."""
        ...
