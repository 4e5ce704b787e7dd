"""Where a lead is: a point with its datum, a plus code, or a place of the lists, as WGS-84 that may be published."""

import re

from services.lead_intake.draft import DraftLocation
from services.lead_intake.faults import Fault
from services.lead_intake.fillers import is_filler
from services.lead_intake.located import NOWHERE, Located, public
from services.lead_intake.nearness import Spot
from services.lead_intake.place_text import read_place
from services.lead_intake.places import NOT_LISTED, PROVINCE_ONLY, Places
from services.lead_intake.plus_code import BadPlusCode, FarFromTown, PlusCode, centre_near, centre_of, read_plus_code
from services.lead_intake.postal_codes import PostalCodes
from services.lead_intake.units import KnownPlace
from services.lead_intake.written_place import by_names, locate_written, read_names
from shared.contracts import Place
from shared.datum import to_wgs84
from shared.points import SWAPPED, look_swapped, no_position
from shared.vocabulary import Accuracy, Datum

# Codes of towns and villages are those of the districts around them, with three or six more digits.
_ADCODE = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
_BETWEEN = re.compile(r"[\s,，、]+")
_NO_POSITION = "is a point in the sea that means 'no position', and does not count"
_NOWHERE = "does not count beside the rest: it lies beyond 90 or 180 degrees"
_SWAPPED = f"does not count: {SWAPPED}"
CODE_NOT_LISTED = "is not in the list of places; what stands beside it counts"
_TOWN_UNCERTAIN = "cannot be completed: the point of that town is not certain enough; the lead waits"


def locate(
    given: DraftLocation | None, places: Places, postal: PostalCodes, faults: list[Fault], remarks: list[Fault]
) -> Located:
    """The public place of a lead; what is wrong is added to `faults`, what was not understood to `remarks`.

    Nowhere without a fault: the lead is taken and waits until its place is clear. A point wins over a plus code, that
    over an adcode, that over names, and these over a text: the more exact one counts. A postal code counts beside names
    and text. What only stands for nothing (0, 0; a filler; a code of no list) leaves the word to the next, and is told.
    """
    if given is None:
        return NOWHERE
    before = len(remarks)
    if given.lat is not None or given.lon is not None:
        nothing = _no_position(given.lat, given.lon) or (_nowhere(given.lat, given.lon) if _says_more(given) else "")
        if not nothing:
            return Located(_point(given, faults))
        remarks.append(Fault("/location/lat", nothing))
    if given.plus_code is not None:
        located = _plus_code(given, given.plus_code, places, faults, remarks)
        if located is not None:
            return located
        remarks.append(Fault("/location/plus_code", _NO_POSITION))
    if given.adcode is not None and not is_filler(given.adcode):
        located = _adcode(given, given.adcode, places, faults, remarks)
        if located is not None:
            return located
        remarks.append(Fault("/location/adcode", CODE_NOT_LISTED))
    located = locate_written(given, places, postal, remarks)
    if located is not None:
        return located
    if len(remarks) == before and given.adcode is None:
        faults.append(
            Fault("/location", "needs lat, lon and datum, a plus_code, an adcode, a city, a text or a postal_code")
        )
    elif len(remarks) == before:
        remarks.append(Fault("/location/adcode", NOT_LISTED))
    return NOWHERE


def _adcode(
    given: DraftLocation, adcode: str, places: Places, faults: list[Fault], remarks: list[Fault]
) -> Located | None:
    """The place of a code; None when the list does not know it, and something else says where the lead is."""
    pointer = "/location/adcode"
    if not _ADCODE.fullmatch(adcode):
        faults.append(
            Fault(
                pointer, "must be the six digits of an official code, such as 320505, or nine or twelve that begin so"
            )
        )
        return NOWHERE
    answer = places.coded(adcode[:6])
    if answer.remark in (NOT_LISTED, PROVINCE_ONLY) and any(
        (given.city, given.district, given.text, given.postal_code)
    ):
        return None
    return by_names(answer, pointer, remarks)


