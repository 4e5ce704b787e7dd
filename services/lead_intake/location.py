"""Where a lead is: a point with its datum, a plus code, or a place of the lists, as WGS-84 that may be published."""

import re

from services.lead_intake.draft import DraftLocation
from services.lead_intake.faults import Fault
from services.lead_intake.located import NOWHERE, Located, public
from services.lead_intake.nearness import Spot
from services.lead_intake.place_text import read_place
from services.lead_intake.places import CENTRE_USED, NOT_LISTED, Answer, KnownPlace, Places
from services.lead_intake.plus_code import BadPlusCode, FarFromTown, PlusCode, centre_near, centre_of, read_plus_code
from services.lead_intake.postal_codes import PostalCodes
from services.lead_intake.written_place import by_names, locate_written, read_names
from shared.contracts import Place
from shared.datum import to_wgs84
from shared.vocabulary import Accuracy, Datum

_ADCODE = re.compile(r"[0-9]{6}")
_BETWEEN = re.compile(r"[\s,，、]+")
_TOWN_UNCERTAIN = "cannot be completed: the point of that town is not certain enough; the lead waits"


def locate(
    given: DraftLocation | None, places: Places, postal: PostalCodes, faults: list[Fault], remarks: list[Fault]
) -> Located:
    """The public place of a lead; what is wrong is added to `faults`, what was not understood to `remarks`.

    Nowhere without a fault: the lead is taken and waits until its place is clear. A point wins over a plus code, that
    over an adcode, that over names, and these over a text: the more exact one counts. A postal code counts beside names
    and text.
    """
    if given is None:
        return NOWHERE
    if given.lat is not None or given.lon is not None:
        return Located(_point(given, faults))
    if given.plus_code is not None:
        return _plus_code(given, given.plus_code, places, faults, remarks)
    if given.adcode is not None:
        return _adcode(given.adcode, places, faults, remarks)
    located = locate_written(given, places, postal, remarks)
    if located is None:
        faults.append(
            Fault("/location", "needs lat, lon and datum, a plus_code, an adcode, a city, a text or a postal_code")
        )
        return NOWHERE
    return located


def _adcode(adcode: str, places: Places, faults: list[Fault], remarks: list[Fault]) -> Located:
    pointer = "/location/adcode"
    if not _ADCODE.fullmatch(adcode):
        faults.append(Fault(pointer, "must be the six digits of an official code, such as 320505"))
        return NOWHERE
    known = places.by_adcode(adcode)
    remark = NOT_LISTED if known is None else "" if known.adcode == adcode else CENTRE_USED
    return by_names(Answer(known, remark=remark), pointer, remarks)


def _plus_code(given: DraftLocation, text: str, places: Places, faults: list[Fault], remarks: list[Fault]) -> Located:
    pointer = "/location/plus_code"
    if given.datum not in (None, Datum.WGS84):
        faults.append(Fault("/location/datum", "does not fit: a plus code is WGS-84 by definition; leave datum out"))
    written, town = _code_and_town(text)
    try:
        code = read_plus_code(written)
        if not code.is_short:
            return Located(_public_point(*centre_of(code), Datum.WGS84))
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


def _point(given: DraftLocation, faults: list[Fault]) -> Place | None:
    before = len(faults)
    if given.lat is None:
        faults.append(Fault("/location/lat", "is required beside the other coordinate"))
    if given.lon is None:
        faults.append(Fault("/location/lon", "is required beside the other coordinate"))
    if given.lat is not None and abs(given.lat) > 90:
        faults.append(Fault("/location/lat", "must be between -90 and 90 degrees"))
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
