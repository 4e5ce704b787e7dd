"""Where a lead is: a point with its datum, or a place of the list, as WGS-84 that may be published."""

import re

from services.lead_intake.draft import DraftLocation
from services.lead_intake.faults import Fault
from services.lead_intake.places import Ambiguous, KnownPlace, Places
from shared.contracts import Place
from shared.datum import to_wgs84
from shared.vocabulary import Accuracy, Datum

PUBLIC_DECIMALS = 4
"""Facts carry points to 4 decimals (at most 8 m off); the exact one is sealed with the contact."""

_ADCODE = re.compile(r"[0-9]{6}")


def place_of(given: DraftLocation | None, places: Places, faults: list[Fault], remarks: list[Fault]) -> Place | None:
    """The public place of a lead; what is wrong is added to `faults`, what was not understood to `remarks`.

    None without a fault: the lead is taken and waits until its place is clear.
    """
    if given is None:
        return None
    if given.lat is not None or given.lon is not None:
        return _point(given, faults)
    known: KnownPlace | None
    if given.adcode is not None:
        if not _ADCODE.fullmatch(given.adcode):
            faults.append(Fault("/location/adcode", "must be the six digits of an official code, such as 320505"))
            return None
        pointer, known = "/location/adcode", places.by_adcode(given.adcode)
        exact = known is not None and known.adcode == given.adcode
    else:
        pointer = "/location/district" if given.district else "/location/city"
        if given.city is None and given.district is None:
            faults.append(Fault("/location", "needs lat, lon and datum, or an adcode, or a city"))
            return None
        try:
            known = places.by_name(given.city, given.district)
        except Ambiguous as error:
            faults.append(Fault("/location/district", f"{error}; say the city too"))
            return None
        exact = known is not None and bool(known.district) == bool(given.district)
    if known is None:
        remarks.append(Fault(pointer, "is not in the list of places; the lead waits until its place is clear"))
        return None
    if not exact:
        remarks.append(Fault(pointer, "is not in the list of districts; the centre of its city is used"))
    return Place(
        lat=round(known.lat, PUBLIC_DECIMALS),
        lon=round(known.lon, PUBLIC_DECIMALS),
        accuracy=known.accuracy,
        given_datum=Datum.WGS84,
        adcode=known.adcode,
    )


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
    return Place(
        lat=round(lat, PUBLIC_DECIMALS),
        lon=round(lon, PUBLIC_DECIMALS),
        accuracy=Accuracy.POINT,
        given_datum=given.datum,
    )