def _plus_code(
    given: DraftLocation, text: str, places: Places, faults: list[Fault], remarks: list[Fault]
) -> Located | None:
    """The place of a plus code; None when it stands for no position."""
    pointer = "/location/plus_code"
    if given.datum not in (None, Datum.WGS84):
        faults.append(Fault("/location/datum", "does not fit: a plus code is WGS-84 by definition; leave datum out"))
    written, town = _code_and_town(text)
    try:
        code = read_plus_code(written)
        if not code.is_short:
            lat, lon = centre_of(code)
            return None if no_position(lat, lon) else Located(_public_point(lat, lon, Datum.WGS84))
        blamed, answer = (pointer, read_place(town, places)) if town else read_names(given, places)
        if answer is None:
            faults.append(Fault(pointer, "is a short code: give its town behind it, or all its digits"))
            return NOWHERE
        if answer.place is None:
            return by_names(answer, blamed, remarks)
        return Located(_public_point(*_completed(code, answer.place), Datum.WGS84))
    except FarFromTown:
        remarks.append(Fault(pointer, _TOWN_UNCERTAIN))
    except BadPlusCode as error:
        faults.append(Fault(pointer, str(error)))
    return NOWHERE


def _code_and_town(text: str) -> tuple[str, str]:
    """Maps print short codes with their town, in one text; the town may stand on either side."""
    words = _BETWEEN.split(text)
    code = next((word for word in words if "+" in word or "＋" in word), text)
    return code, ", ".join(word for word in words if word and word is not code)


def _completed(code: PlusCode, town: KnownPlace) -> tuple[float, float]:
    if town.district and town.accuracy is Accuracy.CITY:
        raise FarFromTown("its district has no point of its own")
    return centre_near(code, town.lat, town.lon)


def _no_position(lat: float | None, lon: float | None) -> str:
    """Why two numbers are no position, though they are on earth; empty when they may be one."""
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return ""
    return _NO_POSITION if no_position(lat, lon) else _SWAPPED if look_swapped(lat, lon) else ""


def _nowhere(lat: float | None, lon: float | None) -> str:
    """Why two numbers, such as 999 and 999, are nowhere on earth; empty when they are somewhere, or not both given."""
    if lat is None or lon is None or (abs(lat) <= 90 and abs(lon) <= 180):
        return ""
    return f"{_NOWHERE}; {SWAPPED}" if look_swapped(lat, lon) else _NOWHERE


def _says_more(given: DraftLocation) -> bool:
    return any((given.plus_code, given.adcode, given.city, given.district, given.text, given.postal_code))


def _point(given: DraftLocation, faults: list[Fault]) -> Place | None:
    before = len(faults)
    if given.lat is None:
        faults.append(Fault("/location/lat", "is required beside the other coordinate"))
    if given.lon is None:
        faults.append(Fault("/location/lon", "is required beside the other coordinate"))
    if given.lat is not None and abs(given.lat) > 90:
        swapped = given.lon is not None and look_swapped(given.lat, given.lon)
        hint = f"; {SWAPPED}" if swapped else ""
        faults.append(Fault("/location/lat", f"must be between -90 and 90 degrees{hint}"))
    if given.lon is not None and abs(given.lon) > 180:
        faults.append(Fault("/location/lon", "must be between -180 and 180 degrees"))
    if given.datum is None:
        faults.append(Fault("/location/datum", "is required with a point: wgs84 (GPS), gcj02 (Amap, Tencent) or bd09"))
    if len(faults) > before or given.lat is None or given.lon is None or given.datum is None:
        return None
    try:
        lat, lon = to_wgs84(given.lat, given.lon, given.datum)
    except ValueError as error:
        faults.append(Fault("/location/datum", f"does not fit the point: {error}"))
        return None
    return _public_point(lat, lon, given.datum)


def _public_point(lat: float, lon: float, datum: Datum) -> Place:
    return public(Spot(lat, lon, Accuracy.POINT), datum)
