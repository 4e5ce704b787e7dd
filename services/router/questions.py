"""What the ledger says about the leads of a batch, turned into questions for `decide_batch`."""

from collections import Counter
from collections.abc import Sequence, Set
from typing import NamedTuple

from services.router.db.ledger import KeptDecision, LeadRow
from services.router.db.recording import FirstDecisions
from services.router.domain import (
    NEW,
    Ask,
    Erased,
    LeadFeatures,
    LeadLedger,
    LeadState,
    LiveLead,
    StaleReason,
)
from services.router.policy import Policy
from services.router.reading import Arrival
from shared.contracts import ClosedReason, WaitingReason
from shared.vocabulary import Intent


class Question(NamedTuple):
    """What happened, and what is asked because of it."""

    arrival: Arrival
    ask: Ask


def features_of(row: LeadRow) -> LeadFeatures:
    """What the lead said when it was received, as the ledger keeps it."""
    if row.intent is None or row.received_at is None:
        raise ValueError(f"lead {row.lead_id} was erased before it arrived: it has no features")
    point = None if row.lat is None or row.lon is None else (row.lat, row.lon)
    return LeadFeatures(
        row.lead_id, row.person_id, Intent(row.intent), point, row.preferred_site_id, row.received_at, row.vehicle or ""
    )


def ledger_of(row: LeadRow) -> LeadLedger:
    """Where the lead stands."""
    return LeadLedger(
        row.epoch,
        LeadState(row.state),
        row.site_id,
        row.assignment_epoch,
        row.respond_by,
        ClosedReason(row.closed) if row.closed else None,
        tuple(row.excluded),
        WaitingReason(row.waiting) if row.waiting else None,
    )


class Questions:
    """One batch against the rows that were read (and locked) for it."""

    def __init__(self, rows: Sequence[LeadRow], arrivals: Sequence[Arrival], policy: Policy) -> None:
        self._policy = policy
        self._arrivals = arrivals
        self.known = {row.lead_id: row for row in rows if row.epoch > 0}
        self.noted_erased = {row.lead_id: row.erased_by for row in rows if row.epoch == 0 and row.erased_by}
        self._live: dict[str, list[LeadRow]] = {}
        for row in rows:
            if row.live:
                self._live.setdefault(row.person_id, []).append(row)
        self._new = {a.lead_id: a.received for a in arrivals if a.received and a.lead_id not in self.known}
        self._erased = {
            a.lead_id: a.stimulus for a in arrivals if isinstance(a.stimulus, Erased) and a.lead_id not in self.known
        }
        self._traceparents = {(a.lead_id, a.stimulus.fact_id): a.traceparent for a in arrivals}
        self.erased_early: list[tuple[str, str, str]] = []
        """Lead, person and fact of erasures that came before their leads."""
        self.stale: Counter[tuple[str, str]] = Counter()

    def received_again(self) -> list[str]:
        """Leads whose first decision is to be emitted again."""
        return sorted({a.lead_id for a in self._arrivals if a.received and a.lead_id in self.known})

    def may_be_repeated(self) -> list[tuple[str, str]]:
        """Lead and fact of everything else that concerns known leads: the fact may have had its decision already."""
        return sorted(
            {(a.lead_id, a.stimulus.fact_id) for a in self._arrivals if not a.received and a.lead_id in self.known}
        )

    def questions(self, answered: set[tuple[str, str]]) -> list[Question]:
        """One question per arrival that is not `answered` yet, the oldest lead first."""
        found = []
        for arrival in self._arrivals:
            lead_id = arrival.lead_id
            row = self.known.get(lead_id)
            if row is not None:
                if not arrival.received and (lead_id, arrival.stimulus.fact_id) not in answered:
                    found.append(Question(arrival, Ask(features_of(row), ledger_of(row), arrival.stimulus)))
            elif lead_id in self._new:
                question = self._question_of_new(arrival, self._new[lead_id])
                if question is not None:
                    found.append(question)
            elif not isinstance(arrival.stimulus, Erased):
                self.stale[arrival.topic, StaleReason.UNKNOWN_LEAD.value] += 1
            elif arrival.person_id is not None and lead_id not in self.noted_erased:
                self.erased_early.append((lead_id, arrival.person_id, arrival.stimulus.fact_id))
        # The sort is stable: what happened to one lead stays in order.
        found.sort(key=lambda question: question.ask.lead.received_at)
        return found

    def _question_of_new(self, arrival: Arrival, lead: LeadFeatures) -> Question | None:
        if arrival.received is None:
            # An erasure is part of the question that the lead itself asks; anything else follows it in this batch.
            is_erasure = isinstance(arrival.stimulus, Erased)
            return None if is_erasure else Question(arrival, Ask(lead, NEW, arrival.stimulus))
        erased = self._erased.get(lead.lead_id)
        if erased is not None:
            return Question(arrival, Ask(lead, NEW, erased))
        if lead.lead_id in self.noted_erased:
            return Question(arrival, Ask(lead, NEW, Erased(self.noted_erased[lead.lead_id])))
        return Question(arrival, Ask(lead, NEW, arrival.stimulus, self._live_lead(lead)))

    def _live_lead(self, lead: LeadFeatures) -> LiveLead | None:
        group = self._policy.join_group(lead.intent)
        if group is None or lead.person_id not in self._live:
            return None
        fitting = [
            row
            for row in self._live[lead.person_id]
            if row.intent is not None and self._policy.join_group(Intent(row.intent)) == group
        ]
        if not fitting:
            return None
        oldest = min(fitting, key=lambda row: (features_of(row).received_at, row.lead_id))
        closed = ClosedReason(oldest.closed) if oldest.closed else None
        return LiveLead(oldest.lead_id, LeadState(oldest.state), oldest.site_id, closed, oldest.changed_at)

    def in_the_way(self, new: FirstDecisions) -> set[str]:
        """Live leads that new live leads replace: accepted before the window, or grouped otherwise at their time."""
        if not self._live:
            return set()
        return {
            row.lead_id
            for person_id, outcome, group in zip(new.person_id, new.outcome, new.join_group, strict=True)
            if outcome in ("assigned", "waiting")
            for row in self._live.get(person_id, ())
            if row.join_group == group is not None
        }

    def stand_alone(self, new: Set[str]) -> bool:
        """Whether nothing else in the batch, and no lead that it replaces, hangs on these new leads."""
        persons = {self._new[lead_id].person_id for lead_id in new}
        theirs = [one for one in self._arrivals if one.lead_id in new or one.person_id in persons]
        return len(theirs) == len(new) and persons.isdisjoint(self._live) and new.isdisjoint(self.noted_erased)

    def epoch_of(self, lead_id: str) -> int:
        """The epoch of the lead's row once the first decisions of this batch are written."""
        return self.known[lead_id].epoch if lead_id in self.known else 1

    def traceparent_of(self, kept: KeptDecision) -> str | None:
        """The trace context of the fact that caused a kept decision."""
        row = self.known.get(kept.lead_id)
        if kept.epoch == 1 and row is not None:
            return row.traceparent
        return self._traceparents.get((kept.lead_id, kept.cause_id))
