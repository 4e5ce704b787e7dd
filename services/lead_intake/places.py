"""Places by code or by name: every province, city and county-level unit of China, in Chinese, pinyin or English.

鼓楼区 alone may be Nanjing's or Xuzhou's, and `Suzhou` may be 苏州 or 宿州. What may mean several places is answered
with all of them, never guessed, and each of them is a place when its code is sent back. A unit without a point of its
own is at its city's centre. Sites stand in few of these places; that is no business of this list.
"""

from collections.abc import Set
from dataclasses import dataclass

from services.lead_intake.fillers import is_filler
from services.lead_intake.place_list import PlaceList, read_list
from services.lead_intake.place_names import fold, stem_of_folded
from services.lead_intake.traditional import simplified
from services.lead_intake.units import KnownPlace, Unit

MOST_CANDIDATES = 12
"""No name of the list has as many; a sender's nonsense must not grow an answer."""

NOT_LISTED = "is not in the list of places; the lead waits until its place is clear"
PROVINCE_ONLY = "names a whole province; the lead waits until its place is clear"
PROVINCE_UNKNOWN = "stands beside a province that is not known; the lead waits until its place is clear"
CONTRADICTION = "names places that do not lie in each other; the lead waits until its place is clear"
CENTRE_USED = "is not in the list of districts; the centre of its city is used"

_NOBODY: frozenset[Unit] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """What names mean: a place, or none with the units that they may mean."""

    place: KnownPlace | None = None
    candidates: tuple[KnownPlace, ...] = ()
    remark: str = ""
    """What the sender is told, without a word of what was sent; empty when all was understood."""


