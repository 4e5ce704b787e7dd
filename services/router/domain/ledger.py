"""What the ledger knows of a lead, what may happen to it, and what a decision hands back. Values only.

Ids are the canonical text of UUIDs (36 lower-case characters): the record is text and a batch has thousands of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from services.router.domain.queues import Waiter
from services.router.policy import Contracted
from services.router.vehicles import vehicle_name
from shared.contracts import (
    Answer,
    ClosedReason,
    LeadAnswered,
    LeadDue,
    LeadOrdered,
    LeadReceived,
    Order,
    Result,
    WaitingReason,
    WhyDistance,
)
from shared.vocabulary import Intent


class LeadState(StrEnum):
    """Where a lead stands (`router.leads.state`)."""

    WAITING = "waiting"
    HELD = "held"
    JOINED = "joined"
    CLOSED = "closed"


class LeadFeatures(NamedTuple):
    """What routing may know of a lead."""

    lead_id: str
    person_id: str
    intent: Intent
    point: tuple[float, float] | None
    """Latitude and longitude in WGS-84 degrees; None when nobody could say where."""
    preferred_site_id: str | None
    received_at: datetime
    vehicle: str = ""
    """The vehicle of interest as `vehicle_name` writes it; empty when none was named."""

    @classmethod
    def of(cls, lead: LeadReceived) -> "LeadFeatures":
        """The features of a received lead."""
        place, vehicle = lead.place, lead.vehicle
        return cls(
            str(lead.lead_id),
            str(lead.person_id),
            lead.intent,
            None if place is None else (place.lat, place.lon),
            lead.preferred_site_id,
            lead.received_at,
            "" if vehicle is None else vehicle_name(vehicle.brand, vehicle.model),
        )


class LeadLedger(NamedTuple):
    """The row of a lead after its last decision; `NEW` before the first."""

    epoch: int
    state: LeadState | None
    """None: nothing was decided yet (epoch 0)."""
    site_id: str | None = None
    """The holder; after `closed` the site that had it; of a joined lead the holder it joined."""
    assignment_epoch: int | None = None
    """Epoch in which `site_id` got the lead, which answers and deadlines must name; None when it never did."""
    respond_by: datetime | None = None
    """Set while held."""
    closed: ClosedReason | None = None
    excluded: tuple[str, ...] = ()
    """Sites that declined, stayed silent or could not be reached: this lead does not go back to them."""
    waiting: WaitingReason | None = None
    """Set while waiting."""


NEW = LeadLedger(0, None)


class LiveLead(NamedTuple):
    """Another lead of the same person in the same join group, as the ledger has it."""

    lead_id: str
    state: LeadState
    site_id: str | None
    closed: ClosedReason | None
    changed_at: datetime
    """When its last decision was taken: an accepted lead stays live for the policy's window from here."""


class Held(NamedTuple):
    """What sites have on their hands when a batch begins; a site that is absent has none."""

    loads: Mapping[str, int]
    """Leads that each site holds unanswered."""
    taken_today: Mapping[str, int] = {}
    """Leads given on the present day of the site's time zone, of sites with a daily limit."""
    given: Mapping[Contracted, int] = {}
    """Leads given this month, of partners with a share."""
    behind: Mapping[str, int] | None = None
    """In the past, decided again: what the record says of shares, by site id, instead of `given`."""
    queues: Mapping[str, Sequence[Waiter]] = {}
    """Leads that wait for sites which may have room for them, the oldest first."""
    ahead: Mapping[str, int] | None = None
    """In the past, decided again: how many the record says stood before its lead, by site id, instead of `queues`."""


class Received(NamedTuple):
    """`leads.received`."""

    fact_id: str


class Answered(NamedTuple):
    """`leads.answered`."""

    fact_id: str
    epoch: int
    site_id: str
    answer: Answer
    result: Result | None = None

    @classmethod
    def of(cls, fact_id: str, answered: LeadAnswered) -> "Answered":
        """The stimulus of an answer."""
        return cls(fact_id, answered.epoch, answered.site_id, answered.answer, answered.result)


