"""The ledger as plain loops: what docs/network.md and docs/waiting.md say, one sentence after the other.

It shares values with the engine, and no code. Nothing is counted ahead: what a site holds is found by looking at every
lead, what it was given today by looking at every assignment that ever was. Single choices are the plain router's.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from services.router.domain import Answered, Due, Erased, LeadFeatures, Ordered, Travel
from services.router.policy import Policy
from services.router.reading import Arrival
from services.router.sites import Schedule
from services.router.snapshot import Site
from shared.contracts import Answer
from tests.services.router.plain_router import Pick, plain_choice, plain_refusal

TravelOf = Callable[[str, tuple[float, float]], Travel]
"""The travel times of a lead from a point."""
UTC_OFFSET_H = {"Asia/Shanghai": 8, "Asia/Urumqi": 6}
DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]


@dataclass(frozen=True)
class Said:
    """One decision, as far as anybody outside can tell it from another."""

    lead_id: str
    epoch: int
    outcome: str
    site_id: str | None = None
    waiting: str | None = None
    retry_at: datetime | None = None
    respond_by: datetime | None = None
    joins: str | None = None
    closed: str | None = None


@dataclass
class PlainLead:
    """Where a lead stands."""

    features: LeadFeatures
    epoch: int = 0
    state: str = "new"
    site_id: str | None = None
    given_in: int | None = None
    """The epoch in which `site_id` got it."""
    respond_by: datetime | None = None
    closed: str | None = None
    waiting: str | None = None
    waits_for: frozenset[str] = frozenset()
    """Sites with a limit that would have it if they had room, by its last decision or the last change since."""
    tried: list[str] = field(default_factory=list)
    """Sites that declined it, were silent or could not be reached."""
    changed_at: datetime | None = None
    done: set[str] = field(default_factory=set)
    """Facts that have had their effect: delivered again, they have none."""


@dataclass(frozen=True)
class Given:
    """A lead was given to a site."""

    site_id: str
    at: datetime
    day: date | None
    """The site's own day then; None when it had no daily limit then."""
    partner: str
    """Who runs the site, when a contract in effect then gave that partner a share; else empty."""


