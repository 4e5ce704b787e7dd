"""ADF 1.0 (Auto-lead Data Format): one or several prospects, from US dealer systems and lead portals.

Format: ADF 1.0 of 2000-05-03 and its DTD (https://github.com/jwadhams/adfxml-info). Our reading of it:

- `vehicle@interest`: buy and lease are a purchase, test-drive a test drive, trade-in and sell a trade-in; a buyer who
  trades in wants to buy. Service is not in the standard: `provider/service` may hold one of our intents.
- `vendor` is the store that was asked for: a preference, and only when its id or name looks like one of our site ids.
- `id` with the lowest `sequence` is the sender's own (every hop adds one behind it): the lead's `source_lead_id`.
- ADF cannot say consent: the text that a source's people agree to is agreed with the source.
- `address`: a `regioncode` of six digits is an official code; else it is the province (CN-JS, 32, 江苏). A district is
  looked for in the street. A postal code may stand for the city, or beside it.
- Names, order and attributes outside the DTD are passed over, never refused.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from xml.etree.ElementTree import Element

from pydantic import TypeAdapter, ValidationError

from services.lead_intake.draft import LONGEST_ADDRESS, Draft
from services.lead_intake.faults import Fault, Refused, faults_of
from services.lead_intake.fillers import is_filler
from services.lead_intake.places import Places
from services.lead_intake.sent_times import is_plausible
from services.lead_intake.sources.adf_text import decode, documents
from services.lead_intake.sources.reading import Item, Unreadable
from shared.vocabulary import Channel, Intent, Slug

_INTERESTS = {
    "buy": Intent.PURCHASE,
    "lease": Intent.PURCHASE,
    "test-drive": Intent.TEST_DRIVE,
    "trade-in": Intent.TRADE_IN,
    "sell": Intent.TRADE_IN,
}
_LONGEST_LINE = 128
_LONGEST_NAME = 64
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_DIGITS = re.compile(r"\d")
_SHORT_OFFSET = re.compile(r"([+-]\d\d):?(\d)$")
_SHORT_HOUR = re.compile(r"[T ](\d:)")


def read_adf(
    body: bytes, charset: str, places: Places, *, consent_version: str | None, received_at: datetime, most: int
) -> list[Item]:
    """The prospects of a file, in order. Raises Unreadable when there is none, or more than `most`."""
    items: list[Item] = []
    for document in documents(decode(body, charset)):
        if isinstance(document, Unreadable):
            items.append(Refused([Fault("", str(document))]))
            continue
        items += [_read(prospect, places, consent_version, received_at) for prospect in _all(document, "prospect")]
    if not items:
        raise Unreadable("holds no prospect")
    if len(items) > most:
        raise Unreadable(f"holds more than {most} prospects; send several files")
    return items


def _read(prospect: Element, places: Places, consent_version: str | None, received_at: datetime) -> Item:
    if consent_version is None:
        return Refused(
            [
                Fault(
                    "/consent",
                    "ADF cannot say it: register the source's text with `waypost source add --consent-version`",
                )
            ]
        )
    contact = _first(_first(prospect, "customer"), "contact")
    requested_at = _time(_text(prospect, "requestdate"), received_at)
    vehicles = _all(prospect, "vehicle")
    wanted = next((v for v in vehicles if _interest(v) is not Intent.TRADE_IN), vehicles[0] if vehicles else None)
    provider = _first(prospect, "provider")
    draft = {
        "intent": _service(_text(provider, "service")) or _interest(wanted),
        "contact": {
            "name": _name(contact) or None,
            "phone": next(iter(sorted_by_preference(_all(contact, "phone"), _looks_like_phone)), None),
            "email": next(iter(sorted_by_preference(_all(contact, "email"), _looks_like_email)), None),
        },
        "location": _location(_first(contact, "address"), places),
        "vehicle": _vehicle(wanted),
        "preferred_site": _site(_first(prospect, "vendor")),
        "campaign": _text(provider, "name")[:_LONGEST_LINE] or None,
        "channel": Channel.ADF,
        "consent": {"given_at": min(requested_at or received_at, received_at), "text_version": consent_version},
        "client_time": requested_at,
        "source_lead_id": _own_id(prospect),
    }
    try:
        return Draft.model_validate(draft)
    except ValidationError as error:
        return Refused(faults_of(error))


def sorted_by_preference(elements: list[Element], looks_right: re.Pattern[str]) -> list[str]:
    """The usable texts, the ones marked `preferredcontact` first; "N/A" and the like are passed over."""
    ordered = sorted(elements, key=lambda element: element.get("preferredcontact") != "1")
    return [text for text in map(_plain, ordered) if looks_right.search(text) and len(text) <= LONGEST_ADDRESS]


_looks_like_phone = re.compile(r"(?:\d\D{0,3}){5}")
_looks_like_email = re.compile(r".@.")


def _interest(vehicle: Element | None) -> Intent:
    # The DTD's default is buy.
    given = (vehicle.get("interest") or "buy") if vehicle is not None else "buy"
    return _INTERESTS.get(given.strip().lower().replace("_", "-").replace(" ", "-"), Intent.PURCHASE)


def _service(text: str) -> Intent | None:
    word = text.lower().replace("-", "_").replace(" ", "_")
    return Intent(word) if word in tuple(Intent) else None


def _name(contact: Element | None) -> str:
    parts: dict[str, str] = {}
    for name in _all(contact, "name"):
        parts.setdefault(name.get("part", "full").lower(), _plain(name))
    split = " ".join(filter(None, (parts.get(part, "") for part in ("first", "middle", "last", "surname"))))
    return (parts.get("full") or split)[:_LONGEST_LINE]


def _location(address: Element | None, places: Places) -> dict[str, str] | None:
    region, city = _text(address, "regioncode")[:_LONGEST_NAME], _text(address, "city")[:_LONGEST_NAME]
    # Codes of towns are those of their districts, with three or six digits more.
    if len(region) in (6, 9, 12) and region.isascii() and region.isdigit():
        return {"adcode": region}
    postal_code = _text(address, "postalcode")[:_LONGEST_NAME]
    if not city and not postal_code:
        return None
    street = " ".join(_plain(line) for line in _all(address, "street"))
    home = region if is_filler(city) else city
    named = {
        "province": region,
        "city": city,
        "district": places.district_in(home, street[:512]) if home else None,
        "postal_code": postal_code,
    }
    return {field: name for field, name in named.items() if name}


def _vehicle(vehicle: Element | None) -> dict[str, str | int] | None:
    found: dict[str, str | int] = {}
    for field, tag in (("brand", "make"), ("model", "model")):
        if text := _text(vehicle, tag)[:_LONGEST_LINE]:
            found[field] = text
    year = _text(vehicle, "year")
    if len(year) == 4 and year.isascii() and year.isdigit() and 1950 <= int(year) <= 2100:
        found["year"] = int(year)
    return found or None


def _site(vendor: Element | None) -> str | None:
    for text in [*map(_plain, _all(vendor, "id")), _text(vendor, "vendorname")]:
        # Dealer codes are bare numbers and names are words; our ids hold letters and a dash.
        if "-" in text and any(c.isalpha() for c in text):
            try:
                return _SLUG.validate_python(text)
            except ValidationError:
                continue
    return None


def _own_id(prospect: Element) -> str | None:
    ids = sorted(_all(prospect, "id"), key=lambda e: int(s) if (s := e.get("sequence", "1")).isdecimal() else 1)
    for element in ids:
        # Some portals put the id itself into `sequence` and leave the text empty.
        number = _plain(element) or (s if len(s := element.get("sequence", "")) > 2 else "")
        if number:
            origin = " ".join((element.get("source") or "").split())
            return f"{origin}:{number}" if origin else number
    return None


def _time(text: str, received_at: datetime) -> datetime | None:
    # Seen: one-digit hours and offsets cut short. Prose and times without a zone say nothing that can be trusted.
    text = _SHORT_OFFSET.sub(r"\1:\g<2>0", _SHORT_HOUR.sub(r"T0\1", text))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A day off is a clock without its zone; more, or a year that was never set, is no time of a request.
    return parsed if parsed.tzinfo and is_plausible(parsed, received_at) else None


def _children(element: Element | None, tag: str) -> Iterator[Element]:
    for child in element if element is not None else ():
        # Files come with upper-case tags and with namespaces.
        if isinstance(child.tag, str) and child.tag.rpartition("}")[2].lower() == tag:
            yield child


def _all(element: Element | None, tag: str) -> list[Element]:
    return list(_children(element, tag))


def _first(element: Element | None, tag: str) -> Element | None:
    return next(_children(element, tag), None)


def _text(element: Element | None, tag: str) -> str:
    return _plain(_first(element, tag))


def _plain(element: Element | None) -> str:
    return " ".join("".join(element.itertext()).split()) if element is not None else ""
