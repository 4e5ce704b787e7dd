"""leads.answered and leads.due: what a site said of its assignment, or that a deadline passed."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.contract import Contract
from shared.vocabulary import Slug


class Result(StrEnum):
    """What became of an accepted lead."""

    WON = "won"
    LOST = "lost"
    UNREACHABLE = "unreachable"
    INVALID = "invalid"


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
