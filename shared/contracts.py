"""Every fact that Waypost publishes, the topic that carries it, and the CloudEvents envelope around it.

Envelope: CloudEvents 1.0, structured JSON mode (https://github.com/cloudevents/spec, v1.0.2), `traceparent` as the
distributed-tracing extension. No fact carries personal data: a person is a random `person_id`, a place is rounded.

Contracts only grow. Writing is strict (unknown fields are refused); reading is tolerant (`Topic.read`).
A breaking change is a new type and a new topic. `tests/golden/` holds one JSON per fact that is never edited.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from shared.vocabulary import Accuracy, Channel, Datum, Intent, PublicText, Slug

CLOUDEVENTS_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class Contract(BaseModel):
    """A frozen value that refuses unknown fields when it is built by us."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# -- leads.received ---------------------------------------------------------------------------------------------------


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


# -- leads.decided ----------------------------------------------------------------------------------------------------


class Lost(StrEnum):
    """Why a candidate did not get the lead."""

    FARTHER = "farther"
    TIE_LOAD = "tie_load"
    TIE_HASH = "tie_hash"
    FULL = "full"
    DECLINED = "declined"
    TOO_FAR = "too_far"
    KIND_NOT_ALLOWED = "kind_not_allowed"


class Candidate(Contract):
    """One site that was considered, with what was seen of it at that moment."""

    site_id: Slug
    distance_m: Annotated[int, Field(ge=0)]
    load: Annotated[int, Field(ge=0)]
    """Leads held open by the site (assigned, not yet answered) when the decision was taken."""
    lost: Lost | None = None
    """None for the chosen site only."""


class WaitingReason(StrEnum):
    """Why nobody holds a lead; each is shown to operators and retried when the network or the policy changes."""

    LOCATION_UNCLEAR = "location_unclear"
    NO_CAPABLE_SITE = "no_capable_site"
    TOO_FAR = "too_far"
    ALL_FULL = "all_full"
    ALL_DECLINED = "all_declined"


class ClosedReason(StrEnum):
    """Why a lead needs no site any more, or who keeps it for good."""

    ACCEPTED = "accepted"
    OUTCOME = "outcome"
    ERASED = "erased"


class Cause(StrEnum):
    """What started this epoch."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    OUTCOME = "outcome"
    SILENT = "silent"
    UNDELIVERABLE = "undeliverable"
    RETRIED = "retried"
    ERASED = "erased"


class Decision(Contract):
    """What every decision says, whatever it decides; `epoch` counts the decisions of one lead from 1."""

    decision_id: UUID
    lead_id: UUID
    epoch: Annotated[int, Field(ge=1)]
    person_id: UUID
    intent: Intent
    cause: Cause
    cause_id: UUID
    """Id of the fact that caused it."""
    received_at: AwareDatetime
    decided_at: AwareDatetime
    network_revision: Annotated[int, Field(ge=0)]
    policy_version: Annotated[int, Field(ge=1)]
    engine_version: str


class LeadAssigned(Decision):
    """The lead has a holder until `respond_by`."""

    outcome: Literal["assigned"] = "assigned"
    site_id: Slug
    distance_m: Annotated[int, Field(ge=0)]
    respond_by: AwareDatetime
    preferred: Literal["none", "honoured", "refused_unknown", "refused_incapable", "refused_unavailable"] = "none"
    candidates: tuple[Candidate, ...]


class LeadWaiting(Decision):
    """Nobody can take the lead now; it waits under a named reason."""

    outcome: Literal["waiting"] = "waiting"
    reason: WaitingReason
    candidates: tuple[Candidate, ...] = ()


class LeadJoined(Decision):
    """The same person has a live lead: this one joins it and nobody else calls."""

    outcome: Literal["joined"] = "joined"
    joins_lead_id: UUID
    site_id: Slug | None = None
    """Holder of the live lead, when it has one."""


class Result(StrEnum):
    """What became of an accepted lead."""

    WON = "won"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"


class LeadClosed(Decision):
    """The hold is over: accepted for good, ended with an outcome, or erased."""

    outcome: Literal["closed"] = "closed"
    reason: ClosedReason
    site_id: Slug | None = None
    assignment_epoch: Annotated[int, Field(ge=1)] | None = None
    result: Result | None = None


LeadDecided = Annotated[LeadAssigned | LeadWaiting | LeadJoined | LeadClosed, Field(discriminator="outcome")]


# -- leads.answered, leads.due ----------------------------------------------------------------------------------------


class Answer(StrEnum):
    """What a site says about the assignment that it was given."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    OUTCOME = "outcome"
    UNDELIVERABLE = "undeliverable"
    """Said by the notifier for a site whose every channel failed for good."""


