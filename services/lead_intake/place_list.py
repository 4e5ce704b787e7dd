"""The bundled lists, indexed by code and by every spelling: whole China's units as they are, and what they were.

A former name or code leads to the units that stand for it today. Credit and sources: data/README.md.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources

from services.lead_intake.place_names import fold, spellings
from services.lead_intake.units import KnownPlace, Unit, known_place

_MUNICIPALITY_PARTS = ("城区", "郊县", "市区")
"""Map services put 重庆城区 and 重庆郊县 where lists have 市辖区 and 县."""


class PlaceList:
    """Every unit of the lists and what it may be called; read only once it is built."""

    def __init__(
        self,
        rows: Iterable[Mapping[str, str]],
        provinces: Iterable[Mapping[str, str]],
        former: Iterable[Mapping[str, str]],
    ) -> None:
        self.units: dict[str, Unit] = {}
        self.meanings: dict[str, frozenset[Unit]] = {}
        """Units by every spelling of what they are called, and by the full name of what they were called."""
        self.former: dict[str, frozenset[Unit]] = {}
        """Units by every spelling of what they were called; among current names only the full ones count."""
        self.successors: dict[str, tuple[Unit, ...]] = {}
        """By a code that is no longer in the list: what stands for it now, mostly one unit."""
        self.provinces: dict[str, Unit] = {}
        """By official code, its first two digits, ISO 3166-2 letters, and the short names that number plates have."""
        self.districts: dict[str, list[KnownPlace]] = defaultdict(list)
        """The county-level units of a city, by the city's code."""
        self._add_places(rows)
        self._add_provinces(provinces)
        for row in former:
            self._add_former(row)
        self.around = {unit: self._around(unit) for unit in self.units.values()}
        """The city and the province that a unit lies in."""
        self.longest_spelling = max(map(len, self.meanings), default=0)

    def _add_places(self, rows: Iterable[Mapping[str, str]]) -> None:
        cities: dict[str, Mapping[str, str]] = {}
        for row in sorted(rows, key=lambda row: row["adcode"]):
            if not row["district"]:
                cities[row["city"]] = row
            place = known_place(row, cities[row["city"]])
            self._add(place, row["district"] or row["city"], row["pinyin"])
            if place.district:
                self.districts[cities[place.city]["adcode"]].append(place)
            elif place.city == place.province:
                for part in _MUNICIPALITY_PARTS:
                    _mean(self.meanings, place.city.removesuffix("市") + part, frozenset((place,)))

    def _add_provinces(self, rows: Iterable[Mapping[str, str]]) -> None:
        for row in rows:
            # Beijing and Hong Kong are cities of the list and provinces at once.
            unit = self.units.get(row["adcode"]) or Unit(row["adcode"], row["province"], "", "")
            self._add(unit, row["province"], row["pinyin"])
            short = row["short"].split("|")
            for code in (row["letters"], "cn" + row["letters"], row["adcode"], row["adcode"][:2], *short):
                self.provinces[fold(code)] = unit

    def _add(self, unit: Unit, name: str, pinyin: str) -> None:
        self.units[unit.adcode] = unit
        # Most spellings mean one unit: they share its set, or 24,000 sets would be kept.
        alone = frozenset((unit,))
        for written in pinyin.split("|"):
            for spelling in spellings(name, written):
                _mean(self.meanings, spelling, alone)

    def _add_former(self, row: Mapping[str, str]) -> None:
        now = tuple(self.units[code] for code in row["now"].split("|"))
        if row["adcode"] not in self.units:
            # Rows of one code stand in the order of time: what it meant last counts.
            self.successors[row["adcode"]] = now
        full = fold(row["name"])
        if not full:
            return
        units = frozenset(now)
        for spelling in spellings(row["name"], row["pinyin"]):
            _mean(self.former, spelling, units)
        # 巢湖市 was a prefecture, and is a city of the same province today: who writes it alone means today's.
        if all(unit.adcode[:2] != now[0].adcode[:2] for unit in self.meanings.get(full, ())):
            _mean(self.meanings, full, units)

    def _around(self, unit: Unit) -> frozenset[Unit]:
        codes = (unit.adcode[:4] + "00", unit.adcode[:2] + "0000")
        return frozenset(self.units[code] for code in codes if code in self.units and code != unit.adcode)


def _mean(meanings: dict[str, frozenset[Unit]], spelling: str, units: frozenset[Unit]) -> None:
    known = meanings.get(spelling)
    meanings[spelling] = units if known is None else known | units


def read_list() -> PlaceList:
    """The bundled lists."""
    return PlaceList(_rows("cn_places.csv"), _rows("cn_provinces.csv"), _rows("cn_former.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with (resources.files("services.lead_intake") / "data" / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
