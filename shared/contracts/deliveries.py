"""deliveries.attempted: one attempt to push an assignment to a site."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.contract import Contract
from shared.vocabulary import Slug


class AttemptResult(StrEnum):
    """How one attempt to push an assignment ended."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"
    GONE = "gone"
    BLOCKED = "blocked"
    VOID = "void"
    """What it was about was over before the attempt, so nothing was sent."""


class DeliveryAttempted(Contract):
    """One attempt to tell a site, or its partner, about an assignment of the site."""

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
    event: Literal["reminder", "escalated", "revoked", "escalation_ended"] | None = None
    """What was told; absent for the assignment itself. `escalated` and `escalation_ended` go to the site's partner."""