class DeclineReason(StrEnum):
    """A closed list: free text could hold personal data."""

    NO_STAFF = "no_staff"
    NO_VEHICLE = "no_vehicle"
    TOO_FAR = "too_far"
    NOT_OUR_WORK = "not_our_work"
    OTHER = "other"


class LeadAnswered(Contract):
    """A site answered the assignment of one epoch."""

    lead_id: UUID
    epoch: Annotated[int, Field(ge=1)]
    """Epoch of the assignment that is answered."""
    site_id: Slug
    answer: Answer
    decline_reason: DeclineReason | None = None
    result: Result | None = None
    """Set for `outcome` only."""
    answered_at: AwareDatetime
    via: Literal["webhook", "inbox", "notifier"]


class LeadDue(Contract):
    """A deadline passed, or a waiting lead may be tried again; the ledger decides what it means."""

    lead_id: UUID
    epoch: Annotated[int, Field(ge=1)]
    due: Literal["respond_by", "retry"]
    due_at: AwareDatetime


# -- deliveries.attempted ---------------------------------------------------------------------------------------------


class AttemptResult(StrEnum):
    """How one attempt to push an assignment ended."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"
    GONE = "gone"
    BLOCKED = "blocked"
    VOID = "void"
    """The assignment was over before the attempt, so nothing was sent."""


class DeliveryAttempted(Contract):
    """One attempt to tell a site about an assignment."""

    delivery_id: UUID
    lead_id: UUID
    epoch: Annotated[int, Field(ge=1)]
    site_id: Slug
    endpoint_id: UUID
    channel: Literal["webhook", "inbox"]
    attempt: Annotated[int, Field(ge=1)]
    result: AttemptResult
    status_code: Annotated[int, Field(ge=100, le=599)] | None = None
    took_ms: Annotated[int, Field(ge=0)]
    attempted_at: AwareDatetime
    next_attempt_at: AwareDatetime | None = None


# -- network.changed, policies.published, people.erased, *.dead -------------------------------------------------------


class NetworkChanged(Contract):
    """A network revision took effect; routers swap their snapshot."""

    revision: Annotated[int, Field(ge=1)]
    digest: str
    """SHA-256 (hex) of the revision's canonical rows."""
    sites: Annotated[int, Field(ge=0)]
    added: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)]
    removed: Annotated[int, Field(ge=0)]
    changed_at: AwareDatetime


class PolicyPublished(Contract):
    """A policy version took effect."""

    version: Annotated[int, Field(ge=1)]
    digest: str
    published_at: AwareDatetime


class PersonErased(Contract):
    """A person's contact and identity were deleted; their live leads are to be closed."""

    person_id: UUID
    lead_ids: tuple[UUID, ...]
    erased_at: AwareDatetime


class RecordDead(Contract):
    """A record that can never be handled: kept whole, with the place it came from, and passed over."""

    source_topic: str
    source_partition: Annotated[int, Field(ge=0)]
    source_offset: Annotated[int, Field(ge=0)]
    consumer: Slug
    reason: Annotated[str, Field(max_length=500)]
    """What was wrong, without quoting the record."""
    raw_base64: str
    """The record's value. It never passed our contracts, so treat it as personal data until it is read."""
    died_at: AwareDatetime


# -- envelope and topics ----------------------------------------------------------------------------------------------

DataT = TypeVar("DataT")


class Fact(BaseModel, Generic[DataT]):
    """A CloudEvents 1.0 envelope around one fact; `time` is when it happened by the server's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None
    data: DataT

    def to_bytes(self) -> bytes:
        """The record value: absent attributes are left out, as CloudEvents requires."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)


