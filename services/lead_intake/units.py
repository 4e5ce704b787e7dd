"""The units of the official division list: provinces, cities and county-level units, with the point that is known."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.vocabulary import Accuracy


@dataclass(frozen=True, slots=True)
class Unit:
    """A province, a city or a county-level unit by its official code. Empty `city`: the province itself."""

    adcode: str
    province: str
    city: str
    district: str

    @property
    def name(self) -> str:
        """The unit in words."""
        return f"{self.city or self.province}{self.district}"


@dataclass(frozen=True, slots=True)
class KnownPlace(Unit):
    """A city or a county-level unit; its point is WGS-84, and `accuracy` says whose point it is."""

    lat: float
    lon: float
    accuracy: Accuracy


def known_place(row: Mapping[str, str], city: Mapping[str, str]) -> KnownPlace:
    """The place of a row of the list. Without a point of its own it is at its city's, and claims no more than that."""
    point = row if row["lat"] else city
    # Seven cities of Xinjiang's production corps stand at the centre of the prefecture around them.
    accuracy = Accuracy.DISTRICT if row["district"] and row["lat"] else Accuracy.CITY
    return KnownPlace(
        row["adcode"], row["province"], row["city"], row["district"], float(point["lat"]), float(point["lon"]), accuracy
    )
