"""Places by code or by name: the bundled list of the 17 cities and their districts, in Chinese or pinyin.

Credit and sources: data/README.md. A district without a point of its own falls back to its city's centre, and says so.
"""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from shared.vocabulary import Accuracy

# Longest first: 新区 must go before 区, or 滨海新区 would be looked up as 滨海新.
_CHINESE_ENDINGS = (
    "土家族苗族自治县",
    "苗族土家族自治县",
    "土家族自治县",
    "自治县",
    "回族区",
    "新区",
    "区",
    "县",
    "市",
)
_LATIN_ENDINGS = ("xinqu", "newarea", "district", "county", "city", "shi", "qu", "xian")
_NOT_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A city or district of the list; its point is WGS-84, and `accuracy` says whose point it is."""

    adcode: str
    city: str
    district: str
    lat: float
    lon: float
    accuracy: Accuracy

    @property
    def label(self) -> str:
        """The place in words."""
        return f"{self.city}{self.district} ({self.adcode})"


class Ambiguous(ValueError):  # noqa: N818 - it names a state
    """A district's name that several cities have; the text names the candidates, which are public."""

    def __init__(self, candidates: Iterable[KnownPlace]) -> None:
        self.candidates = tuple(candidates)
        super().__init__("is in several cities: " + ", ".join(place.label for place in self.candidates))


class Places:
    """Looks places up. Unknown ones give None: nobody serves them yet, and a lead from there must still be taken."""

    def __init__(self, rows: Iterable[dict[str, str]]) -> None:
        rows = sorted(rows, key=lambda row: row["adcode"])
        centres = {row["city"]: row for row in rows if not row["district"]}
        self._by_code: dict[str, KnownPlace] = {}
        self._cities: dict[str, KnownPlace] = {}
        self._districts: dict[str, list[KnownPlace]] = defaultdict(list)
        for row in rows:
            point = row if row["lat"] else centres[row["city"]]
            accuracy = Accuracy.DISTRICT if row["district"] and row["lat"] else Accuracy.CITY
            place = KnownPlace(
                row["adcode"], row["city"], row["district"], float(point["lat"]), float(point["lon"]), accuracy
            )
            self._by_code[place.adcode] = place
            if place.district:
                for name in {_fold(row["district"]), _stem(row["district"]), _fold(row["district_pinyin"])}:
                    self._districts[name].append(place)
            else:
                for name in {_fold(row["city"]), _stem(row["city"]), _fold(row["city_pinyin"])}:
                    self._cities[name] = place

    def by_adcode(self, adcode: str) -> KnownPlace | None:
        """The place of an official code; an unknown district of a known city (a new development zone) is the city."""
        known = self._by_code.get(adcode)
        return known or self._by_code.get(adcode[:4] + "00") or self._by_code.get(adcode[:2] + "0000")

    def by_name(self, city: str | None, district: str | None) -> KnownPlace | None:
        """The district, or the city when the district is not listed (development zones are not official districts).

        Raises Ambiguous for a district alone whose name several cities have.
        """
        home = self._city(city) if city else None
        if city and home is None:
            return None
        if not district:
            return home
        found = self._find(district)
        if home is not None:
            return next((place for place in found if place.city == home.city), home)
        if len(found) > 1:
            raise Ambiguous(found)
        return found[0] if found else None

    def in_text(self, city: str, text: str) -> KnownPlace | None:
        """The district of `city` whose full Chinese name stands in a free text such as a street; else the city."""
        home = self._city(city)
        if home is None:
            return None
        text = unicodedata.normalize("NFKC", text)
        return next(
            (p for p in self._by_code.values() if p.city == home.city and p.district and p.district in text), home
        )

    def _city(self, name: str) -> KnownPlace | None:
        return self._cities.get(_fold(name)) or self._cities.get(_stem(name))

    def _find(self, name: str) -> list[KnownPlace]:
        return self._districts.get(_fold(name)) or self._districts.get(_stem(name)) or []


def _fold(name: str) -> str:
    """One spelling for comparing: full-width forms, case, blanks, apostrophes and accents do not count."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return _NOT_LETTERS.sub("", "".join(c for c in decomposed if not unicodedata.combining(c)))


def _stem(name: str) -> str:
    folded = _fold(name)
    for ending in (*_CHINESE_ENDINGS, *_LATIN_ENDINGS):
        # At least two letters must stay: 忠县 and 赵县 have no stem.
        if folded.endswith(ending) and len(folded) - len(ending) >= 2:
            return folded.removesuffix(ending)
    return folded


def load_places() -> Places:
    """The bundled list."""
    file = resources.files("services.lead_intake") / "data" / "cn17_districts.csv"
    with file.open(encoding="utf-8") as lines:
        return Places(csv.DictReader(lines))