@dataclass(frozen=True)
class Topic(Generic[DataT]):
    """A topic, the fact that it carries, and how Kafka keeps it."""

    name: str
    type: str
    """CloudEvents type of every record; its last part is the version."""
    envelope: TypeAdapter[Fact[DataT]]
    key: str
    """What the record key is; all records of one key are in one partition, in order."""
    partitions: int = 12
    """Up to as many processes of one service share the work; changing it later moves keys."""
    retention_days: int | None = 400
    """400 days cover a yearly audit; None keeps records for ever."""
    cleanup: Literal["delete", "compact"] = "delete"

    @property
    def dead(self) -> str:
        """Name of this topic's dead-letter topic."""
        return f"{self.name}.dead"

    def read(self, raw: bytes) -> Fact[DataT]:
        """The fact in a record value. Unknown fields are dropped: an older reader survives a newer writer.

        Raises ValueError when the bytes are no such fact (pydantic's error, or an unknown type or version).
        """
        fact = self.envelope.validate_json(raw, extra="ignore")
        if fact.type != self.type:
            raise ValueError(f"the record's type is not {self.type}")
        return fact

    def fact(
        self,
        data: DataT,
        *,
        id: UUID,  # noqa: A002 - CloudEvents' own name
        source: str,
        subject: str,
        time: datetime,
        traceparent: str | None = None,
    ) -> Fact[DataT]:
        """Wrap `data` for this topic; `source` is a service name, `subject` the id of what the fact is about."""
        return Fact[DataT](
            id=id,
            source=f"/waypost/{source}",
            type=self.type,
            subject=subject,
            time=time,
            traceparent=traceparent,
            data=data,
        )


LEADS_RECEIVED = Topic("leads.received", "waypost.leads.received.v1", TypeAdapter(Fact[LeadReceived]), "lead_id")
LEADS_DECIDED = Topic("leads.decided", "waypost.leads.decided.v1", TypeAdapter(Fact[LeadDecided]), "lead_id")
LEADS_ANSWERED = Topic("leads.answered", "waypost.leads.answered.v1", TypeAdapter(Fact[LeadAnswered]), "lead_id")
LEADS_DUE = Topic("leads.due", "waypost.leads.due.v1", TypeAdapter(Fact[LeadDue]), "lead_id")
DELIVERIES_ATTEMPTED = Topic(
    "deliveries.attempted", "waypost.deliveries.attempted.v1", TypeAdapter(Fact[DeliveryAttempted]), "lead_id"
)
NETWORK_CHANGED = Topic(
    "network.changed",
    "waypost.network.changed.v1",
    TypeAdapter(Fact[NetworkChanged]),
    "the word network",
    partitions=1,
    retention_days=None,
)
POLICIES_PUBLISHED = Topic(
    "policies.published",
    "waypost.policies.published.v1",
    TypeAdapter(Fact[PolicyPublished]),
    "the word policy",
    partitions=1,
    retention_days=None,
)
PEOPLE_ERASED = Topic(
    "people.erased",
    "waypost.people.erased.v1",
    TypeAdapter(Fact[PersonErased]),
    "person_id",
    partitions=1,
    retention_days=None,
)

TOPICS: tuple[Topic[Any], ...] = (
    LEADS_RECEIVED,
    LEADS_DECIDED,
    LEADS_ANSWERED,
    LEADS_DUE,
    DELIVERIES_ATTEMPTED,
    NETWORK_CHANGED,
    POLICIES_PUBLISHED,
    PEOPLE_ERASED,
)

DEAD_LETTERS: dict[str, Topic[RecordDead]] = {
    topic.name: Topic(
        topic.dead,
        "waypost.record.dead.v1",
        TypeAdapter(Fact[RecordDead]),
        "the key of the dead record",
        partitions=1,
    )
    for topic in TOPICS
}
"""The dead-letter topic of every topic, by the name of the topic it serves."""

NAMESPACE = UUID("6f0d3c1e-6c5b-5f0e-9f43-776179706f73")
"""Root of every derived id (`uuid5`). Changing it would give redelivered facts new ids."""


def derived_id(*cause: object) -> UUID:
    """The id of what `cause` brings about: the same cause always gives the same id, so redelivery repeats a fact."""
    return uuid5(NAMESPACE, ":".join(str(part) for part in cause))
