"""What an ADF prospect wants, and which vehicle it is about."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from services.lead_intake.faults import Fault
from services.lead_intake.sources.adf_elements import attribute_of, text_of
from services.lead_intake.sources.adf_line import line_of
from shared.vocabulary import Intent

_NOT_A_LETTER = re.compile(r"[\W\d_]+")
# The DTD's default is buy; a form that has no word for it leaves it out.
_INTERESTS = {
    **dict.fromkeys(("", "buy", "purchase", "lease", "购买", "买车", "租赁"), Intent.PURCHASE),
    **dict.fromkeys(("testdrive", "试驾", "试乘试驾"), Intent.TEST_DRIVE),
    **dict.fromkeys(("tradein", "sell", "置换", "出售", "卖车"), Intent.TRADE_IN),
}
_NEW = ("", "n", "new", "brandnew", "newcar", "newvehicle", "unused", "notused", "neverused", "新", "新车", "全新")
_USED = re.compile(
    # A word of a longer status counts: used_vehicle, certified pre-owned (CPO), approved used.
    r"u|.*(?:used|preowned|secondhand|cpo|certified|二手|旧车|准新车).*"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a prospect wants, with the vehicle that it wants it of, if it names one."""

    intent: Intent
    vehicle: dict[str, str | int] | None


def wish_of(vehicles: Sequence[Element], service: str, remarks: list[Fault]) -> Wish:
    """The wish by the vehicles and by the provider's service, which may be one of our intents and then goes first."""
    wanted = [vehicle for vehicle in vehicles if _interest(vehicle) is not Intent.TRADE_IN]
    if len(wanted) > 1:
        remarks.append(Fault("/vehicle", "is one of several that are asked for; the first decides"))
    decisive = next(iter(wanted or vehicles), None)
    intent = _service(service) or _interest(decisive, remarks)
    if intent in (Intent.PURCHASE, Intent.TEST_DRIVE) and _is_used(decisive, remarks):
        intent = Intent.USED_VEHICLE
    return Wish(intent, _vehicle(decisive, remarks))


def _interest(vehicle: Element | None, remarks: list[Fault] | None = None) -> Intent:
    interest = _INTERESTS.get(_word(attribute_of(vehicle, "interest")))
    if interest is None and remarks is not None:
        remarks.append(Fault("/intent", "is none of buy, lease, test-drive, trade-in and sell; it was read as buy"))
    return interest or Intent.PURCHASE


def _is_used(vehicle: Element | None, remarks: list[Fault]) -> bool:
    status = _word(attribute_of(vehicle, "status"))
    if status in _NEW:
        return not status and _says_used(_word(text_of(vehicle, "condition")))
    if _says_used(status) or _says_used(_word(text_of(vehicle, "condition"))):
        return True
    remarks.append(Fault("/vehicle", "has a status that is neither new nor used; it was read as new"))
    return False


def _says_used(word: str) -> bool:
    return word not in _NEW and _USED.fullmatch(word) is not None


def _service(text: str) -> Intent | None:
    word = text.lower().replace("-", "_").replace(" ", "_")
    return Intent(word) if word in tuple(Intent) else None


def _vehicle(vehicle: Element | None, remarks: list[Fault]) -> dict[str, str | int] | None:
    found: dict[str, str | int] = {}
    for field, tag in (("brand", "make"), ("model", "model")):
        if text := line_of(text_of(vehicle, tag), f"/vehicle/{field}", remarks):
            found[field] = text
    written = text_of(vehicle, "year")
    year = unicodedata.normalize("NFKC", written[:8])
    if len(year) == 4 and year.isascii() and year.isdigit() and 1950 <= int(year) <= 2100:
        found["year"] = int(year)
    elif written:
        remarks.append(Fault("/vehicle/year", "is no year of four digits; it is passed over"))
    return found or None


def _word(text: str) -> str:
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", text[:64])).lower()
