"""The engine with dicts for its PostgreSQL: reads, asks, decides and records as `settle` does, in one process."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.router.db.ledger import KeptDecision, LeadRow
from services.router.db.recording import FirstDecisions
from services.router.domain import (
    Ask,
    Decided,
    LeadFeatures,
    LeadState,
    Served,
    Stale,
    Waiter,
    WaitingLead,
    contracted,
    decide_batch,
    month_of,
    stay_with,
    wanted_sites,
)
from services.router.policy import Contracted, Policy
from services.router.questions import Question, Questions, features_of, ledger_of
from services.router.reading import Arrival
from services.router.snapshot import Snapshot
from shared.contracts import ClosedReason
from shared.vocabulary import Intent
from tests.services.router.plain_ledger import Said, TravelOf


class Recorded(NamedTuple):
    """A decision with what it was an answer to."""

    ask: Ask
    decided: Decided
    at: datetime


class MemoryLedger:
    """What the router's tables hold."""

    def __init__(self) -> None:
        self.rows: dict[str, LeadRow] = {}
        self.decisions: dict[tuple[str, int], Recorded] = {}
        self.loads: Counter[str] = Counter()
        self.days: Counter[tuple[str, date]] = Counter()
        self.months: Counter[tuple[date, Contracted]] = Counter()
        self.queued: dict[str, tuple[str, ...]] = {}
        """By lead, while it waits: the sites in whose queues it stands."""
        self._queued_for: object = None

    def poll(
        self, arrivals: Sequence[Arrival], snapshot: Snapshot, policy: Policy, now: datetime, travel_of: TravelOf
    ) -> tuple[list[Recorded], Counter[str]]:
        """What is decided, in order, and how many arrivals changed nothing, by reason."""
        self._requeue(snapshot, policy, now)
        asked = Questions(self._lock(arrivals), arrivals, policy)
        today, month = snapshot.today(now), month_of(now)
        taken = {site_id: self.days[site_id, day] for site_id, day in today.items()}
        given = {key: count for (counted_in, key), count in self.months.items() if counted_in == month}
        kept = {(one.lead_id, one.cause_id) for one in self._kept(asked)}
        asks = [self._travelling(self._staying(one, policy, now), policy, travel_of) for one in asked.questions(kept)]
        answers = decide_batch(asks, snapshot, policy, dict(self.loads), now, taken, given, self._queues())
        for lead_id, person_id, fact_id in asked.erased_early:
            self.rows.setdefault(lead_id, _noted(lead_id, person_id, fact_id, now))
        stale = Counter([answer.reason.value for answer in answers if isinstance(answer, Stale)])
        for (_, reason), count in asked.stale.items():
            stale[reason] += count
        recorded = [
            Recorded(ask, answer, now) for ask, answer in zip(asks, answers, strict=True) if isinstance(answer, Decided)
        ]
        for lead_id in asked.in_the_way(_new(recorded, policy)):
            self.rows[lead_id] = self.rows[lead_id]._replace(live=False)
        for one in recorded:
            self._record(one, policy, now)
            self._spend(one.decided, snapshot, policy, today, month)
        return recorded, +stale

    def _queues(self) -> dict[str, list[Waiter]]:
        lines: dict[str, list[Waiter]] = {}
        for lead_id, site_ids in self.queued.items():
            received_at = self.rows[lead_id].received_at
            assert received_at is not None
            for site_id in site_ids:
                lines.setdefault(site_id, []).append(Waiter(received_at, lead_id))
        return {site_id: sorted(line) for site_id, line in lines.items()}

    def _requeue(self, snapshot: Snapshot, policy: Policy, now: datetime) -> None:
        queued_for = snapshot.revision, policy, snapshot.last_opening(now)
        if self._queued_for != queued_for:
            rows = [row for row in self.rows.values() if row.state == "waiting" and row.waiting != "needs_person"]
            waiting = [WaitingLead(features_of(row), ledger_of(row)) for row in rows]
            found = wanted_sites(waiting, snapshot, policy, now)
            self.queued |= {row.lead_id: site_ids for row, site_ids in zip(rows, found, strict=True)}
            self._queued_for = queued_for

    def _lock(self, arrivals: Sequence[Arrival]) -> list[LeadRow]:
        lead_ids = {arrival.lead_id for arrival in arrivals}
        person_ids = {arrival.received.person_id for arrival in arrivals if arrival.received is not None}
        rows = [
            row for row in self.rows.values() if row.lead_id in lead_ids or (row.live and row.person_id in person_ids)
        ]
        return sorted(rows, key=lambda row: (row.person_id, row.lead_id))

    def _kept(self, asked: Questions) -> list[KeptDecision]:
        again, caused = set(asked.received_again()), set(asked.may_be_repeated())
        return [
            KeptDecision(lead_id, epoch, one.decided.decision_id, one.at, one.ask.stimulus.fact_id, "")
            for (lead_id, epoch), one in self.decisions.items()
            if (epoch == 1 and lead_id in again) or (lead_id, one.ask.stimulus.fact_id) in caused
        ]

    def _staying(self, question: Question, policy: Policy, now: datetime) -> Ask:
        ask = question.ask
        served = [
            Served(Intent(row.intent), row.site_id, row.changed_at)
            for row in self.rows.values()
            if row.person_id == ask.lead.person_id and row.closed in ("accepted", "outcome")
            if row.site_id is not None and row.intent is not None
        ]
        return ask._replace(stay=stay_with(policy, ask.lead, served, now))

    def _travelling(self, ask: Ask, policy: Policy, travel_of: TravelOf) -> Ask:
        point = ask.lead.point
        if not policy.travel.candidates or point is None:
            return ask
        return ask._replace(travel=travel_of(ask.lead.lead_id, point))

    def _record(self, one: Recorded, policy: Policy, now: datetime) -> None:
        lead, after, decided = one.ask.lead, one.decided.after, one.decided
        before = self.rows.get(lead.lead_id)
        if before is None or before.epoch == 0:
            group = policy.join_group(lead.intent)
            before = _arrived(lead, group, now, live=group is not None and decided.outcome in ("assigned", "waiting"))
        if decided.epoch != before.epoch + 1 or (lead.lead_id, decided.epoch) in self.decisions:
            raise AssertionError(f"epoch {decided.epoch} after {before.epoch}")
        may_be_live = after.state in (LeadState.WAITING, LeadState.HELD) or after.closed is ClosedReason.ACCEPTED
        self.decisions[lead.lead_id, decided.epoch] = one
        self.queued.pop(lead.lead_id, None)
        if decided.outcome == "waiting":
            self.queued[lead.lead_id] = decided.full + decided.full_today
        self.rows[lead.lead_id] = before._replace(
            epoch=after.epoch,
            state="" if after.state is None else after.state.value,
            closed=after.closed and after.closed.value,
            site_id=after.site_id,
            assignment_epoch=after.assignment_epoch,
            respond_by=after.respond_by,
            changed_at=now,
            live=before.live and may_be_live,
            excluded=list(after.excluded),
            waiting=after.waiting and after.waiting.value,
            lat=decided.point[0] if decided.point else before.lat,
            lon=decided.point[1] if decided.point else before.lon,
        )

    def _spend(self, decided: Decided, snapshot: Snapshot, policy: Policy, today: dict[str, date], month: date) -> None:
        for site_id, change in decided.deltas:
            self.loads[site_id] += change
        if decided.outcome != "assigned" or decided.site_id is None:
            return
        if decided.site_id in today:
            self.days[decided.site_id, today[decided.site_id]] += 1
        key = contracted(policy, snapshot, decided.site_id)
        if key is not None:
            self.months[month, key] += 1


