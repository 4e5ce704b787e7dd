"""Places by code or by name: the bundled list of the 17 cities and their districts, in Chinese, pinyin or English.

Beside it stands every unit elsewhere in China that shares a name with one of these: 鼓楼区 alone may be Nanjing's or
Xuzhou's, and `Suzhou` may be 苏州 or 宿州. What may mean several places is answered with all of them, never guessed.
Credit and sources: data/README.md. A district without a point of its own falls back to its city's centre, and says so.
"""

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from importlib import resources

from services.lead_intake.place_names import fold, spellings, stem
from shared.vocabulary import Accuracy

MOST_CANDIDATES = 12
"""No name of the list has as many; a sender's nonsense must not grow an answer."""

NOT_LISTED = "is not in the list of places; the lead waits until its place is clear"
PROVINCE_ONLY = "names a whole province; the lead waits until its place is clear"
PROVINCE_UNKNOWN = "stands beside a province that is not known; the lead waits until its place is clear"
CONTRADICTION = "names places that do not lie in each other; the lead waits until its place is clear"
CENTRE_USED = "is not in the list of districts; the centre of its city is used"


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
    """A city or district of the list; its point is WGS-84, and `accuracy` says whose point it is."""

    lat: float
    lon: float
    accuracy: Accuracy


@dataclass(frozen=True, slots=True)
class Answer:
    """What names mean: a place, or none with the units that they may mean."""

    place: KnownPlace | None = None
    candidates: tuple[Unit, ...] = ()
    remark: str = ""
    """What the sender is told, without a word of what was sent; empty when all was understood."""


