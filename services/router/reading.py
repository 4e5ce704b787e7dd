"""Raw records to what happened to which lead. A record that is no fact of its topic is set aside with the reason."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.router.domain import Answered, Due, Erased, LeadFeatures, Ordered, Received, Stimulus
from services.router.vehicles import vehicle_name
from shared.contracts import LEADS_ANSWERED, LEADS_DUE, LEADS_ORDERED, LEADS_RECEIVED, PEOPLE_ERASED
from shared.kafka import Record
from shared.tracing import is_traceparent
from shared.vocabulary import Intent, Slug


class Arrival(NamedTuple):
    """One thing that happened to one lead."""

    topic: str
    lead_id: str
    stimulus: Stimulus
    traceparent: str | None
    received: LeadFeatures | None = None
    """Set for leads.received."""
    person_id: str | None = None
    """Set for leads.received and people.erased."""
    at: datetime | None = None
    """When it happened, as its fact says: what is decided because of it is not decided before."""


class Reading(NamedTuple):
    """A batch, read."""

    arrivals: list[Arrival]
    dead: list[tuple[Record, str]]
    """Records that can never be handled, with a reason that quotes nothing of them."""


def read(records: Sequence[Record]) -> Reading:
    """Read every record on its own: a bad one does not keep its neighbours."""
    arrivals: list[Arrival] = []
    dead: list[tuple[Record, str]] = []
    for record in records:
        try:
            arrivals += _READERS[record.topic](record.value)
        except ValidationError as error:
            dead.append((record, _reason(error)))
        except OverflowError:
            dead.append((record, "a time that no calendar has"))
        except ValueError as error:
            dead.append((record, str(error)))
    return Reading(arrivals, dead)


UuidText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Point(_Read):
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class _Vehicle(_Read):
    brand: str | None = None
    model: str | None = None


class _Lead(_Read):
    lead_id: UuidText
    person_id: UuidText
    intent: Intent
    received_at: AwareDatetime
    place: _Point | None = None
    preferred_site_id: Slug | None = None
    vehicle: _Vehicle | None = None


class _LeadFact(_Read):
    """The part of leads.received that routing uses. The whole of it costs three times as much to read, for nothing."""

    id: UuidText
    type: Literal["waypost.leads.received.v1"]
    traceparent: str | None = None
    data: _Lead


def _received(raw: bytes) -> list[Arrival]:
    fact = _LeadFact.model_validate_json(raw)
    lead = fact.data
    point = None if lead.place is None else (lead.place.lat, lead.place.lon)
    # In UTC proper, once: every use of it in a zone of another kind would convert it anew.
    received_at = lead.received_at.astimezone(UTC)
    vehicle = "" if lead.vehicle is None else vehicle_name(lead.vehicle.brand, lead.vehicle.model)
    features = LeadFeatures(
        lead.lead_id, lead.person_id, lead.intent, point, lead.preferred_site_id, received_at, vehicle
    )
    trace = _trace(fact.traceparent)
    return [Arrival(LEADS_RECEIVED.name, lead.lead_id, Received(fact.id), trace, features, lead.person_id, received_at)]


def _answered(raw: bytes) -> list[Arrival]:
    fact = LEADS_ANSWERED.read(raw)
    answered = Answered.of(str(fact.id), fact.data)
    return [Arrival(LEADS_ANSWERED.name, str(fact.data.lead_id), answered, _trace(fact.traceparent), at=fact.time)]


def _due(raw: bytes) -> list[Arrival]:
    fact = LEADS_DUE.read(raw)
    due = Due.of(str(fact.id), fact.data)
    return [Arrival(LEADS_DUE.name, str(fact.data.lead_id), due, _trace(fact.traceparent), at=fact.time)]


def _ordered(raw: bytes) -> list[Arrival]:
    fact = LEADS_ORDERED.read(raw)
    ordered = Ordered.of(str(fact.id), fact.data)
    return [Arrival(LEADS_ORDERED.name, str(fact.data.lead_id), ordered, _trace(fact.traceparent), at=fact.time)]


def _erased(raw: bytes) -> list[Arrival]:
    fact = PEOPLE_ERASED.read(raw)
    erased, person_id = Erased(str(fact.id)), str(fact.data.person_id)
    return [
        Arrival(PEOPLE_ERASED.name, str(lead_id), erased, _trace(fact.traceparent), person_id=person_id, at=fact.time)
        for lead_id in sorted(fact.data.lead_ids)
    ]


_READERS = {
    LEADS_RECEIVED.name: _received,
    LEADS_ANSWERED.name: _answered,
    LEADS_DUE.name: _due,
    LEADS_ORDERED.name: _ordered,
    PEOPLE_ERASED.name: _erased,
}
TOPICS_READ = (LEADS_RECEIVED, LEADS_ANSWERED, LEADS_DUE, LEADS_ORDERED, PEOPLE_ERASED)
"""What one consumer group reads, so that everything about a lead is decided in one place."""


def _reason(error: ValidationError) -> str:
    # Where and what kind only: pydantic's messages and inputs quote the record.
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'record'}: {fault['type']}" for fault in faults[:5]
    )


def _trace(traceparent: str | None) -> str | None:
    # Anything may stand there; only what is a trace context is kept and carried on.
    return traceparent if is_traceparent(traceparent) else None