class PlainLedger:
    """One installation: `poll` handles what a router is handed at once."""

    def __init__(self) -> None:
        self.leads: dict[str, PlainLead] = {}
        self.given: list[Given] = []
        self._last_of: dict[tuple[str, str], str] = {}
        """By person and join group: the latest lead that joined no other."""
        self._erased_early: dict[str, str] = {}
        self._queued_network: Sequence[Site] | None = None
        self._queued_for: tuple[Policy, datetime | None] | None = None

    def poll(
        self, facts: Sequence[Arrival], network: Sequence[Site], rules: Policy, now: datetime, travel_of: TravelOf
    ) -> tuple[list[Said], Counter[str]]:
        """What is decided, in order, and how many facts changed nothing, by reason."""
        self._network, self._rules, self._now, self._travel_of = network, rules, now, travel_of
        self._queue_again()
        self._placed: set[str] = set()
        # What a site accepts in this poll makes nobody stay with it before the next.
        self._past = [(lead.features, lead.site_id, lead.changed_at) for lead in self.leads.values() if _served(lead)]
        done = {lead_id: set(lead.done) for lead_id, lead in self.leads.items()}
        arriving = {fact.lead_id: fact.received for fact in facts if fact.received and fact.lead_id not in done}
        erasures = dict(self._erased_early)
        erasures |= {fact.lead_id: fact.stimulus.fact_id for fact in facts if isinstance(fact.stimulus, Erased)}
        decided: list[Said] = []
        stale: Counter[str] = Counter()
        ours: list[tuple[datetime, Arrival]] = []
        for fact in facts:
            if fact.lead_id in done:
                if not fact.received and fact.stimulus.fact_id not in done[fact.lead_id]:
                    ours.append((self.leads[fact.lead_id].features.received_at, fact))
            elif fact.lead_id in arriving:
                # The erasure of a lead that arrives in this poll is what becomes of the lead.
                if not isinstance(fact.stimulus, Erased):
                    ours.append((arriving[fact.lead_id].received_at, fact))
            elif isinstance(fact.stimulus, Erased):
                self._erased_early.setdefault(fact.lead_id, fact.stimulus.fact_id)
            else:
                stale["unknown_lead"] += 1
        for _, fact in sorted(ours, key=lambda one: one[0]):
            cause = fact.stimulus.fact_id
            if fact.received is not None:
                lead = self.leads.setdefault(fact.lead_id, PlainLead(fact.received))
                cause = erasures.get(fact.lead_id, cause)
                answer = self._erase(lead) if fact.lead_id in erasures else self._arrive(lead)
            elif fact.lead_id not in self.leads:
                answer = "unknown_lead"
            else:
                lead = self.leads[fact.lead_id]
                answer = self._happens(lead, fact)
            if isinstance(answer, Said):
                lead.done.add(cause)
                decided.append(answer)
            else:
                stale[answer] += 1
        return decided, stale

    def holds(self, site_id: str) -> int:
        """Leads that the site holds unanswered."""
        return sum(lead.state == "held" and lead.site_id == site_id for lead in self.leads.values())

    def taken_today(self, site: Site, now: datetime) -> int:
        """Leads that the site was given on its present day, whatever became of them, since it has a daily limit."""
        return sum(one.site_id == site.site_id and one.day == _local_day(site, now) for one in self.given)

    def given_this_month(self, now: datetime) -> Counter[str]:
        """Leads that partners with a share were given in this month of Asia/Shanghai, by partner."""
        month = _shanghai(now).replace(day=1)
        return Counter(one.partner for one in self.given if one.partner and _shanghai(one.at).replace(day=1) == month)

    def _happens(self, lead: PlainLead, fact: Arrival) -> Said | str:
        stimulus = fact.stimulus
        if isinstance(stimulus, Answered):
            return self._answer(lead, stimulus)
        if isinstance(stimulus, Due):
            return self._due(lead, stimulus)
        if isinstance(stimulus, Ordered):
            return self._order(lead, stimulus)
        return self._erase(lead) if isinstance(stimulus, Erased) else "already_received"

    def _arrive(self, lead: PlainLead) -> Said | str:
        if lead.epoch:
            return "already_received"
        person, intent = lead.features.person_id, lead.features.intent
        for group, intents in self._rules.join.groups.items():
            if intent not in intents:
                continue
            other = self.leads.get(self._last_of.get((person, group), ""))
            if other is not None and self._is_live(other):
                lead.epoch, lead.state, lead.site_id = 1, "joined", other.site_id
                return Said(lead.features.lead_id, 1, "joined", other.site_id, joins=other.features.lead_id)
            self._last_of[person, group] = lead.features.lead_id
        return self._route(lead)

    def _is_live(self, lead: PlainLead) -> bool:
        if lead.closed == "accepted" and lead.changed_at is not None:
            return self._now - lead.changed_at <= timedelta(hours=self._rules.join.window_hours)
        return lead.state in ("waiting", "held")

    def _answer(self, lead: PlainLead, said: Answered) -> Said | str:
        if lead.state != "held" and lead.closed != "accepted":
            return "already_closed" if lead.state == "closed" else "not_held"
        if said.epoch != lead.given_in:
            return "wrong_epoch"
        if said.site_id != lead.site_id:
            return "not_the_holder"
        if said.answer is Answer.OUTCOME:
            return self._close(lead, "outcome")
        if lead.state != "held":
            return "already_closed"
        return self._close(lead, "accepted") if said.answer is Answer.ACCEPTED else self._try_another(lead)

    def _due(self, lead: PlainLead, due: Due) -> Said | str:
        if lead.state == "closed":
            return "already_closed"
        if due.due == "retry":
            if lead.state != "waiting":
                return "not_waiting"
            if lead.waiting == "needs_person":
                return "needs_person"
            return self._route(lead) if due.epoch == lead.epoch else "wrong_epoch"
        if lead.state != "held":
            return "not_held"
        if due.epoch != lead.given_in:
            return "wrong_epoch"
        if lead.respond_by is not None and due.due_at < lead.respond_by:
            return "not_yet_due"
        return self._try_another(lead)

    def _order(self, lead: PlainLead, ordered: Ordered) -> Said | str:
        order = ordered.order
        if lead.state == "joined":
            return "joins_another"
        if lead.state == "closed" and not (order.result is not None and lead.closed == "accepted"):
            return "already_closed"
        if ordered.epoch != lead.epoch:
            return "wrong_epoch"
        if order.result is not None:
            return self._close(lead, "outcome")
        if lead.state == "held" and order.site_id == lead.site_id:
            return "already_there"
        if lead.state == "held" and order.site_id is None and order.place is None:
            return "not_waiting"
        there = lead.features
        if order.place is not None:
            there = there._replace(point=(order.place.lat, order.place.lon))
        if there.point is None:
            return "no_place"
        if order.site_id is not None:
            refused = plain_refusal(
                order.site_id, there, self._network, self._rules, self._loads(),
                taken_today=self._taken(), now=self._now,
            )  # fmt: skip
            if refused:
                return refused
        lead.features, lead.state = there, "moving"
        if order.place is not None:
            # Nobody asked how long the way from there takes.
            self._placed.add(there.lead_id)
        return self._route(lead, by_order=True) if order.site_id is None else self._give(lead, order.site_id)

    def _erase(self, lead: PlainLead) -> Said | str:
        return "already_closed" if lead.closed in ("outcome", "erased") else self._close(lead, "erased")

    def _try_another(self, lead: PlainLead) -> Said:
        if lead.site_id is not None and lead.site_id not in lead.tried:
            lead.tried.append(lead.site_id)
        lead.state = "moving"
        return self._route(lead)

    def _route(self, lead: PlainLead, *, by_order: bool = False) -> Said:
        features, travel = lead.features, None
        if self._rules.travel.candidates and features.point is not None and features.lead_id not in self._placed:
            travel = self._travel_of(features.lead_id, features.point)
        pick = plain_choice(
            features, self._network, self._rules, self._loads(), lead.tried, travel,
            by_order=by_order, taken_today=self._taken(), stays_with=self._stays_with(features),
            given=self.given_this_month(self._now), now=self._now, ahead=self._ahead(features),
        )  # fmt: skip
        return self._wait(lead, pick) if pick.site_id is None else self._give(lead, pick.site_id)

    def _stays_with(self, features: LeadFeatures) -> str | None:
        for rule in self._rules.stay:
            since = self._now - timedelta(days=rule.within_days)
            past = [
                (at, site_id)
                for served, site_id, at in self._past
                if served.person_id == features.person_id and served.intent in rule.after
                if at is not None and at >= since and site_id is not None
            ]
            if features.intent in rule.intents and past:
                return max(past)[1]
        return None

    def _give(self, lead: PlainLead, site_id: str) -> Said:
        [site] = [site for site in self._network if site.site_id == site_id]
        due = [share.partners for share in self._rules.shares if share.city.lower() == site.city.lower()]
        partner = site.offering.partner
        has_share = any(partner in partners for partners in due)
        day = None if site.daily_lead_limit is None else _local_day(site, self._now)
        self.given.append(Given(site_id, self._now, day, partner if has_share else ""))
        minutes = self._rules.intents[lead.features.intent].respond_by_minutes
        self._next(lead, "held", site_id=site_id, respond_by=_after_open_minutes(site, self._now, minutes))
        lead.given_in = lead.epoch
        return Said(lead.features.lead_id, lead.epoch, "assigned", site_id, respond_by=lead.respond_by)

    def _wait(self, lead: PlainLead, pick: Pick) -> Said:
        self._next(lead, "waiting", waiting=pick.waiting)
        lead.waits_for = self._limited(pick)
        lead.given_in = None
        midnights = [_midnight(site, self._now) for site in self._network if site.site_id in pick.full_today]
        retry_at = min(midnights if pick.grows_at is None else [*midnights, pick.grows_at], default=None)
        return Said(lead.features.lead_id, lead.epoch, "waiting", waiting=pick.waiting, retry_at=retry_at)

    def _close(self, lead: PlainLead, why: str) -> Said:
        # A joined lead names the site of the lead that it joined: it never was that site's own.
        site_id = None if lead.given_in is None else lead.site_id
        self._next(lead, "closed", site_id=site_id, closed=why)
        return Said(lead.features.lead_id, lead.epoch, "closed", site_id, closed=why)

    def _next(
        self,
        lead: PlainLead,
        state: str,
        *,
        site_id: str | None = None,
        respond_by: datetime | None = None,
        waiting: str | None = None,
        closed: str | None = None,
    ) -> None:
        lead.epoch, lead.state, lead.changed_at = lead.epoch + 1, state, self._now
        lead.site_id, lead.respond_by, lead.waiting, lead.closed = site_id, respond_by, waiting, closed

    def _ahead(self, features: LeadFeatures) -> Counter[str]:
        """How many leads that were received before this one wait for each site."""
        return Counter(
            site_id
            for other in self.leads.values()
            if other.state == "waiting" and _age(other.features) < _age(features)
            for site_id in other.waits_for
        )

    def _queue_again(self) -> None:
        """Where another network, policy or opening may have other sites that would take a waiting lead."""
        openings = [Schedule(site.working_time).opened_at for site in self._network]
        opening = max((at for at in openings if at is not None and at <= self._now), default=None)
        # Another revision is another list, whatever is in it.
        if self._queued_network is self._network and self._queued_for == (self._rules, opening):
            return
        self._queued_network, self._queued_for = self._network, (self._rules, opening)
        everybody_full = {site.site_id: 1_000 for site in self._network}
        limits = [replace(site, open_lead_limit=site.open_lead_limit or 1) for site in self._network]
        for lead in self.leads.values():
            if lead.state == "waiting" and lead.waiting != "needs_person":
                pick = plain_choice(lead.features, limits, self._rules, everybody_full, lead.tried, now=self._now)
                lead.waits_for = self._limited(pick)

    def _limited(self, pick: Pick) -> frozenset[str]:
        can_be_full = {s.site_id for s in self._network if s.open_lead_limit or s.daily_lead_limit}
        return frozenset() if pick.waiting == "needs_person" else pick.waits_for & can_be_full

    def _loads(self) -> Mapping[str, int]:
        return {site.site_id: self.holds(site.site_id) for site in self._network}

    def _taken(self) -> Mapping[str, int]:
        return {site.site_id: self.taken_today(site, self._now) for site in self._network}