class Places:
    """Looks places up. Unknown ones give no place: nobody serves them yet, and their leads must still be taken."""

    def __init__(
        self,
        rows: Iterable[Mapping[str, str]],
        provinces: Iterable[Mapping[str, str]] = (),
        homonyms: Iterable[Mapping[str, str]] = (),
    ) -> None:
        self._units: dict[str, Unit] = {}
        self._meanings: dict[str, set[Unit]] = defaultdict(set)
        self._letters: dict[str, Unit] = {}
        self._districts: dict[str, list[KnownPlace]] = defaultdict(list)
        rows = sorted(rows, key=lambda row: row["adcode"])
        centres = {row["city"]: row for row in rows if not row["district"]}
        for row in rows:
            place = _known(row, centres)
            self._add(place, row["district"] or row["city"], row["district_pinyin"] or row["city_pinyin"])
            if place.district:
                self._districts[centres[place.city]["adcode"]].append(place)
        for row in homonyms:
            unit = Unit(row["adcode"], row["province"], row["city"], row["district"])
            self._add(unit, row["district"] or row["city"], row["pinyin"])
        for row in provinces:
            # Tianjin and Chongqing are cities of the list and provinces at once.
            unit = self._units.get(row["adcode"]) or Unit(row["adcode"], row["province"], "", "")
            for pinyin in row["pinyin"].split("|"):
                self._add(unit, row["province"], pinyin)
            for code in (row["letters"], "cn" + row["letters"], row["adcode"], row["adcode"][:2]):
                self._letters[fold(code)] = unit
        self._around = {unit: self._ancestors(unit) for unit in self._units.values()}
        self.longest_name = max(map(len, self._meanings), default=0)

    def by_adcode(self, adcode: str) -> KnownPlace | None:
        """The place of an official code; an unknown district of a known city (a new development zone) is the city."""
        for code in (adcode, adcode[:4] + "00", adcode[:2] + "0000"):
            known = self._units.get(code)
            if isinstance(known, KnownPlace):
                return known
        return None

    def unit(self, adcode: str) -> Unit | None:
        """The unit of exactly this code, in the list or not."""
        return self._units.get(adcode)

    def meanings(self, name: str) -> Set[Unit]:
        """Every unit that this spelling names; empty when none."""
        return self._meanings.get(fold(name), frozenset())

    def narrow(self, units: Set[Unit] | None, name: str) -> Set[Unit]:
        """The smallest units that fit both what was named before and `name`; None: nothing was named before.

        Inside a known unit the word for the kind may be out of date: 吴江市 became 苏州市吴江区.
        """
        if units is None:
            return self.meanings(name)
        exact = self._meet(units, self.meanings(name))
        return exact or self._meet(units, self._meanings.get(stem(name), frozenset()))

    def named(self, province: str | None, city: str | None, district: str | None) -> Answer:
        """What these fields mean; at least one is given. An unlisted district is its city's centre, with a remark."""
        units: Set[Unit] | None = None
        if province:
            found = self._letters.get(fold(province))
            units = {found} if found else {unit for unit in self.meanings(province) if unit.adcode.endswith("0000")}
            if not units:
                return Answer(remark=PROVINCE_UNKNOWN)
        if city:
            meant = self.meanings(city)
            cities = {unit for unit in meant if not unit.district} or meant
            if not cities:
                return Answer(remark=NOT_LISTED)
            units = self._meet(units, cities) if units is not None else cities
            if not units:
                return Answer(remark=CONTRADICTION)
        if not district:
            return self.settle(units or frozenset())
        within = self.narrow(units, district)
        if within or not (city and units):
            return self.settle(within)
        home = self.settle(units)
        return Answer(home.place, remark=CENTRE_USED) if home.place else home

    def province(self, written: str) -> Unit | None:
        """The province of a name or a code (江苏, Jiangsu, CN-JS, 32); None when it is none, or not certain."""
        found = self._letters.get(fold(written))
        meant = {found} if found else {unit for unit in self.meanings(written) if unit.adcode.endswith("0000")}
        return meant.pop() if len(meant) == 1 else None

    def province_before(self, text: str) -> Unit | None:
        """The province whose full name a text begins with; 海南 alone may be a prefecture of Qinghai."""
        return next((unit for unit in self._letters.values() if text.startswith(unit.province)), None)

    def settle(self, units: Set[Unit]) -> Answer:
        """The one place that `units` leave, or why there is none."""
        only = self._widest(units)
        if isinstance(only, KnownPlace):
            return Answer(only)
        if only is not None:
            return Answer(remark=NOT_LISTED if only.city else PROVINCE_ONLY)
        if not units:
            return Answer(remark=NOT_LISTED)
        candidates = tuple(sorted(units, key=lambda unit: unit.adcode)[:MOST_CANDIDATES])
        listed = ", ".join(f"{unit.name} ({unit.adcode})" for unit in candidates)
        return Answer(None, candidates, f"may mean several places: {listed}; the lead waits until its place is clear")

    def district_in(self, city: str, text: str) -> str | None:
        """The full Chinese name of a district of `city` that stands in a free text such as a street."""
        text = unicodedata.normalize("NFKC", text)
        return next(
            (
                place.district
                for home in self.meanings(city)
                for place in self._districts.get(home.adcode, ())
                if place.district in text
            ),
            None,
        )

    def _widest(self, units: Set[Unit]) -> Unit | None:
        """The unit that is meant when several share a spelling: the one around all others, if there is one."""
        for unit in units:
            if all(unit is other or unit in self._around[other] for other in units):
                return unit
        cities = [unit for unit in units if unit.city and not unit.district]
        # 西安 is the city of the list, though two districts elsewhere are called 西安区 and may be called 西安 at home.
        if len(cities) == 1 and isinstance(cities[0], KnownPlace):
            others = [unit for unit in units if unit is not cities[0] and cities[0] not in self._around[unit]]
            if all(unit.district and not isinstance(unit, KnownPlace) for unit in others):
                return cities[0]
        return None

    def _add(self, unit: Unit, name: str, pinyin: str) -> None:
        self._units[unit.adcode] = unit
        for spelling in spellings(name, pinyin):
            self._meanings[spelling].add(unit)

    def _ancestors(self, unit: Unit) -> frozenset[Unit]:
        codes = (unit.adcode[:4] + "00", unit.adcode[:2] + "0000")
        return frozenset(self._units[code] for code in codes if code in self._units and code != unit.adcode)

    def _meet(self, units: Set[Unit], meant: Set[Unit]) -> Set[Unit]:
        around = self._around
        deeper = {unit for unit in meant if unit in units or not around[unit].isdisjoint(units)}
        return deeper | {unit for unit in units if not around[unit].isdisjoint(meant)}


def _known(row: Mapping[str, str], centres: Mapping[str, Mapping[str, str]]) -> KnownPlace:
    point = row if row["lat"] else centres[row["city"]]
    accuracy = Accuracy.DISTRICT if row["district"] and row["lat"] else Accuracy.CITY
    return KnownPlace(
        row["adcode"], row["province"], row["city"], row["district"], float(point["lat"]), float(point["lon"]), accuracy
    )


def load_places() -> Places:
    """The bundled lists."""
    return Places(_rows("cn17_districts.csv"), _rows("cn_provinces.csv"), _rows("cn_homonyms.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with (resources.files("services.lead_intake") / "data" / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
