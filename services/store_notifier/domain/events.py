"""What a site's or a partner's system is told of an assignment."""

from datetime import timedelta
from enum import StrEnum


class Event(StrEnum):
    """The last word but one of a webhook's type: `waypost.assignment.<event>.v1`."""

    CREATED = "created"
    REMINDER = "reminder"
    """The site has not answered, and its time is running out."""
    ESCALATED = "escalated"
    """The same, for the site's partner."""
    REVOKED = "revoked"
    """The lead is no longer the site's, which did not say so itself."""


class Revoked(StrEnum):
    """Why a site lost a lead that it did not decline."""

    SILENT = "silent"
    UNDELIVERABLE = "undeliverable"
    MOVED = "moved"
    CLOSED = "closed"
    """By an operator, with an outcome."""
    ERASED = "erased"


REVOKE_WITHIN = timedelta(minutes=15)
"""How long it is tried to tell a site what it lost. Its answer to that assignment is refused all the same."""
