"""Plus codes (Open Location Code): from a code to the WGS-84 point in the middle of its cell.

Format: https://github.com/google/open-location-code, Documentation/Specification (Plus codes are WGS-84 by definition).
The Python library of the same name had its last release in 2019 and no types; decoding takes fewer lines than wrapping.
Latitude counts in 1/25,000,000 and longitude in 1/8,192,000 of a degree, so that everything up to the end is whole.
"""

import re
import unicodedata
from dataclasses import dataclass

_DIGITS = "23456789CFGHJMPQRVWX"
_CODE = re.compile(rf"([{_DIGITS}]*)(0*)\+([{_DIGITS}]*)")
_LAT_UNITS, _LON_UNITS = 25_000_000, 8_192_000
_BEFORE_PLUS = 8
_PAIRED_DIGITS = 10
_MOST_DIGITS = 15

SAFE_OFFSET_DEGREES = {2: 8.0, 4: 0.4}
"""How far, by the specification, a short code's cell may lie from its town, by digits left out.

Recovery itself works to 10 and 0.5 degrees; the rest allows for another map's idea of where the town's centre is.
"""


class BadPlusCode(ValueError):  # noqa: N818 - it names a state
    """It is no plus code, or one too coarse to route by; the text says which and does not repeat it."""


class FarFromTown(ValueError):  # noqa: N818 - it names a state
    """A short code whose cell is so far from its town that the next one over may be meant."""


@dataclass(frozen=True, slots=True)
class PlusCode:
    """A code's digits without padding, and how many were left out at its beginning: 0 for a full code."""

    digits: str
    left_out: int

    @property
    def is_short(self) -> bool:
        """Whether it means something only beside a town."""
        return self.left_out > 0


def read_plus_code(text: str) -> PlusCode:
    """The code that a text is; upper or lower case, full-width forms too. Raises BadPlusCode."""
    found = _CODE.fullmatch(unicodedata.normalize("NFKC", text).strip().upper())
    if not found:
        raise BadPlusCode("is no plus code, such as 8QC58J22+22, or 8J22+22 and a town")
    before, padding, behind = found.groups()
    length = len(before) + len(padding)
    if length > _BEFORE_PLUS or length % 2 or len(behind) == 1 or not before + behind:
        raise BadPlusCode("is no plus code: 2, 4, 6 or 8 digits stand before the +, and none or several behind it")
    if padding and (behind or length < _BEFORE_PLUS or len(padding) % 2 or not before):
        raise BadPlusCode("is no plus code: zeros only fill a full one up to the +")
    left_out = _BEFORE_PLUS - length
    code = PlusCode((before + behind)[: _MOST_DIGITS - left_out], left_out)
    if not code.is_short and (_DIGITS.index(before[0]) >= 9 or _DIGITS.index((before + "2")[1]) >= 18):
        raise BadPlusCode("is no plus code: it lies beyond a pole or the date line")
    return code


def centre_of(code: PlusCode) -> tuple[float, float]:
    """The middle of a full code's cell (lat, lon; degrees). Raises BadPlusCode for a cell of 5 km or more."""
    _refuse_coarse(code)
    lat, lon = _offset(code)
    return lat - 90, lon - 180


def centre_near(code: PlusCode, lat: float, lon: float) -> tuple[float, float]:
    """The middle of the short code's cell that is nearest to a town (lat, lon; degrees).

    Raises BadPlusCode when more than four digits were left out (a city is too large for that), FarFromTown when the
    cell is farther away than short codes are made for.
    """
    _refuse_coarse(code)
    most = SAFE_OFFSET_DEGREES.get(code.left_out)
    if most is None:
        raise BadPlusCode("is too short to be found in a city: give at least four digits before the +, or all eight")
    found_lat, found_lon = nearest(code, lat, lon)
    if max(abs(found_lat - lat), abs((found_lon - lon + 180) % 360 - 180)) > most:
        raise FarFromTown("is too far from that town to be certain")
    return found_lat, found_lon


def nearest(code: PlusCode, lat: float, lon: float) -> tuple[float, float]:
    """The middle of the cell with these last digits that is nearest to a point, wherever that is."""
    step = 20.0 ** (2 - code.left_out // 2)
    within_lat, within_lon = _offset(code)
    north = (lat + 90) // step * step + within_lat
    east = (lon + 180) // step * step + within_lon
    if north - (lat + 90) > step / 2 and north - step >= 0:
        north -= step
    elif (lat + 90) - north > step / 2 and north + step <= 180:
        north += step
    if east - (lon + 180) > step / 2:
        east -= step
    elif (lon + 180) - east > step / 2:
        east += step
    return north - 90, east % 360 - 180


def _refuse_coarse(code: PlusCode) -> None:
    if code.left_out + len(code.digits) < _BEFORE_PLUS:
        raise BadPlusCode("is too coarse: its cell is 5 km wide or more; give all digits before the +")


def _offset(code: PlusCode) -> tuple[float, float]:
    """Degrees from the corner of the grid, or of the cell whose digits were left out, to the middle of the cell."""
    lat = lon = 0
    lat_step, lon_step = 400 * _LAT_UNITS, 400 * _LON_UNITS
    for _ in range(code.left_out // 2):
        lat_step, lon_step = lat_step // 20, lon_step // 20
    for place, digit in enumerate(code.digits, code.left_out):
        value = _DIGITS.index(digit)
        if place >= _PAIRED_DIGITS:
            lat_step, lon_step = lat_step // 5, lon_step // 4
            lat += value // 4 * lat_step
            lon += value % 4 * lon_step
        elif place % 2 == 0:
            lat_step //= 20
            lat += value * lat_step
        else:
            lon_step //= 20
            lon += value * lon_step
    return (lat + lat_step / 2) / _LAT_UNITS, (lon + lon_step / 2) / _LON_UNITS
