"""Decides a batch: every ask in order, on one snapshot, one policy and one clock reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from services.router.domain.choose import Choice, Chooser
from services.router.domain.ledger import (
    Answered,
    Ask,
    Decided,
    Held,
    LeadFeatures,
    LeadLedger,
    LeadState,
    LiveLead,
    Ordered,
    Stale,
    StaleReason,
    Stay,
    Travel,
)
from services.router.domain.outcome import Turn, TurnWriter, asked_for, assign, close, deadlines, join, wait
from services.router.domain.queues import Waiter
from services.router.domain.reach import Reach, radius_text
from services.router.domain.record import decision_id, decision_ids, optional, utc_texts
from services.router.domain.search import Hit, Hits, Met, Point, Ring, search
from services.router.domain.transition import FIRST_STEP, Step, next_step
from services.router.policy import Contracted, Policy
from services.router.snapshot import Snapshot, TreeKey
from services.router.vehicles import ANY
from shared.contracts import Cause, ClosedReason, WaitingReason
from shared.vocabulary import Intent

NOTHING: Mapping[str, int] = MappingProxyType({})
NOTHING_GIVEN: Mapping[Contracted, int] = MappingProxyType({})
NOBODY_WAITS: Mapping[str, Sequence[Waiter]] = MappingProxyType({})


def decide_batch(
    asks: Sequence[Ask],
    snapshot: Snapshot,
    policy: Policy,
    loads: Mapping[str, int],
    now: datetime,
    taken_today: Mapping[str, int] = NOTHING,
    given: Mapping[Contracted, int] = NOTHING_GIVEN,
    queues: Mapping[str, Sequence[Waiter]] = NOBODY_WAITS,
) -> list[Decided | Stale]:
    """One answer per ask, in order; what an earlier ask changed, a later one sees (loads, the lead's row, live leads).

    `loads`, `taken_today`, `given` and `queues` are those of `Held` and are not changed; `now` must be aware.
    """
    return Batch(snapshot, policy, Held(loads, taken_today, given, queues=queues), now).run(asks)


def decide_apart(
    asks: Sequence[tuple[Ask, Held, datetime]], snapshot: Snapshot, policy: Policy
) -> list[Decided | Stale]:
    """Each ask as if it were alone, with the loads and the clock that it comes with: the past, decided again.

    Only the search for the nearest is shared; one by one, it would cost eight times as much.
    """
    if not asks:
        return []
    together = Batch(snapshot, policy, Held({}), asks[0][2], replaying=True)
    alike = [ask for ask, _, _ in asks]
    readings = together._read(alike, [together._plan_of(ask.lead) for ask in alike])
    answers = []
    plans_at: dict[datetime, dict[_Work, _Plan]] = {}
    for (ask, held, now), reading in zip(asks, readings, strict=True):
        alone = Batch(snapshot, policy, held, now, replaying=True)
        alone._hits = together._hits
        # Plans hang on nothing but the time, which a router's whole batch had in common.
        alone._plans = plans_at.setdefault(now, alone._plans)
        met, ring = together._met.alone(reading[1])
        alone._shortcut.meet(met)
        answers.append(alone._answer(ask, alone._plan_of(ask.lead), (reading[0], ring, *reading[2:])))
    return answers


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A policy's rule for one kind of work, worked out once per batch."""

    reach: Reach
    center: Reach
    """Where it goes after the policy's tries: at once as far as that may be."""
    time_to_answer: timedelta
    remind_after: timedelta | None
    escalate_after: timedelta | None
    respond_by: datetime
    """For a site that is always open."""
    deadlines: str
    """Text of all three, for a site that is always open."""
    join_group: str | None
    asked: str
    """How a record of its first decision says so."""


_Work = Intent | tuple[Intent, str]
"""An intent, with the kind of vehicle where that makes a difference."""

_Reading = tuple[int, Ring, str, str]
"""Of one ask: its place in the batch, what a record shows of its lead, the id of the lead's next decision if the row is
still as it was read, and when the lead was received."""

# Nobody is as near as this, so that no shortcut is taken.
_CLOSER_LOOK_MM = -1


class Batch:
    """The state of one batch: loads, lead rows and live leads as its own decisions have changed them."""

    def __init__(
        self,
        snapshot: Snapshot,
        policy: Policy,
        held: Held,
        now: datetime,
        *,
        replaying: bool = False,
    ) -> None:
        self._snapshot = snapshot
        self._partners, self._schedules = snapshot.partners, snapshot.schedules
        self._policy = policy
        self._now = now
        self._chooser = Chooser(snapshot, policy, held, now, replaying=replaying)
        self._shortcut = self._chooser.shortcut
        self._write = TurnWriter(now, snapshot.revision, policy.version)
        self._hits: Hits
        self._met: Met
        self._plans: dict[_Work, _Plan] = {}
        self._rows: dict[str, LeadLedger] = {}
        self._live: dict[tuple[str, str], str] = {}
        self._placed: dict[str, tuple[float, float]] = {}
        """Where operators said in this batch that leads are."""

    def run(self, asks: Sequence[Ask]) -> list[Decided | Stale]:
        """One answer per ask, in order."""
        plans = [self._plan_of(ask[0]) for ask in asks]
        readings = self._read(asks, plans)
        self._shortcut.meet(self._met)
        return [self._answer(ask, plan, reading) for ask, plan, reading in zip(asks, plans, readings, strict=True)]

    def _read(self, asks: Sequence[Ask], plans: Sequence[_Plan]) -> Iterable[_Reading]:
        """What can be known of every ask before anything is decided; together, because that is far cheaper."""
        max_mm = np.full(len(asks), _CLOSER_LOOK_MM, dtype=np.int64)
        places_by_plan: dict[_Plan, list[int]] = {}
        leads = [ask[0] for ask in asks]
        for place, (lead, plan) in enumerate(zip(leads, plans, strict=True)):
            if lead.point is not None:
                places_by_plan.setdefault(plan, []).append(place)
        places_by_key: dict[TreeKey, list[int]] = {}
        for plan, places in places_by_plan.items():
            max_mm[places] = plan.reach.max_mm
            places_by_key.setdefault(plan.reach.key, []).extend(places)
        points = [lead.point for lead in leads]
        self._hits = search(self._snapshot, points, places_by_key, self._chooser.width)
        radius_mm = max_mm
        for plan, places in places_by_plan.items():
            if plan.reach.steps:
                # Nobody is nearer than the nearest: if that one is free, the radius grew at once to where it is.
                radius_mm = max_mm.copy() if radius_mm is max_mm else radius_mm
                radius_mm[places] = [plan.reach.grown_to(self._hits.nearest_mm(place)) for place in places]
        rings, self._met = self._chooser.rings(self._hits, radius_mm, max_mm, points)
        return zip(
            range(len(asks)),
            rings,
            decision_ids([(lead.lead_id, ledger.epoch + 1) for lead, ledger, *_ in asks]),
            utc_texts([lead.received_at for lead in leads]),
            strict=True,
        )

    def _plan_of(self, lead: LeadFeatures) -> _Plan:
        """The rule for what the lead asks for, as far as it changes who can do it."""
        if not lead.vehicle:
            return self._plans.get(lead.intent) or self._plan(lead.intent)
        kind = self._snapshot.vehicles.kind_of(lead.vehicle)
        return self._plan((lead.intent, kind) if kind else lead.intent)

    def _plan(self, work: _Work) -> _Plan:
        plan = self._plans.get(work)
        if plan is None:
            intent, vehicle = work if isinstance(work, tuple) else (work, ANY)
            rule = self._policy.intents[intent]
            time_to_answer = timedelta(minutes=rule.respond_by_minutes)
            remind_after = _share(time_to_answer, self._policy.respond.remind_after_percent)
            escalate_after = _share(time_to_answer, self._policy.respond.escalate_after_percent)
            respond_by = self._now + time_to_answer
            center_km = max(rule.max_distance_km, self._policy.tries.center_within_km)
            max_mm, center_mm = round(rule.max_distance_km * 1_000_000), round(center_km * 1_000_000)
            steps = tuple(round(step_km * 1_000_000) for step_km in rule.radius_km)
            key = rule.key.for_vehicle(vehicle)
            plan = _Plan(
                Reach(key, max_mm, max_mm, steps, timedelta(minutes=rule.grow_after_minutes)),
                Reach(key.at_centers(), center_mm, center_mm),
                time_to_answer,
                remind_after,
                escalate_after,
                respond_by,
                deadlines(
                    respond_by,
                    None if remind_after is None else self._now + remind_after,
                    None if escalate_after is None else self._now + escalate_after,
                ),
                self._policy.join_group(intent),
                asked_for(intent, Cause.RECEIVED),
            )
            self._plans[work] = plan
        return plan

    def _answer(self, ask: Ask, plan: _Plan, reading: _Reading) -> Decided | Stale:
        lead, ledger, stimulus, live, travel, stay = ask
        row = self._rows.get(lead.lead_id)
        if row is not None:
            ledger, reading = row, _read_again(reading, lead, row)
        step = next_step(ledger, stimulus)
        if isinstance(step, StaleReason):
            return Stale(lead.lead_id, step)
        joins: tuple[str, str | None] | None = None
        decided: Decided | Stale | None = None
        if step is FIRST_STEP:
            joins = self._live_lead(lead, plan.join_group, live)
            if joins is None and travel is None and stay is None and lead.preferred_site_id is None:
                decided = self._assign_at_once(lead, plan, stimulus.fact_id, reading)
        if decided is None:
            decided = self._decide(ask, ledger, step, plan, reading, joins)
        if isinstance(decided, Decided):
            self._rows[lead.lead_id] = decided.after
            if decided.outcome == "waiting" or ledger.state is LeadState.WAITING:
                self._chooser.line_up(lead, decided.full + decided.full_today)
        return decided

    def _assign_at_once(self, lead: LeadFeatures, plan: _Plan, cause_id: str, reading: _Reading) -> Decided | None:
        """A first decision about which there is nothing to say but distances and loads; None when there is more."""
        place, ring, id_text, received_at = reading
        taken = self._shortcut.take(lead.lead_id, ring)
        if taken is None:
            return None
        site_id, distance_m, candidates = taken
        respond_by, terms = self._terms(site_id, plan)
        looked = ""
        if plan.reach.steps:
            looked = f"{radius_text(plan.reach.grown_to(self._hits.nearest_mm(place)))},"
        return self._write.assign_first(
            lead,
            id_text,
            cause_id,
            plan.asked,
            received_at,
            site_id,
            distance_m,
            candidates,
            respond_by,
            terms,
            looked,
        )

    def _decide(
        self,
        ask: Ask,
        ledger: LeadLedger,
        step: Step,
        plan: _Plan,
        reading: _Reading,
        joins: tuple[str, str | None] | None,
    ) -> Decided | Stale:
        lead, _, stimulus, _, travel, stay = ask
        place, _, id_text, received_at = reading
        hit: Hit | None = self._hits.of(place)
        self._chooser.begin(lead)
        if lead.lead_id in self._placed:
            lead, hit = lead._replace(point=self._placed[lead.lead_id]), None
        if isinstance(stimulus, Ordered):
            return self._obey(ask._replace(lead=lead), ledger, step, stimulus, plan, hit, reading)
        if step.frees is not None:
            self._chooser.free(step.frees)
        turn = self._write.begin(lead, ledger, step, stimulus.fact_id, id_text, received_at)
        if step.closes is not None:
            return close(turn, step.closes, stimulus.result if isinstance(stimulus, Answered) else None)
        if joins is not None:
            return join(turn, *joins)
        return self._route(turn, plan, hit, travel, stay)

    def _obey(
        self,
        ask: Ask,
        ledger: LeadLedger,
        step: Step,
        ordered: Ordered,
        plan: _Plan,
        hit: Hit | None,
        reading: _Reading,
    ) -> Decided | Stale:
        lead, order, point = ask.lead, ordered.order, None
        if step.closes is not None:
            return close(self._begin_ordered(lead, ledger, step, ordered, reading), ClosedReason.OUTCOME, order.result)
        if order.place is not None:
            point = order.place.lat, order.place.lon
            lead, hit = lead._replace(point=point), None
        if lead.point is None:
            return Stale(lead.lead_id, StaleReason.NO_PLACE)
        choice = None
        if order.site_id is not None:
            given = self._chooser.give(order.site_id, plan.reach.key, lead.point)
            if isinstance(given, StaleReason):
                return Stale(lead.lead_id, given)
            choice = given
        turn = self._begin_ordered(lead, ledger, step, ordered, reading)
        if choice is None:
            decided = self._route(turn, plan, hit, ask.travel, ask.stay, by_order=True)
        else:
            decided = self._assign(turn, plan, choice)
        if point is not None:
            self._placed[lead.lead_id] = point
        return decided._replace(point=point)

    def _begin_ordered(
        self, lead: LeadFeatures, ledger: LeadLedger, step: Step, ordered: Ordered, reading: _Reading
    ) -> Turn:
        if step.frees is not None:
            self._chooser.free(step.frees)
        _, _, id_text, received_at = reading
        turn = self._write.begin(lead, ledger, step, ordered.fact_id, id_text, received_at)
        return turn.saying(f'"order":{ordered.order.model_dump_json(exclude_none=True)}')

    def _route(
        self,
        turn: Turn,
        plan: _Plan,
        hit: Hit | None,
        travel: Travel | None,
        stay: Stay | None,
        *,
        by_order: bool = False,
    ) -> Decided:
        """Look for a site; without a `hit`, the nearest are looked up for this lead alone, and by distance alone."""
        point, tries, reach = turn.lead.point, len(turn.excluded), plan.reach
        if tries:
            # An operator who says "try again" has one more try, however many there were.
            if self._policy.tries.are_over(tries) and not by_order:
                return wait(turn, WaitingReason.NEEDS_PERSON, "")
            if self._policy.tries.is_at_center(tries):
                turn, reach, hit = turn.saying(f'"center_after":{tries}'), plan.center, None
        if point is None:
            return wait(turn, WaitingReason.LOCATION_UNCLEAR, "")
        if hit is None:
            hit, travel = self._look_up(point, reach.key), None
        if reach.steps:
            choice = self._chooser.choose_in_steps(travel, turn.lead, turn.excluded, reach, hit, stay)
        elif travel is None:
            choice = self._chooser.choose(turn.lead, turn.excluded, reach, hit, stay)
        else:
            choice = self._chooser.choose_by_time(travel, turn.lead, turn.excluded, reach, hit, stay)
        if choice.stay:
            turn = turn.saying(choice.stay)
        if choice.radius_mm:
            turn = turn.saying(radius_text(choice.radius_mm))
        if choice.waiting is not None:
            at_end = self._policy.tries.need_person(tries, choice.waiting)
            reason = WaitingReason.NEEDS_PERSON if at_end else choice.waiting
            if reason is WaitingReason.NEEDS_PERSON:
                return wait(turn, reason, choice.candidates, choice.measure)
            return wait(
                turn, reason, choice.candidates, choice.measure, choice.retry_at, choice.full, choice.full_today
            )
        return self._assign(turn, plan, choice)

    def _look_up(self, point: Point, key: TreeKey) -> Hit:
        """The nearest sites of one point."""
        return search(self._snapshot, [point], {key: [0]}, self._chooser.width).of(0)

    def _assign(self, turn: Turn, plan: _Plan, choice: Choice) -> Decided:
        return assign(turn, choice, *self._terms(choice.site_id, plan))

    def _terms(self, site_id: str, plan: _Plan) -> tuple[datetime, str]:
        """Until when the site has the lead, and the text of that and of what else is agreed."""
        partner, schedule = self._partners.get(site_id), self._schedules.get(site_id)
        if schedule is None:
            terms = plan.deadlines if partner is None else plan.deadlines + optional("partner", partner)
            return plan.respond_by, terms
        respond_by = schedule.after_open_time(self._now, plan.time_to_answer)
        remind_at, escalate_at = (
            None if after is None else schedule.after_open_time(self._now, after)
            for after in (plan.remind_after, plan.escalate_after)
        )
        return respond_by, deadlines(respond_by, remind_at, escalate_at) + optional("partner", partner)

    def _live_lead(self, lead: LeadFeatures, group: str | None, live: LiveLead | None) -> tuple[str, str | None] | None:
        """The live lead that this one joins, and its holder: the ledger's, else one of this batch; None for neither.

        Without one, this lead is the one that later leads of the batch join.
        """
        if group is None:
            return None
        if live is not None and live.lead_id != lead.lead_id:
            row = self._rows.get(live.lead_id)
            if self._is_live(live) if row is None else _is_live_row(row):
                return live.lead_id, live.site_id if row is None else row.site_id
        first = self._live.setdefault((lead.person_id, group), lead.lead_id)
        if first == lead.lead_id:
            return None
        row = self._rows[first]
        if _is_live_row(row):
            return first, row.site_id
        self._live[lead.person_id, group] = lead.lead_id
        return None

    def _is_live(self, live: LiveLead) -> bool:
        if live.closed is ClosedReason.ACCEPTED:
            return self._now - live.changed_at <= self._policy.join_window
        return live.state in (LeadState.WAITING, LeadState.HELD)


def _read_again(reading: _Reading, lead: LeadFeatures, row: LeadLedger) -> _Reading:
    """The reading of an ask whose lead this batch has decided already."""
    place, ring, _, received_at = reading
    return place, ring, decision_id(lead.lead_id, row.epoch + 1), received_at


def _share(time_to_answer: timedelta, percent: int) -> timedelta | None:
    """That much of the time to answer; None for nothing of it, which means never."""
    return time_to_answer * percent / 100 if percent else None


def _is_live_row(row: LeadLedger) -> bool:
    # A row of this batch changed just now: an acceptance in it is inside every window.
    return row.state in (LeadState.WAITING, LeadState.HELD) or row.closed is ClosedReason.ACCEPTED
