"""What is known of each lead of the play, built from the facts on the topics. Pure: no IO, no clock."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.contracts import (
    AttemptResult,
    Cause,
    ClosedReason,
    Decision,
    DeliveryAttempted,
    LeadAssigned,
    LeadClosed,
    LeadJoined,
    LeadWaiting,
    Lost,
)


@dataclass
class Journey:
    """One lead, from the form to the store."""

    lead_id: UUID
    number: int = 0
    """Its place in the play, from 1; 0 until the sender holds its 202."""
    file: str = ""
    intent: str = ""
    whence: str = ""
    """Where the lead comes from, in the sender's words."""
    epoch: int = 0
    state: str = "sent"
    site_id: str = ""
    distance_m: int | None = None
    why: str = ""
    moves: int = 0
    """How many sites handed it on, by a refusal or by silence."""
    received_at: datetime | None = None
    delivered_at: datetime | None = None
    """When the first attempt reached a store; None until then."""

    @property
    def settled(self) -> bool:
        """Nothing more will happen without somebody new: a store has it for good, it joined another, or it waits."""
        return self.state in {"accepted", "outcome", "joined", "waiting"}

    @property
    def placed(self) -> bool:
        """At a site, with the lead it joined, or waiting under a named reason."""
        return self.settled or (self.state == "held" and bool(self.site_id))

    @property
    def seconds(self) -> float | None:
        """From the form's receipt to the first store that was reached."""
        if self.received_at is None or self.delivered_at is None:
            return None
        return (self.delivered_at - self.received_at).total_seconds()


@dataclass
class Board:
    """All journeys by lead id. Facts may arrive before the sender has its 202, so either side may open an entry."""

    journeys: dict[UUID, Journey] = field(default_factory=dict)
    network_revision: int = 0
    """Newest that was announced since the watch began; 0: none."""
    policy_version: int = 0

    def sent(self, lead_id: UUID, number: int, file: str, intent: str, whence: str) -> Journey:
        """The sender holds a 202 for this lead."""
        journey = self.journeys.setdefault(lead_id, Journey(lead_id))
        journey.number, journey.file, journey.whence = number, file, whence
        journey.intent = journey.intent or intent
        return journey

    @property
    def played(self) -> list[Journey]:
        """The journeys of this play, in its order; a shared topic may carry others."""
        return sorted((each for each in self.journeys.values() if each.number), key=lambda each: each.number)

    def decided(self, decision: Decision) -> None:
        """Apply one decision; an older or repeated epoch changes nothing."""
        journey = self.journeys.setdefault(decision.lead_id, Journey(decision.lead_id))
        if decision.epoch <= journey.epoch:
            return
        journey.epoch = decision.epoch
        journey.received_at = decision.received_at
        journey.intent = decision.intent  # as the intake read it; the sender's word may be broader
        if decision.cause in {Cause.DECLINED, Cause.SILENT, Cause.UNDELIVERABLE}:
            journey.moves += 1
        match decision:
            case LeadAssigned():
                journey.state, journey.site_id = "held", decision.site_id
                journey.distance_m, journey.why = decision.distance_m, why_this_site(decision)
            case LeadWaiting():
                journey.state, journey.site_id, journey.distance_m = "waiting", "", None
                journey.why = decision.reason.replace("_", " ")
            case LeadJoined():
                journey.state, journey.site_id = "joined", decision.site_id or ""
                journey.why = "the same person's live lead"
            case LeadClosed():
                journey.state = decision.reason if decision.reason is not ClosedReason.OUTCOME else "outcome"
                journey.site_id = decision.site_id or journey.site_id

    def attempted(self, attempt: DeliveryAttempted) -> None:
        """Apply one delivery attempt; the first that reached a store ends the measured time."""
        journey = self.journeys.setdefault(attempt.lead_id, Journey(attempt.lead_id))
        if attempt.result is AttemptResult.DELIVERED and journey.delivered_at is None:
            journey.delivered_at = attempt.attempted_at


def why_this_site(decision: LeadAssigned) -> str:
    """One short reason for people; the decision itself holds every loser."""
    nearer = [candidate for candidate in decision.candidates if candidate.distance_m <= decision.distance_m]
    lost = {candidate.lost for candidate in nearer}
    if decision.cause is Cause.DECLINED:
        return "next, after a refusal"
    if decision.cause in {Cause.SILENT, Cause.UNDELIVERABLE}:
        return f"next, the first was {decision.cause}"
    if decision.preferred == "honoured":
        return "the person's own choice"
    if decision.preferred != "none":
        return f"nearest; choice {decision.preferred.replace('_', ' ')}"
    tied = {candidate.lost for candidate in decision.candidates} & {Lost.TIE_LOAD, Lost.TIE_HASH}
    if tied:
        return "equally near, fewer open leads" if Lost.TIE_LOAD in tied else "equally near, by lot"
    if Lost.FULL in lost:
        return "nearest with room"
    if Lost.NOT_IN_BUSINESS in lost:
        return "nearest still in business"
    if Lost.CLOSED_NOW in lost:
        return "nearest that is open"
    if any(candidate.detour_m for candidate in nearer if candidate.lost is Lost.FARTHER):
        return "nearest on this side of the water"
    return "nearest that can"