class Due(NamedTuple):
    """`leads.due`."""

    fact_id: str
    epoch: int
    due: Literal["respond_by", "retry"]
    due_at: datetime

    @classmethod
    def of(cls, fact_id: str, due: LeadDue) -> "Due":
        """The stimulus of a deadline."""
        return cls(fact_id, due.epoch, due.due, due.due_at)


class Erased(NamedTuple):
    """`people.erased`; also right for a lead that is received after its person was erased (epoch 0)."""

    fact_id: str


class Ordered(NamedTuple):
    """`leads.ordered`."""

    fact_id: str
    epoch: int
    order: Order

    @classmethod
    def of(cls, fact_id: str, ordered: LeadOrdered) -> "Ordered":
        """The stimulus of an operator's order."""
        return cls(fact_id, ordered.epoch, ordered.order)


Stimulus = Received | Answered | Due | Erased | Ordered


class Travel(NamedTuple):
    """What an engine said of the ways from a lead to the sites near it, or why it said nothing."""

    seconds: Mapping[str, int | None]
    """By site id, whole seconds by road; None where the engine knows no way. Empty with `why_distance`."""
    why_distance: WhyDistance | None = None


class Served(NamedTuple):
    """The latest lead of one intent that a site accepted from the same person."""

    intent: Intent
    site_id: str
    at: datetime
    """When its last decision was taken."""


class Stay(NamedTuple):
    """The site that a rule of the policy wants the person to stay with; see `stay_with`."""

    rule: str
    site_id: str


class Ask(NamedTuple):
    """One thing that happened to one lead, with the ledger's row as it was read."""

    lead: LeadFeatures
    ledger: LeadLedger
    stimulus: Stimulus
    live: LiveLead | None = None
    """Used by `Received` only: the person's oldest live lead in the same join group, not this one."""
    travel: Travel | None = None
    """None: nobody was asked, and distance decides. Ignored by a policy that does not compare travel times."""
    stay: Stay | None = None
    """None: no rule of the policy applies."""


class StaleReason(StrEnum):
    """Why the ledger does not act."""

    ALREADY_RECEIVED = "already_received"
    UNKNOWN_LEAD = "unknown_lead"
    WRONG_EPOCH = "wrong_epoch"
    NOT_THE_HOLDER = "not_the_holder"
    NOT_HELD = "not_held"
    NOT_WAITING = "not_waiting"
    NOT_YET_DUE = "not_yet_due"
    ALREADY_CLOSED = "already_closed"
    NEEDS_PERSON = "needs_person"
    JOINS_ANOTHER = "joins_another"
    ALREADY_THERE = "already_there"
    NO_PLACE = "no_place"
    SITE_UNKNOWN = "site_unknown"
    SITE_NOT_OPEN = "site_not_open"
    SITE_INCAPABLE = "site_incapable"
    SITE_FULL = "site_full"


class Stale(NamedTuple):
    """The stimulus changes nothing: no decision, no epoch; count it by `reason`."""

    lead_id: str
    reason: StaleReason


class Decided(NamedTuple):
    """One decision, ready to be recorded and published."""

    lead_id: str
    epoch: int
    decision_id: str
    outcome: Literal["assigned", "waiting", "joined", "closed"]
    site_id: str | None
    """The site chosen (assigned), joined, or that had the lead (closed)."""
    after: LeadLedger
    """The lead's row once this is recorded."""
    deltas: tuple[tuple[str, int], ...]
    """Change of load (leads held) per site: -1 for the site that lets go, +1 for the site that takes."""
    respond_by: datetime | None
    """Assigned only."""
    waiting: WaitingReason | None
    joins_lead_id: str | None
    record: bytes
    """Canonical JSON of the decision: the `data` of `leads.decided`, byte for byte."""
    point: tuple[float, float] | None = None
    """Where the lead is from now on, when an operator said so."""
    retry_at: datetime | None = None
    """Waiting only: when it is tried again though nothing changed; None: only a change, or room, will help."""
    full: tuple[str, ...] = ()
    """Waiting only: sites that would take it if they held fewer leads, or fewer stood before it."""
    full_today: tuple[str, ...] = ()
    """Waiting only: sites that would take it on another day."""