def said(decided: Decided) -> Said:
    """The decision, as the plain ledger says it."""
    return Said(
        decided.lead_id,
        decided.epoch,
        decided.outcome,
        decided.site_id,
        decided.waiting and decided.waiting.value,
        decided.retry_at,
        decided.respond_by,
        decided.joins_lead_id,
        decided.after.closed and decided.after.closed.value,
    )


def _new(recorded: Sequence[Recorded], policy: Policy) -> FirstDecisions:
    first = [one for one in recorded if one.decided.epoch == 1]
    nothing = FirstDecisions(*[[] for _ in FirstDecisions._fields])
    return nothing._replace(
        person_id=[one.ask.lead.person_id for one in first],
        outcome=[one.decided.outcome for one in first],
        join_group=[policy.join_group(one.ask.lead.intent) for one in first],
    )


def _arrived(lead: LeadFeatures, group: str | None, now: datetime, *, live: bool) -> LeadRow:
    lat, lon = lead.point or (None, None)
    return LeadRow(
        lead.lead_id, lead.person_id, 0, "", None, None, None, None, now, live, group, lead.intent.value, lat, lon,
        lead.preferred_site_id, lead.received_at, None, [], None, lead.vehicle or None, None,
    )  # fmt: skip


def _noted(lead_id: str, person_id: str, fact_id: str, now: datetime) -> LeadRow:
    return LeadRow(
        lead_id, person_id, 0, "closed", "erased", None, None, None, now, False, None, None, None, None,
        None, None, None, [], fact_id, None, None,
    )  # fmt: skip
