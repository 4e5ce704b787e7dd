"""ADF 1.0 (Auto-lead Data Format): one or several prospects, from US dealer systems and lead portals.

What becomes of each element and attribute is said in `adf_table`. ADF cannot say consent: the text that a source's
people agree to is agreed with the source. Nothing that is optional refuses a lead: what cannot be used is passed over,
and told.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from pydantic import TypeAdapter, ValidationError

from services.lead_intake.draft import Draft, MendedDraft
from services.lead_intake.faults import Fault, Refused, faults_of
from services.lead_intake.identity import identifies
from services.lead_intake.places import Places
from services.lead_intake.sent_times import is_plausible
from services.lead_intake.sources.adf_contact import contact_of, location_of
from services.lead_intake.sources.adf_elements import all_of, attribute_of, content_of, first_of, text_of
from services.lead_intake.sources.adf_line import LONGEST_LINE, line_of
from services.lead_intake.sources.adf_table import MOST_NAMED, unknown_in
from services.lead_intake.sources.adf_text import Prospect, prospects
from services.lead_intake.sources.adf_vehicle import wish_of
from services.lead_intake.sources.charsets import decode
from services.lead_intake.sources.reading import Item, Unreadable
from shared.vocabulary import Channel, Slug
from shared.words import counted

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_SHORT_OFFSET = re.compile(r"([+-]\d\d):?(\d)$")
_SHORT_HOUR = re.compile(r"[T ](\d:)")
_LONGEST_SEQUENCE = 9
_NO_CONSENT = Fault(
    "/consent", "ADF cannot say it: register the source's text with `waypost source add --consent-version`"
)


@dataclass(frozen=True, slots=True)
class _Reader:
    places: Places
    phone_region: str
    consent_version: str | None
    received_at: datetime


def read_adf(
    body: bytes,
    charset: str,
    places: Places,
    *,
    consent_version: str | None,
    received_at: datetime,
    most: int,
    phone_region: str = "CN",
) -> list[Item]:
    """The prospects of a file, in order. Raises Unreadable when there is none, or more than `most`."""
    reader = _Reader(places, phone_region, consent_version, received_at)
    decoded = decode(body, charset)
    items: list[Item] = []
    for found in prospects(decoded.text):
        if isinstance(found, Unreadable):
            items.append(Refused([Fault("", str(found))]))
        else:
            items.append(_read(found, decoded.repairs, reader))
    if not items:
        raise Unreadable("holds no prospect")
    if len(items) > most:
        raise Unreadable(f"holds more than {most} prospects; send several files")
    return items


def _read(found: Prospect, file_repairs: tuple[str, ...], reader: _Reader) -> Item:
    if reader.consent_version is None:
        return Refused([_NO_CONSENT])
    prospect = found.element
    remarks = [Fault("", f"is in a file that {repair}") for repair in file_repairs]
    remarks += [Fault("", f"was mended: {repair}") for repair in found.repairs]
    contact = contact_of(first_of(prospect, "customer"), reader.phone_region, remarks)
    requested_at = _time(text_of(prospect, "requestdate"), reader.received_at, remarks)
    provider = first_of(prospect, "provider")
    wish = wish_of(all_of(prospect, "vehicle"), text_of(provider, "service"), remarks)
    draft = {
        "intent": wish.intent,
        "contact": contact.fields,
        "location": location_of(contact.element, reader.places, remarks),
        "vehicle": wish.vehicle,
        "preferred_site": _site(first_of(prospect, "vendor")),
        "campaign": line_of(text_of(provider, "name"), "/campaign", remarks) or None,
        "channel": Channel.ADF,
        "consent": {
            "given_at": min(requested_at or reader.received_at, reader.received_at),
            "text_version": reader.consent_version,
        },
        "client_time": requested_at,
        "source_lead_id": _own_id(prospect, remarks),
    }
    _tell_unknown(prospect, remarks)
    try:
        if remarks or all_of(prospect, "id"):
            # Without an id its sender does not expect a lead to be recognised.
            content = content_of(prospect) if all_of(prospect, "id") else b""
            return MendedDraft.model_validate(draft | {"remarks": remarks, "content": content})
        return Draft.model_validate(draft)
    except ValidationError as error:
        return Refused(faults_of(error))


def _site(vendor: Element | None) -> str | None:
    for text in [*map(text_of, all_of(vendor, "id")), text_of(vendor, "vendorname")]:
        # Dealer codes are bare numbers and names are words; our ids hold letters and a dash.
        if "-" in text and any(c.isalpha() for c in text):
            try:
                return _SLUG.validate_python(text)
            except ValidationError:
                continue
    return None


def _own_id(prospect: Element, remarks: list[Fault]) -> str | None:
    # Every hop adds an id behind the sender's own.
    ids = sorted(all_of(prospect, "id"), key=_sequence)
    for element in ids:
        if identifies(number := text_of(element)):
            origin = attribute_of(element, "source")
            written = f"{origin}:{number}" if origin else number
            # It is only ever kept as a hash; an address with its campaign is a usual origin.
            long = len(written) > LONGEST_LINE
            return f"sha256:{hashlib.sha256(written.encode()).hexdigest()}" if long else written
    if ids:
        remarks.append(Fault("/source_lead_id", "is empty or a filler, and no id; the lead is known by its content"))
    return None


def _sequence(element: Element) -> int:
    text = attribute_of(element, "sequence")
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_SEQUENCE else 1


def _time(text: str, received_at: datetime, remarks: list[Fault]) -> datetime | None:
    if not text:
        return None
    # Seen: one-digit hours and offsets cut short. Prose and times without a zone say nothing that can be trusted.
    text = _SHORT_OFFSET.sub(r"\1:\g<2>0", _SHORT_HOUR.sub(r"T0\1", text[:LONGEST_LINE]))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        remarks.append(
            Fault("/client_time", "is no date and time with its offset from UTC; the time of receipt counts")
        )
        return None
    if not is_plausible(parsed, received_at):
        remarks.append(Fault("/client_time", "lies before 2000 or more than a day ahead; the time of receipt counts"))
        return None
    return parsed


def _tell_unknown(prospect: Element, remarks: list[Fault]) -> None:
    unknown = unknown_in(prospect)
    remarks += [Fault("", f"{name} is not known to ADF 1.0 there; it is passed over") for name in unknown[:MOST_NAMED]]
    if len(unknown) > MOST_NAMED:
        remarks.append(
            Fault("", f"not known to ADF 1.0 and passed over: {counted(len(unknown) - MOST_NAMED, 'more name')}")
        )
