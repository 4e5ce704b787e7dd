"""Nominatim's `GET /search?format=jsonv2`, whose points are WGS-84.

Fields: https://nominatim.org/release-docs/latest/api/Output/; ranks and what they stand for:
https://nominatim.org/release-docs/latest/customize/Ranking/. Its answers are data of OpenStreetMap under ODbL 1.0: who
uses it credits "© OpenStreetMap contributors".
"""

from collections.abc import Mapping
from typing import Any

import orjson

from services.lead_intake.geocoding.port import Failure, Found, GeocoderFailed, Question
from shared.points import is_point
from shared.vocabulary import Accuracy

PUBLIC_URL = "https://nominatim.openstreetmap.org"
PUBLIC_MOST_PER_SECOND = 1.0
"""https://operations.osmfoundation.org/policies/nominatim/: an absolute maximum, for all processes together."""
MOST_ANSWERS = 10

_RANK_OF_HOUSES, _RANK_OF_TOWNS, _RANK_OF_COUNTIES = 28, 17, 10
_CITIES = ("city", "municipality")
"""Beijing and Tianjin rank with the provinces."""
_AROUND = (("state", "province"), ("city", "municipality", "county"), ("city_district", "district", "suburb", "town"))


class Nominatim:
    """Nominatim's dialect, in these countries (ISO 3166, comma-separated) or anywhere."""

    path = "/search"

    def __init__(self, countries: str = "") -> None:
        self._countries = countries

    def parameters(self, question: Question) -> Mapping[str, str]:
        """A free-form query: structured ones take no Chinese text as people write it."""
        missing = question.city if question.city not in question.text else ""
        asked = {"q": ", ".join(filter(None, (question.text, missing))), "format": "jsonv2", "addressdetails": "1"}
        asked["limit"] = str(MOST_ANSWERS)
        return asked | ({"countrycodes": self._countries} if self._countries else {})

    def read(self, body: bytes) -> tuple[Found, ...]:
        """The answers of a body. Raises GeocoderFailed."""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise GeocoderFailed(Failure.GARBAGE) from None
        if not isinstance(document, list):
            raise GeocoderFailed(Failure.GARBAGE)
        return tuple(found for one in document[:MOST_ANSWERS] if (found := _found(one)))


def _found(place: Any) -> Found | None:
    if not isinstance(place, dict):
        return None
    try:
        lat, lon = float(place["lat"]), float(place["lon"])
    except (KeyError, TypeError, ValueError):
        return None
    accuracy = _accuracy(place)
    if accuracy is None or not is_point(lat, lon):
        return None
    return Found(lat, lon, accuracy, _area(place.get("address")))


def _accuracy(place: dict[str, Any]) -> Accuracy | None:
    rank = place.get("place_rank")
    if not isinstance(rank, int):
        return None
    if rank >= _RANK_OF_HOUSES:
        return Accuracy.POINT
    if rank >= _RANK_OF_TOWNS:
        return Accuracy.DISTRICT
    if rank >= _RANK_OF_COUNTIES or place.get("addresstype") in _CITIES:
        return Accuracy.CITY
    return None


def _area(address: object) -> str:
    if not isinstance(address, dict):
        return ""
    parts = (next((address[kind] for kind in kinds if isinstance(address.get(kind), str)), "") for kinds in _AROUND)
    return ", ".join(dict.fromkeys(part[:64] for part in parts if part))