def _age(features: LeadFeatures) -> tuple[datetime, str]:
    return features.received_at, features.lead_id


def _served(lead: PlainLead) -> bool:
    return lead.closed in ("accepted", "outcome") and lead.site_id is not None


def _local_day(site: Site, now: datetime) -> date:
    return (now + timedelta(hours=UTC_OFFSET_H[site.time_zone])).date()


def _shanghai(now: datetime) -> date:
    return (now + timedelta(hours=8)).date()


def _midnight(site: Site, now: datetime) -> datetime:
    tomorrow = _local_day(site, now) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), UTC) - timedelta(hours=UTC_OFFSET_H[site.time_zone])


def _after_open_minutes(site: Site, now: datetime, minutes: int) -> datetime:
    """When the site has been open for so many minutes: minute by minute, closed ones by the hour."""
    at = now
    while minutes:
        is_open = _is_open(site, at)
        minutes -= is_open
        at += timedelta(minutes=1) if is_open or at.minute else timedelta(hours=1)
    return at


def _is_open(site: Site, now: datetime) -> bool:
    """Only of hours such as `Mo-Fr 09:00-18:00`."""
    if not site.working_time.hours:
        return True
    days, hours = site.working_time.hours.split(" ")
    first, last = [DAYS.index(name) for name in days.split("-")]
    opens, closes = hours.split("-")
    local = now + timedelta(hours=UTC_OFFSET_H[site.time_zone])
    return first <= local.weekday() <= last and opens <= f"{local:%H:%M}" < closes
