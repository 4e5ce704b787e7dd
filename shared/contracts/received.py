"""leads.received: a lead was accepted by the intake."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.contract import Contract
from shared.vocabulary import Accuracy, Channel, Datum, Intent, PublicText, Slug


class Place(Contract):
    """Where a lead is, in WGS-84 degrees rounded to 4 decimals (at most 8 m off): routing needs no more."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    accuracy: Accuracy
    given_datum: Datum
    adcode: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None


class Vehicle(Contract):
    """The vehicle of interest, as far as routing may know it (no VIN, no plate)."""

    brand: PublicText | None = None
    model: PublicText | None = None
    year: Annotated[int, Field(ge=1950, le=2100)] | None = None


class LeadReceived(Contract):
    """A lead was accepted: it is committed in PostgreSQL and its sender holds a 202."""

    lead_id: UUID
    person_id: UUID
    intent: Intent
    place: Place | None = None
    """None: nobody could say where; the router lets it wait as `location_unclear`."""
    preferred_site_id: Slug | None = None
    vehicle: Vehicle | None = None
    source: Slug
    channel: Channel
    campaign: PublicText | None = None
    consent_version: PublicText
    consent_at: AwareDatetime
    received_at: AwareDatetime
    client_time: AwareDatetime | None = None
    """The sender's clock, for information only: deadlines count from `received_at`."""
