"""What every format's reader gives: per lead a draft, or what is wrong with it."""

from typing import TypeAlias

from services.lead_intake.draft import Draft
from services.lead_intake.faults import Refused

Item: TypeAlias = Draft | Refused
"""One lead of a body; the faults of one do not refuse the others."""


class Unreadable(Exception):  # noqa: N818 - it names a state
    """The body as a whole is not what its content type says; the text is safe to show."""
