"""From a draft to a lead that may be accepted, and from an accepted lead to its fact. Pure: time and ids are given."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from services.lead_intake.draft import Draft, DraftContact, DraftVehicle
from services.lead_intake.faults import Fault, Refused
from services.lead_intake.geocoding.asking import question_of
from services.lead_intake.geocoding.port import Question
from services.lead_intake.location import locate
from services.lead_intake.people import email_token, phone_token, source_id_token, tidy_name, to_address, to_e164
from services.lead_intake.places import Places
from services.lead_intake.postal_codes import NO_POSTAL_CODES, PostalCodes
from services.lead_intake.sent_times import consent_fault, is_plausible
from shared.contracts import LEADS_RECEIVED, Fact, LeadReceived, Place, Vehicle, derived_id
from shared.personal import PublishableText, holds_persons_number
from shared.vocabulary import Channel, Intent

_PUBLIC: TypeAdapter[str] = TypeAdapter(PublishableText)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person's contact in its normal form, and what else may be read only unsealed."""

    name: str | None
    phone: str | None
    email: str | None
    location: dict[str, str | float] | None = None
    """The exact location as it was given, with its datum."""
    vehicle: dict[str, str | int] | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """That a map service was asked about a lead, when, and how that ended."""

    result: str
    started: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead that may be accepted. Everything but `contact` and the tokens may be published."""

    lead_id: UUID
    intent: Intent
    contact: Contact
    tokens: tuple[bytes, ...]
    """The phone's first: when phone and e-mail name two known people, the phone decides."""
    place: Place | None
    preferred_site_id: str | None
    vehicle: Vehicle | None
    source: str
    source_id_token: bytes | None
    channel: Channel
    campaign: str | None
    consent_version: str
    consent_at: datetime
    received_at: datetime
    client_time: datetime | None
    traceparent: str
    remarks: tuple[Fault, ...] = ()
    """What was taken but not understood; the sender is told beside the 202."""
    place_candidates: tuple[str, ...] = ()
    """The places that may be meant when `place` is None, as `candidates` keeps them; no routing happens on them."""
    question: Question | None = None
    """What a map service may be asked, if there is one, because the lists do not settle the place."""
    looked_up: LookedUp | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What turns drafts into leads: the pepper of the tokens, the lists of places, the home region of phone numbers."""

    pepper: bytes
    places: Places
    phone_region: str = "CN"
    postal_codes: PostalCodes = NO_POSTAL_CODES


def accept_draft(
    draft: Draft, rules: Rules, *, lead_id: UUID, source: str, received_at: datetime, traceparent: str
) -> Lead:
    """The lead that a draft means. Raises Refused with every fault at once."""
    faults: list[Fault] = []
    remarks: list[Fault] = []
    contact = _contact(draft.contact, rules.phone_region, faults)
    located = locate(draft.location, rules.places, rules.postal_codes, faults, remarks)
    vehicle = _vehicle(draft.vehicle, remarks)
    campaign = _public(draft.campaign, "/campaign", remarks)
    preferred_site = _site(draft.preferred_site, remarks)
    if told := consent_fault(draft.consent.given_at, received_at):
        faults.append(Fault("/consent/given_at", told))
    client_time = _client_time(draft.client_time, received_at, remarks)
    if faults:
        raise Refused(faults)
    tokens = []
    if contact.phone:
        tokens.append(phone_token(rules.pepper, contact.phone))
    if contact.email:
        tokens.append(email_token(rules.pepper, contact.email))
    return Lead(
        lead_id=lead_id,
        intent=draft.intent,
        contact=Contact(
            contact.name,
            contact.phone,
            contact.email,
            draft.location.model_dump(mode="json", exclude_none=True) if draft.location else None,
            draft.vehicle.model_dump(mode="json", exclude_none=True) if draft.vehicle else None,
        ),
        tokens=tuple(tokens),
        place=located.place,
        preferred_site_id=preferred_site,
        vehicle=vehicle,
        source=source,
        source_id_token=source_id_token(rules.pepper, draft.source_lead_id) if draft.source_lead_id else None,
        channel=draft.channel,
        campaign=campaign,
        consent_version=draft.consent.text_version,
        consent_at=draft.consent.given_at,
        received_at=received_at,
        client_time=client_time,
        traceparent=traceparent,
        remarks=tuple(remarks),
        place_candidates=located.candidates,
        question=question_of(draft.location, rules.places) if located.open and draft.location else None,
    )


def received_fact(lead: Lead, person_id: UUID) -> Fact[LeadReceived]:
    """The fact of an accepted lead; its id derives from the lead's, so publishing it twice repeats one fact."""
    return LEADS_RECEIVED.fact(
        LeadReceived(
            lead_id=lead.lead_id,
            person_id=person_id,
            intent=lead.intent,
            place=lead.place,
            preferred_site_id=lead.preferred_site_id,
            vehicle=lead.vehicle,
            source=lead.source,
            channel=lead.channel,
            campaign=lead.campaign,
            consent_version=lead.consent_version,
            consent_at=lead.consent_at,
            received_at=lead.received_at,
            client_time=lead.client_time,
        ),
        id=derived_id("received", lead.lead_id),
        source="lead_intake",
        subject=str(lead.lead_id),
        time=lead.received_at,
        traceparent=lead.traceparent,
    )


def time_ordered_id(now: datetime, random_bytes: bytes) -> UUID:
    """A UUID version 7 (RFC 9562, section 5.7) from 10 random bytes: ids of one moment lie together in an index."""
    number = int(now.timestamp() * 1000) << 80 | int.from_bytes(random_bytes, "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


def _contact(given: DraftContact, region: str, faults: list[Fault]) -> Contact:
    name = (tidy_name(given.name) or None) if given.name else None
    phone = email = None
    if given.phone is None and given.email is None:
        faults.append(Fault("/contact", "needs a phone or an e-mail address"))
    if given.phone is not None:
        try:
            phone = to_e164(given.phone, region)
        except ValueError as error:
            faults.append(Fault("/contact/phone", f"{error}; give it with its country code, such as +86"))
    if given.email is not None:
        try:
            email = to_address(given.email)
        except ValueError as error:
            faults.append(Fault("/contact/email", str(error)))
    return Contact(name, phone, email)


def _vehicle(given: DraftVehicle | None, remarks: list[Fault]) -> Vehicle | None:
    if given is None:
        return None
    brand = _public(given.brand, "/vehicle/brand", remarks)
    model = _public(given.model, "/vehicle/model", remarks)
    if brand is None and model is None and given.year is None:
        return None
    return Vehicle(brand=brand, model=model, year=given.year)


def _client_time(given: datetime | None, received_at: datetime, remarks: list[Fault]) -> datetime | None:
    # For information only: no lead is lost for a clock that nobody has set.
    if given is None or is_plausible(given, received_at):
        return given
    remarks.append(Fault("/client_time", "is not kept: it lies before the year 2000 or more than a day ahead"))
    return None


def _site(given: str | None, remarks: list[Fault]) -> str | None:
    if given is None or not holds_persons_number(given):
        return given
    remarks.append(Fault("/preferred_site", "is not kept: it is no site's id, but looks like a person's number"))
    return None


def _public(text: str | None, pointer: str, remarks: list[Fault]) -> str | None:
    """The text if it may be published. Else it stays sealed with the contact: no lead is lost for an odd model name."""
    if text is None:
        return None
    try:
        return _PUBLIC.validate_python(unicodedata.normalize("NFKC", text))
    except ValidationError:
        remarks.append(Fault(pointer, "is kept with the contact only: it may not be published in this form"))
        return None
