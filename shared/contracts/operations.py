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
