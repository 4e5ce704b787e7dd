"""network.changed, policies.published, people.erased and the dead letters: what operators and accidents cause."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.contract import Contract
from shared.vocabulary import Slug


class Attributed(Contract):
    """Who wanted a change of the network or the policy; all absent when it was made without an operator's key."""

    change_id: Annotated[int, Field(ge=1)] | None = None
    """Number of the change in the router's list of changes."""
    published_by: Slug | None = None
    """Name of the operator who proposed it."""
    approved_by: Slug | None = None
    """Name of the second operator, where two are needed."""


class NetworkChanged(Attributed):
    """A network revision took effect; routers swap their snapshot."""

    revision: Annotated[int, Field(ge=1)]
    digest: str
    """SHA-256 (hex) of the revision's canonical rows."""
    sites: Annotated[int, Field(ge=0)]
    added: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)]
    removed: Annotated[int, Field(ge=0)]
    changed_at: AwareDatetime


class PolicyPublished(Attributed):
    """A policy version took effect."""

    version: Annotated[int, Field(ge=1)]
    digest: str
    published_at: AwareDatetime


class PersonErased(Contract):
    """A person's contact and identity were deleted; their live leads are to be closed."""

    person_id: UUID
    lead_ids: tuple[UUID, ...]
    erased_at: AwareDatetime


Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*=*$")]


class DeadHeader(Contract):
    """A header of a dead record. Kafka promises UTF-8 for neither part."""

    name_base64: Base64
    value_base64: Base64 | None = None
    """Absent when the header has no value."""


class DeadReference(Contract):
    """Finds again, on the source topic, bytes that no dead letter can hold. Sizes are in bytes, unpacked."""

    value_bytes: Annotated[int, Field(ge=0)]
    key_bytes: Annotated[int, Field(ge=0)]
    header_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the value; of the batch as it is on the topic when `first_offset` is there."""
    first_offset: Annotated[int, Field(ge=0)] | None = None
    """Set for a batch that could not be unpacked: its records are those from here to the source offset, and
    `value_bytes` is what it takes on the topic."""


class RecordDead(Contract):
    """A record that can never be handled: kept whole, with the place it came from, and passed over."""

    source_topic: str
    source_partition: Annotated[int, Field(ge=0)]
    source_offset: Annotated[int, Field(ge=0)]
    consumer: Slug
    reason: Annotated[str, Field(max_length=500)]
    """What was wrong, without quoting the record."""
    raw_base64: str
    """The record's value; empty when it has none, or when `reference` is there. It never passed our contracts, so treat
    it (and key and headers) as personal data until it is read."""
    died_at: AwareDatetime
    raw_key_base64: Base64 | None = None
    """The record's key; absent when it has none, or is long and `reference` is there."""
    raw_headers: tuple[DeadHeader, ...] | None = None
    raw_is_null: bool | None = None
    """True for a record without a value (a tombstone)."""
    reference: DeadReference | None = None
    """Set when the bytes did not fit here."""
    consumer_version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+!-]{1,64}$")] | None = None
    """Version of Waypost that could not read it."""
    written_by: Slug | None = None
    """The service that it says it is from, when it has the envelope of our facts; absent: no version of Waypost wrote
    it."""
    written_at: AwareDatetime | None = None
    """Its time by Kafka."""
    is_unpublished: bool | None = None
    """True for a record of our own that was larger than its topic takes: it never was there, and the source offset
    means nothing."""
