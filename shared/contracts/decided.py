"""leads.decided: who holds a lead, or why nobody does, with everything that the decision saw."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.answered import Result
from shared.contracts.contract import Contract
from shared.contracts.ordered import Order
from shared.vocabulary import Intent, Slug


class Lost(StrEnum):
    """Why a candidate did not get the lead."""

    FARTHER = "farther"
    TIE_LOAD = "tie_load"
    TIE_HASH = "tie_hash"
    TIE_SHARE = "tie_share"
    """Equally near, but its partner is less far behind the share of its contract."""
    FULL = "full"
    FULL_TODAY = "full_today"
    """It has had all the leads that it takes on one day."""
    DECLINED = "declined"
    TOO_FAR = "too_far"
    KIND_NOT_ALLOWED = "kind_not_allowed"
    PARTNER_BARRED = "partner_barred"
    """The policy gives leads of this intent to no site of its partner."""
    NOT_PREFERRED = "not_preferred"
    """Eligible and nearer, but the person asked for another site."""
    SERVED_ELSEWHERE = "served_elsewhere"
    """Eligible and nearer, but the person stays with the site that served them before."""
    CLOSED_NOW = "closed_now"
    """Eligible and nearer, but closed at this hour while an open site is near enough."""
    NOT_IN_BUSINESS = "not_in_business"
    """Its first day has not come, or its last is over."""
    SLOWER = "slower"
    """Eligible, but it takes longer to get there; only when travel times decided."""
    NO_ROUTE = "no_route"
    """The engine that was asked for travel times knows no way there."""
    OUTSIDE_RADIUS = "outside_radius"
    """Farther than the lead was looked for: the policy looks near first, and somebody near may take it."""


class Measure(StrEnum):
    """What "nearest" meant in a decision whose policy compares travel times."""

    TRAVEL_TIME = "travel_time"
    DISTANCE_FALLBACK = "distance_fallback"
    """Times were wanted, but could not decide; `why_distance` says why."""


class WhyDistance(StrEnum):
    """Why distance decided where the policy wanted travel times."""

    NOT_CONFIGURED = "not_configured"
    """The router that decided has no engine to ask."""
    TIMEOUT = "timeout"
    """The engine did not answer in time."""
    UNAVAILABLE = "unavailable"
    """The engine could not be reached, said that it is broken, or is left alone for a while after such failures."""
    REFUSED = "refused"
    """The engine refused the question: its limits or its profile do not fit the settings."""
    UNREADABLE = "unreadable"
    """The answer was not what the engine's interface promises."""
    NO_ROUTE = "no_route"
    """The engine knows no way to any of the sites that were compared."""
    NONE_ELIGIBLE = "none_eligible"
    """No site with a known time could take the lead: the search went on among farther ones."""


class Candidate(Contract):
    """One site that was considered, with what was seen of it at that moment."""

    site_id: Slug
    distance_m: Annotated[int, Field(ge=0)]
    """In a straight line along the ground."""
    detour_m: Annotated[int, Field(gt=0)] | None = None
    """What the barriers between add to it; the order of candidates and the greatest distance count both."""
    travel_s: Annotated[int, Field(ge=0)] | None = None
    """By road, in seconds, as the engine said; only where travel times decided."""
    load: Annotated[int, Field(ge=0)]
    """Leads held open by the site (assigned, not yet answered) when the decision was taken."""
    taken_today: Annotated[int, Field(ge=0)] | None = None
    """Leads given to it before on the same day of its time zone; of sites with a daily limit only."""
    share_behind: int | None = None
    """What its partner would miss of its contractual share in the city this month, were this lead another's: in
    hundredths of a lead, below 0 when it is ahead. Only of equally near sites whose partner has a share there."""
    queue_ahead: Annotated[int, Field(gt=0)] | None = None
    """How many leads that were received before this one waited for it, where those were at least as many as it had free
    places: it was `full` for this lead. Absent wherever a queue decided nothing."""
    lost: Lost | None = None
    """None for the chosen site only."""


class WaitingReason(StrEnum):
    """Why nobody holds a lead; each is shown to operators, and all but the last are retried by themselves."""

    LOCATION_UNCLEAR = "location_unclear"
    NO_CAPABLE_SITE = "no_capable_site"
    TOO_FAR = "too_far"
    ALL_FULL = "all_full"
    ALL_DECLINED = "all_declined"
    NEEDS_PERSON = "needs_person"
    """The policy's tries are over: only an operator's order ends this wait."""


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
    ORDERED = "ordered"
    """An operator's order."""
    ERASED = "erased"


class Stay(Contract):
    """The policy wanted the person to stay with a site that served them before, and what came of it."""

    rule: Slug
    site_id: Slug
    verdict: Literal["honoured", "refused_unknown", "refused_incapable", "refused_unavailable"]
    """As `LeadAssigned.preferred`."""


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
    order: Order | None = None
    """What was ordered, when that is the cause. A place in it is where the lead is in all later decisions."""
    center_after: Annotated[int, Field(ge=1)] | None = None
    """So many sites had let the lead go that only delivery centers were considered."""
    stay: Stay | None = None
    """Absent when no rule applied, or the site that the person asked for has the lead."""
    radius_m: Annotated[int, Field(gt=0)] | None = None
    """How far a site was looked for, with detours; the intent's greatest distance once the radius is fully grown.
    Absent where the policy has no steps for the intent, or they decide nothing: a site named by the person, the policy
    or an operator, and the way back to a delivery center."""


class LeadAssigned(Decision):
    """The lead has a holder until `respond_by`."""

    outcome: Literal["assigned"] = "assigned"
    site_id: Slug
    distance_m: Annotated[int, Field(ge=0)]
    respond_by: AwareDatetime
    remind_at: AwareDatetime | None = None
    """When the site is reminded, if it has not answered by then."""
    escalate_at: AwareDatetime | None = None
    """When the site's partner is told, if it has not answered by then."""
    partner: Slug | None = None
    """Who runs the site; absent for the maker's own sites, and where the network does not say."""
    preferred: Literal["none", "honoured", "refused_unknown", "refused_incapable", "refused_unavailable"] = "none"
    candidates: tuple[Candidate, ...]
    """Nearest first; quickest first where travel times decided, and then all that were compared."""
    measure: Measure | None = None
    """Absent: the policy did not ask for travel times, or nothing hung on them (a preferred site, no site near)."""
    why_distance: WhyDistance | None = None


class LeadWaiting(Decision):
    """Nobody can take the lead now; it waits under a named reason."""

    outcome: Literal["waiting"] = "waiting"
    reason: WaitingReason
    retry_at: AwareDatetime | None = None
    """When it is tried again though nothing changed: a site's day is over, or it may be looked for farther away. Absent
    when only a change, or room, will help."""
    candidates: tuple[Candidate, ...] = ()
    measure: Measure | None = None
    why_distance: WhyDistance | None = None


class LeadJoined(Decision):
    """The same person has a live lead: this one joins it and nobody else calls."""

    outcome: Literal["joined"] = "joined"
    joins_lead_id: UUID
    site_id: Slug | None = None
    """Holder of the live lead, when it has one."""


class LeadClosed(Decision):
    """The hold is over: accepted for good, ended with an outcome, or erased."""

    outcome: Literal["closed"] = "closed"
    reason: ClosedReason
    site_id: Slug | None = None
    assignment_epoch: Annotated[int, Field(ge=1)] | None = None
    result: Result | None = None


LeadDecided = Annotated[LeadAssigned | LeadWaiting | LeadJoined | LeadClosed, Field(discriminator="outcome")]
