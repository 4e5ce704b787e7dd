"""What a site's or a partner's system is told of an assignment."""

from datetime import timedelta
from enum import StrEnum


class Event(StrEnum):
    """What is told, as deliveries and their facts call it."""

    CREATED = "created"
    REMINDER = "reminder"
    """The site has not answered, and its time is running out."""
    ESCALATED = "escalated"
    """The same, for the site's partner."""
    REVOKED = "revoked"
    """The lead is no longer the site's, which did not say so itself."""
    ESCALATION_ENDED = "escalation_ended"
    """For the partner that was told of the silence: the assignment is over, one way or another."""

    @property
    def type(self) -> str:
        """The `type` of its CloudEvent."""
        return _TYPES.get(self, f"waypost.assignment.{self}.v1")


_TYPES = {Event.ESCALATION_ENDED: "waypost.escalation.ended.v1"}
ENDS = frozenset({Event.REVOKED, Event.ESCALATION_ENDED})
"""What is told because an assignment is over, and so however the lead stands by then."""


class Revoked(StrEnum):
    """Why a site lost a lead that it did not decline."""

    SILENT = "silent"
    UNDELIVERABLE = "undeliverable"
    MOVED = "moved"
    CLOSED = "closed"
    """By an operator, with an outcome."""
    ERASED = "erased"


class Over(StrEnum):
    """Why an assignment is over that a partner was told of."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    SILENT = "silent"
    UNDELIVERABLE = "undeliverable"
    MOVED = "moved"
    CLOSED = "closed"
    """With an outcome, without having been accepted before: mostly by an operator."""
    ERASED = "erased"


TELL_END_WITHIN = timedelta(minutes=15)
"""How long it is tried to tell of an end. What a site says of an assignment that it lost is refused all the same."""
