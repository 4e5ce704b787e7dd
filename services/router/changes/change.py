"""What a change is: a wish of somebody, kept whatever becomes of it."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What is changed."""

    POLICY = "policy"
    NETWORK = "network"
    TWO_PERSON = "two_person"
    """Whether a second operator must approve."""
    OPERATOR = "operator"
    """Who may change things."""


class State(StrEnum):
    """Where a change stands; the last three are ends."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    IN_EFFECT = "in_effect"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


OPEN = frozenset({State.PROPOSED, State.APPROVED})


class Change(NamedTuple):
    """One row, without its content, which may be a hundred thousand sites."""

    change_id: int
    kind: Kind
    digest: str
    """SHA-256 (hex) of the content."""
    base: int
    """Version or revision in effect when it was proposed."""
    restores: int | None
    """The older version or revision that it goes back to."""
    findings: tuple[str, ...]
    """What was known to be wanting when it was proposed or approved."""
    even_if_changed: bool
    """It may undo what took effect since its base."""
    proposed_by: str | None
    """None: without a key, which is enough where one person may change things."""
    proposed_at: datetime
    approved_by: str | None
    """None: one person was enough, or nobody has approved it yet."""
    approved_at: datetime | None
    takes_effect_at: datetime | None
    """None: as soon as it is approved."""
    state: State
    ended_at: datetime | None = None
    withdrawn_by: str | None = None
    refusal: str | None = None
    became: int | None = None
    """The version or the revision that it is."""
