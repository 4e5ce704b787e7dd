"""Where a written place is: by its names, its postal code, or both, which must agree. Pure, offline.

The finer of the two is used: a code beside a city is a district, and beside a district nothing new. A code that is not
in the list leaves the names as they are; names that are not leave the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.lead_intake.candidates import Candidate
from services.lead_intake.draft import DraftLocation
from services.lead_intake.faults import Fault
from services.lead_intake.fillers import is_filler
from services.lead_intake.located import NOWHERE, Located, public
from services.lead_intake.nearness import distance_m, meet
from services.lead_intake.place_text import NOT_UNDERSTOOD, read_place
from services.lead_intake.places import CONTRADICTION, MOST_CANDIDATES, NOT_LISTED, PROVINCE_ONLY, Answer, Places
from services.lead_intake.postal_codes import (
    NO_LIST,
    NOT_SIX_DIGITS,
    UNKNOWN,
    UNKNOWN_BESIDE_NAMES,
    PostalCodes,
    PostalPlace,
    read_code,
    split_off_code,
)
from services.lead_intake.units import KnownPlace
from shared.vocabulary import Accuracy

FAR_FROM_NAMES = "lies far from the place that the names say; the lead waits until its place is clear"
CODE_USED = "is not in the list of places; the place of its postal code is used"

_REACH_M = 150_000.0
"""How far a postal code's place may lie from the district or the city that the names say, at least."""
_BEYOND_DISTRICTS_M = 50_000.0
"""A city reaches that much farther than the point of its farthest district: Chongqing is as large as Austria."""


@dataclass(frozen=True, slots=True)
class _Code:
    """A postal code as it was met: where, and every place of the list that has it; a remark when there is none."""

    pointer: str
    places: tuple[PostalPlace, ...]
    remark: str = ""


def read_names(given: DraftLocation, places: Places) -> tuple[str, Answer | None]:
    """What the fields for names mean, else what the text does, and which field is to blame; None when all are empty."""
    named = {"district": given.district, "city": given.city, "province": given.province}
    written = {field: name for field, name in named.items() if name}
    meant = [field for field, name in written.items() if not is_filler(name)]
    # Fields that are filled in for their form alone leave the word to the text.
    finest = next(iter(meant or ([] if given.text else written)), None)
    if finest:
        answer = places.named(given.province, given.city, given.district)
        return f"/location/{finest}", _whole(given, answer, places)
    names, code = split_off_code(given.text or "")
    # A text that is a postal code and nothing else names nothing.
    return "/location/text", read_place(names, places) if names or (given.text and not code) else None


def _whole(given: DraftLocation, answer: Answer, places: Places) -> Answer:
    """`answer`, or the better one that the fields give as one text: 江苏省苏州市吴江区 may stand in any of them."""
    fields = [name for name in (given.province, given.city, given.district) if name and not is_filler(name)]
    province = places.province(given.province) if given.province else None
    if not answer.remark or all(places.meanings(name) or (name == given.province and province) for name in fields):
        return answer
    if province:
        fields[0] = province.province
    whole = read_place(" ".join(fields), places)
    if whole.place:
        return whole if answer.place is None or places.lies_in(whole.place, answer.place) else answer
    return whole if whole.candidates and not (answer.place or answer.candidates) else answer


_SETTLED = frozenset({CONTRADICTION, PROVINCE_ONLY, FAR_FROM_NAMES})
"""What a lead without a place was told when it is wrong or too coarse: no map service can know what was meant."""


def locate_written(given: DraftLocation, places: Places, postal: PostalCodes, remarks: list[Fault]) -> Located | None:
    """The public place of names, text and postal code; None when none of them is given."""
    pointer, answer = read_names(given, places)
    code = _read_code(given, pointer, postal)
    if answer is None:
        return _by_code(code, remarks) if code else None
    before = len(remarks)
    located = _by_both(answer, pointer, code, places, remarks)
    is_open = located.place is None and not any(remark.detail in _SETTLED for remark in remarks[before:])
    return replace(located, open=is_open)