class Places:
    """Looks places up. Unknown ones give no place: their leads must still be taken."""

    def __init__(self, listed: PlaceList) -> None:
        self._listed = listed
        self.longest_name = listed.longest_spelling

    def by_adcode(self, adcode: str) -> KnownPlace | None:
        """The place of a six-digit code; an unknown district of a known city (a new development zone) is the city."""
        return self.coded(adcode).place

    def coded(self, adcode: str) -> Answer:
        """What a six-digit code means, one of today or of yesterday, told when it is finer than the list."""
        for code in (adcode, adcode[:4] + "00", adcode[:2] + "0000"):
            known = self._listed.units.get(code)
            if isinstance(known, KnownPlace):
                # 110100 is the filler between Beijing and its districts.
                finer = code != adcode and adcode[2:] not in ("0100", "0200")
                return Answer(known, remark=CENTRE_USED if finer else "")
            if known is not None:
                break
            if code == adcode and (now := self._listed.successors.get(code)):
                return self.settle(frozenset(now))
        return Answer(remark=PROVINCE_ONLY if adcode[2:] == "0000" and known else NOT_LISTED)

    def unit(self, adcode: str) -> Unit | None:
        """The unit of exactly this code, if it is one of today."""
        return self._listed.units.get(adcode)

    def meanings(self, name: str) -> Set[Unit]:
        """Every unit that this spelling names, or named; empty when none."""
        folded = fold(name)
        return self._listed.meanings.get(folded) or self._listed.former.get(folded) or _NOBODY

    def narrow(self, units: Set[Unit] | None, name: str) -> Set[Unit]:
        """The smallest units that fit both what was named before and `name`; None: nothing was named before.

        Inside a known unit the word for the kind may be out of date: 龙港镇 became 温州市龙港市.
        """
        if units is None:
            return self.meanings(name)
        folded = fold(name)
        exact = self._listed.meanings.get(folded)
        if exact and (met := self._meet(units, exact)):
            return met
        bare = stem_of_folded(folded)
        for meant in (
            self._listed.meanings.get(bare) if bare != folded else None,
            self._listed.former.get(folded),
            self._listed.former.get(bare),
        ):
            if meant and (met := self._meet(units, meant)):
                return met
        return _NOBODY

    def named(self, province: str | None, city: str | None, district: str | None) -> Answer:
        """What these fields mean; at least one is given. An unlisted district is its city's centre, with a remark.

        A field that is only filled in for the form (市辖区, 其他, `-`) counts as absent.
        """
        province, city, district = (name and (None if is_filler(name) else name) for name in (province, city, district))
        units: Set[Unit] | None = None
        if province:
            # Forms with one field too many repeat the city in it.
            units = self._provinces(province) or self.meanings(province)
            if not units:
                return Answer(remark=PROVINCE_UNKNOWN)
        if city:
            cities = self._cities(city)
            if not cities:
                return Answer(remark=NOT_LISTED)
            units = self._meet(units, cities) if units is not None else cities
            if not units:
                return Answer(remark=CONTRADICTION)
        if not district:
            return self.settle(units or _NOBODY)
        within = self.narrow(units, district) or self._in_former(province, city, district)
        home = self.settle(units or _NOBODY)
        if within or not units or not (city or home.place):
            return self.settle(within)
        return Answer(home.place, remark=CENTRE_USED) if home.place else home

    def province(self, written: str) -> Unit | None:
        """The province of a name or a code (江苏, Jiangsu, CN-JS, 32); None when it is none, or not certain."""
        meant = self._provinces(written)
        return next(iter(meant)) if len(meant) == 1 else None

    def province_before(self, text: str) -> Unit | None:
        """The province whose full name a text begins with; 海南 alone may be a prefecture of Qinghai."""
        return next((unit for unit in self._listed.provinces.values() if text.startswith(unit.province)), None)

    def settle(self, units: Set[Unit]) -> Answer:
        """The one place that `units` leave, or why there is none."""
        only = self._widest(units)
        if isinstance(only, KnownPlace):
            return Answer(only)
        if only is not None:
            return Answer(remark=PROVINCE_ONLY)
        if not units:
            return Answer(remark=NOT_LISTED)
        listed = sorted(units, key=lambda unit: unit.adcode)[:MOST_CANDIDATES]
        # A whole province is told, and not offered: nobody could choose it.
        candidates = tuple(unit for unit in listed if isinstance(unit, KnownPlace))
        told = ", ".join(
            f"{unit.name} ({unit.adcode})" if unit.city else f"the whole of {unit.name}" for unit in listed
        )
        return Answer(None, candidates, f"may mean several places: {told}; the lead waits until its place is clear")

    def districts_of(self, place: KnownPlace) -> tuple[KnownPlace, ...]:
        """The county-level units of a city; none of anything smaller."""
        return tuple(self._listed.districts.get(place.adcode, ()))

    def lies_in(self, place: KnownPlace, other: KnownPlace) -> bool:
        """Whether a unit is a part of another."""
        return other in self._listed.around[place]

    def district_in(self, city: str, text: str) -> str | None:
        """The full Chinese name of a district of `city` that stands in a free text such as a street."""
        folded = simplified(fold(text))
        return next(
            (
                place.district
                for home in self.meanings(city)
                for place in self._listed.districts.get(home.adcode, ())
                if place.district in folded
            ),
            None,
        )

    def _in_former(self, province: str | None, city: str | None, district: str) -> Set[Unit]:
        """The district in what the city was: 庐江县 lay in the prefecture 巢湖市, which is less today."""
        was: Set[Unit] = self._listed.former.get(fold(city), _NOBODY) if city else _NOBODY
        if was and province:
            was = self._meet(self._provinces(province), was)
        return self.narrow(was, district) if was else _NOBODY

    def _provinces(self, written: str) -> Set[Unit]:
        found = self._listed.provinces.get(fold(written))
        return {found} if found else {unit for unit in self.meanings(written) if unit.adcode.endswith("0000")}

    def _cities(self, written: str) -> Set[Unit]:
        """What stands in a field for a city: a city, a district where no city is called so, or a mistaken province.

        吉林 is the city in 吉林省; 海南 may be the province as well as a prefecture of another.
        """
        meant = self.meanings(written)
        cities = {unit for unit in meant if unit.city and not unit.district} or {unit for unit in meant if unit.city}
        inside = {around for unit in cities for around in self._listed.around[unit]}
        return cities | {unit for unit in meant if not unit.city and unit not in inside}

    def _widest(self, units: Set[Unit]) -> Unit | None:
        """The unit that is meant when several share a spelling: the one around all others, if there is one."""
        around = self._listed.around
        for unit in units:
            if all(unit is other or unit in around[other] for other in units):
                return unit
        cities = [unit for unit in units if unit.city and not unit.district]
        # 西安 is the capital of its province, though two districts elsewhere are called 西安区 and may be 西安 at home.
        if len(cities) == 1 and cities[0].adcode[2:] in ("0000", "0100"):
            others = [unit for unit in units if unit is not cities[0] and cities[0] not in around[unit]]
            if all(unit.district for unit in others):
                return cities[0]
        return None

    def _meet(self, units: Set[Unit], meant: Set[Unit]) -> Set[Unit]:
        around = self._listed.around
        deeper = {unit for unit in meant if unit in units or not around[unit].isdisjoint(units)}
        return deeper | {unit for unit in units if not around[unit].isdisjoint(meant)}


def load_places() -> Places:
    """The bundled lists."""
    return Places(read_list())
