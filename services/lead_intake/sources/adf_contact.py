"""How an ADF prospect can be reached, and where: the first of several phones, mails and addresses that is of use."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from xml.etree.ElementTree import Element

from services.lead_intake.draft import LONGEST_ADDRESS
from services.lead_intake.faults import Fault
from services.lead_intake.fillers import is_filler
from services.lead_intake.people import Reading, read_address, read_phone
from services.lead_intake.places import Places
from services.lead_intake.sources.adf_elements import all_of, attribute_of, text_of
from services.lead_intake.sources.adf_line import LONGEST_NAME, line_of

_YES = ("1", "true", "yes", "y")
_NOT_FOR_CALLS = ("fax", "pager")
_CHINESE = re.compile(r"[\u3400-\u9fff·]+")
_FAMILY_NAME = ("last", "surname")

MOST_TRIED = 8
"""Contacts of a prospect, and phones and mails of each: asking whether a text is a phone costs as much as a lead."""

_Read: TypeAlias = Callable[[str], Reading]


@dataclass(frozen=True, slots=True)
class Reached:
    """The contact that is taken: its element, and its fields of a draft."""

    element: Element | None
    fields: dict[str, str]


def contact_of(customer: Element | None, region: str, remarks: list[Fault]) -> Reached:
    """The contact that is taken: the primary one first, then the first that can be reached."""
    contacts = sorted(all_of(customer, "contact"), key=lambda contact: not _says_yes(contact, "primarycontact"))
    if len(contacts) > 1:
        remarks.append(Fault("/contact", "is one of several; the first that can be reached was taken"))
    reached = [(contact, _ways(contact, region, is_only=len(contacts) == 1)) for contact in contacts[:MOST_TRIED]]
    contact, ways = next(
        ((contact, ways) for contact, ways in reached if any(way.is_usable for way in ways)),
        reached[0] if reached else (None, []),
    )
    fields = {"name": _name(contact, remarks)}
    for way in ways:
        fields[way.field] = way.text
        remarks += way.remarks if any(way.is_usable for way in ways) else ()
    return Reached(contact, {field: text for field, text in fields.items() if text})


def location_of(contact: Element | None, places: Places, remarks: list[Fault]) -> dict[str, str] | None:
    """The first address that names a place, by its names or its official code."""
    for address in all_of(contact, "address"):
        told: list[Fault] = []
        if location := _location(address, places, told):
            remarks += told
            return location
    return None


class _Way:
    """The phones or the mails of a contact: the one that is taken, and what is said of all others."""

    def __init__(
        self, field: str, texts: Sequence[str], read: _Read, looks_right: str, longest: int, *, is_only: bool
    ) -> None:
        self.field = field
        self.text = ""
        self.is_usable = False
        self.remarks: list[Fault] = []
        pointer = f"/contact/{field}"
        if is_only and len(texts) == 1 and len(texts[0]) <= longest and re.search(looks_right, texts[0]):
            # There is nothing to choose from: whether it is one is found out once, where all leads are judged.
            self.text, self.is_usable = texts[0], True
            return
        taken = ""
        for text in texts[:MOST_TRIED]:
            try:
                reading = read(text[:LONGEST_ADDRESS])
            except ValueError as error:
                self.remarks.append(Fault(pointer, f"{error}; it is passed over"))
                if not self.text and re.search(looks_right, text):
                    # If no other way is found either, it is refused by what is wrong with this one.
                    self.text = text[:longest]
                continue
            if not taken:
                taken, self.is_usable = reading.value, True
                self.text = text if len(text) <= longest else reading.value
            elif reading.value != taken:
                self.remarks.append(Fault(pointer, "is one of several; the others are passed over"))
        if len(texts) > MOST_TRIED:
            self.remarks.append(Fault(pointer, f"is one of more than {MOST_TRIED}; the rest is passed over"))
        self.remarks = list(dict.fromkeys(self.remarks))


def _ways(contact: Element, region: str, *, is_only: bool) -> list[_Way]:
    phones = sorted(
        all_of(contact, "phone"),
        key=lambda phone: (
            attribute_of(phone, "type").lower() in _NOT_FOR_CALLS,
            not _says_yes(phone, "preferredcontact"),
        ),
    )
    emails = sorted(all_of(contact, "email"), key=lambda email: not _says_yes(email, "preferredcontact"))
    ways = [
        _Way("phone", _texts(phones), lambda text: read_phone(text, region), r"\d", LONGEST_NAME, is_only=is_only),
        _Way("email", _texts(emails), read_address, "[@＠]", LONGEST_ADDRESS, is_only=is_only),
    ]
    if any(way.is_usable for way in ways):
        for way in ways:
            way.text = way.text if way.is_usable else ""
    return ways


def _texts(elements: Sequence[Element]) -> list[str]:
    return [text for text in map(text_of, elements) if text]


def _says_yes(element: Element, attribute: str) -> bool:
    return attribute_of(element, attribute).lower() in _YES


def _name(contact: Element | None, remarks: list[Fault]) -> str:
    parts: dict[str, str] = {}
    names = sorted(all_of(contact, "name"), key=lambda name: attribute_of(name, "type").lower() == "business")
    for name in names:
        if text := text_of(name):
            parts.setdefault(attribute_of(name, "part").lower() or "full", text)
    given = [parts.get(part, "") for part in ("first", "middle")]
    family = [parts.get(part, "") for part in _FAMILY_NAME]
    if all(map(_CHINESE.fullmatch, filter(None, (*given, *family)))):
        split = "".join((*family, *given))
    else:
        split = " ".join(filter(None, (*given, *family, parts.get("suffix", ""))))
    return line_of(parts.get("full") or split, "/contact/name", remarks)


def _location(address: Element, places: Places, remarks: list[Fault]) -> dict[str, str] | None:
    def field(tag: str, name: str) -> str:
        return line_of(text_of(address, tag), f"/location/{name}", remarks, LONGEST_NAME)

    region, city = field("regioncode", "province"), field("city", "city")
    # Codes of towns are those of their districts, with three or six digits more.
    if len(region) in (6, 9, 12) and region.isascii() and region.isdigit():
        return {"adcode": region}
    postal_code = field("postalcode", "postal_code")
    if not city and not postal_code:
        return None
    street = " ".join(map(text_of, all_of(address, "street")))
    home = region if is_filler(city) else city
    named = {
        "province": region,
        "city": city,
        "district": places.district_in(home, street[:512]) if home else None,
        "postal_code": postal_code,
    }
    return {name: text for name, text in named.items() if text}