def _by_both(answer: Answer, pointer: str, code: _Code | None, places: Places, remarks: list[Fault]) -> Located:
    if code is None or answer.remark == CONTRADICTION:
        return by_names(answer, pointer, remarks)
    if answer.place:
        return _beside_a_place(answer, answer.place, pointer, code, places, remarks)
    if answer.candidates:
        return _beside_several(answer, pointer, code, places, remarks)
    if not code.places:
        remarks.append(Fault(pointer, answer.remark))
    elif answer.remark in (NOT_LISTED, NOT_UNDERSTOOD):
        remarks.append(Fault(pointer, CODE_USED))
    return _by_code(code, remarks)


def by_names(answer: Answer, pointer: str, remarks: list[Fault]) -> Located:
    """The place of an answer about names, its remark told."""
    if answer.remark:
        remarks.append(Fault(pointer, answer.remark))
    if answer.place is None:
        return Located(None, tuple(unit.adcode for unit in answer.candidates))
    return Located(public(answer.place))


def _read_code(given: DraftLocation, names_at: str, postal: PostalCodes) -> _Code | None:
    if given.postal_code is not None:
        pointer, code = "/location/postal_code", read_code(given.postal_code)
        if code is None:
            return _Code(pointer, (), NOT_SIX_DIGITS)
    elif given.text and names_at == "/location/text":
        # Beside fields for names a text is not read, nor is its code.
        pointer, code = names_at, split_off_code(given.text)[1]
        if code is None:
            return None
    else:
        return None
    found = postal.places_of(code)
    return _Code(pointer, found, "" if found else UNKNOWN if len(postal) else NO_LIST)


def _by_code(code: _Code, remarks: list[Fault]) -> Located:
    if not code.places:
        remarks.append(Fault(code.pointer, code.remark))
        return NOWHERE
    if spot := meet(code.places):
        return Located(public(spot))
    several = [Candidate(place.name, place.lat, place.lon) for place in code.places[:MOST_CANDIDATES]]
    remarks.append(Fault(code.pointer, may_mean(several)))
    return Located(None, tuple(map(str, several)))


def may_mean(several: Sequence[Candidate]) -> str:
    """The remark that lists far-apart places."""
    listed = ", ".join(f"{one.name or 'a place'} ({one.lat:.2f}, {one.lon:.2f})" for one in several)
    return f"may mean several places: {listed}; the lead waits until its place is clear"


def _beside_a_place(
    answer: Answer, place: KnownPlace, pointer: str, code: _Code, places: Places, remarks: list[Fault]
) -> Located:
    near = _within_reach(code.places, place, places)
    if code.places and not near:
        remarks.append(Fault(code.pointer, FAR_FROM_NAMES))
        return NOWHERE
    if code.remark in (UNKNOWN, NOT_SIX_DIGITS):
        remarks.append(Fault(code.pointer, UNKNOWN_BESIDE_NAMES if code.remark == UNKNOWN else NOT_SIX_DIGITS))
    spot = meet(near)
    if spot is None or (spot.accuracy, place.accuracy) != (Accuracy.DISTRICT, Accuracy.CITY):
        return by_names(answer, pointer, remarks)
    # The unit of the names is certain; the code only says where in it.
    return Located(public(spot, adcode=place.adcode))


def _beside_several(answer: Answer, pointer: str, code: _Code, places: Places, remarks: list[Fault]) -> Located:
    fitting = [unit for unit in answer.candidates if _within_reach(code.places, unit, places)]
    if len(fitting) == 1:
        return _beside_a_place(Answer(fitting[0]), fitting[0], pointer, code, places, remarks)
    return by_names(answer, pointer, remarks)


def _within_reach(spots: Sequence[PostalPlace], place: KnownPlace, places: Places) -> list[PostalPlace]:
    inside = [distance_m(place.lat, place.lon, district.lat, district.lon) for district in places.districts_of(place)]
    reach_m = max(_REACH_M, max(inside, default=0.0) + _BEYOND_DISTRICTS_M)
    return [spot for spot in spots if distance_m(place.lat, place.lon, spot.lat, spot.lon) <= reach_m]
