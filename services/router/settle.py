"""One batch in one transaction: read the ledger, decide, record. What comes out is what PostgreSQL says, to be emitted.

Leads that exist are locked by the reading, so their next decision has no rival. A new lead has: another router with
the same record (the ledger's key refuses the second decision, which is then read back), or with another lead of the
same person (the one live lead per person is taken: it is left for a transaction of its own, `Settled.left`), or with
the last place of a site (`spending.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.router.barriers import Point
from services.router.batch_time import batch_time, without_early
from services.router.db import days, ledger, loads, recording, shares
from services.router.db.ledger import KeptDecision
from services.router.db.room import Place
from services.router.domain import (
    Ask,
    Decided,
    Served,
    Stale,
    StaleReason,
    Travel,
    decide_batch,
    month_of,
    stay_with,
)
from services.router.domain.ledger import Held
from services.router.emission import decided_fact
from services.router.policy import Policy
from services.router.questions import Question, Questions
from services.router.reading import Arrival
from services.router.reload import InEffect
from services.router.spending import Spending
from services.router.writing import Answer, Overtaken, write
from shared.postgres import Connection
from shared.tracing import child
from shared.vocabulary import Intent


class Settled(NamedTuple):
    """What became of a batch."""

    emissions: list[tuple[bytes, bytes]]
    """Key and value of leads.decided records, in epoch order of each lead."""
    outcomes: Counter[str]
    stale: Counter[tuple[str, str]]
    """Arrivals without effect, by topic and reason."""
    repeated: int
    """Decisions that were there before and are emitted again."""
    again: int = 0
    """How often it was decided again because sites had less room than was seen."""
    left: frozenset[str] = frozenset()
    """Leads of which nothing was recorded, to be settled after this: new ones, because another router has recorded a
    lead of the same person since they were read, and those of which something later than now is recorded."""
    vacated: frozenset[str] = frozenset()
    """Sites with a limit that let go of a lead, or whose queues one has left: somebody else may be served there."""

    def then(self, later: "Settled") -> "Settled":
        """This, and what became of those that it left."""
        return Settled(
            self.emissions + later.emissions,
            self.outcomes + later.outcomes,
            self.stale + later.stale,
            self.repeated + later.repeated,
            self.again + later.again,
            later.left,
            self.vacated | later.vacated,
        )


NOTHING_SETTLED = Settled([], Counter(), Counter(), 0)


async def settle(
    connection: Connection,
    arrivals: Sequence[Arrival],
    in_effect: InEffect,
    now: datetime,
    *,
    keep: frozenset[Place],
    travel: Mapping[tuple[str, Point], Travel],
    trust_queues: bool = False,
) -> Settled:
    """Read, decide and record `arrivals`, inside the caller's transaction; `travel` by lead and its place, as known.

    `keep`: places to lock before anything is decided. `trust_queues`: they are taken as they are, whatever they were
    found for. Raises Overtaken, NoRoom or QueuesOutdated, after which the whole transaction is to be rolled back and
    done again.
    """
    snapshot, policy = in_effect.snapshot, in_effect.policy
    # Read first: whatever was locked until now is recorded, with its time.
    rows = await ledger.lock_leads(
        connection,
        [arrival.lead_id for arrival in arrivals],
        [arrival.received.person_id for arrival in arrivals if arrival.received is not None],
    )
    arrivals, early = without_early(arrivals, now)
    now, ahead = batch_time(now, rows, arrivals)
    if ahead:
        arrivals = [arrival for arrival in arrivals if arrival.lead_id not in ahead]
    today = snapshot.today(now)
    month = month_of(now) if policy.shares else None
    seen = Held(
        await loads.read(connection),
        await days.read(connection, today) if today else {},
        {} if month is None else await shares.read(connection, month),
    )
    asked = Questions(rows, arrivals, policy)
    kept = await _repeated(connection, asked)
    questions = asked.questions({(one.lead_id, one.cause_id) for one in kept})
    if policy.stay:
        questions = await _staying(connection, questions, policy, now)

    asks = [question.ask for question in questions]
    if travel:
        asks = [ask if ask.lead.point is None else _travelling(ask, ask.lead.point, travel) for ask in asks]
    spending = Spending(connection, in_effect, today, None if trust_queues else in_effect.queued_for(now))

    def decide(held: Held) -> list[Decided | Stale]:
        return decide_batch(asks, snapshot, policy, held.loads, now, held.taken_today, held.given, held.queues)

    answers = await spending.decide(decide, seen, keep)

    if asked.erased_early:
        lead_ids, person_ids, fact_ids = zip(*sorted(set(asked.erased_early)), strict=True)
        noted = await recording.remember_erased(connection, lead_ids, person_ids, fact_ids, now)
        if noted < len(set(lead_ids)):
            raise Overtaken
    stale = asked.stale + Counter([(arrival.topic, StaleReason.NOT_YET_DUE.value) for arrival in early])
    decided: list[Answer] = []
    for (arrival, ask), answer in zip(questions, answers, strict=True):
        if isinstance(answer, Stale):
            stale[arrival.topic, answer.reason.value] += 1
        else:
            decided.append((arrival, ask, answer))
    emissions = [_emit_kept(one, asked.traceparent_of(one)) for one in kept]
    if not decided:
        return Settled(emissions, Counter(), stale, len(kept), spending.again, ahead)

    lost, left, vacated = await write(connection, decided, asked, in_effect, now)
    if lost:
        others = await ledger.first_decisions(connection, sorted(lost))
        emissions += [_emit_kept(one, asked.traceparent_of(one)) for one in others]
        kept += others
    if lost or left:
        decided = [answer for answer in decided if answer[2].lead_id not in lost | left]
    emissions += [
        decided_fact(one.decision_id, one.lead_id, now, next_step(arrival.traceparent, one.epoch), one.record)
        for arrival, _, one in decided
    ]
    await spending.finish([one for _, _, one in decided], month)
    outcomes: Counter[str] = Counter([one.outcome for _, _, one in decided])
    vacated |= {
        site_id
        for _, _, one in decided
        for site_id, change in one.deltas
        if change < 0 and snapshot.can_be_full(site_id)
    }
    return Settled(emissions, outcomes, stale, len(kept), spending.again, left | ahead, vacated)


async def _staying(
    connection: Connection, questions: Sequence[Question], policy: Policy, now: datetime
) -> list[Question]:
    """The questions, each with the site that the policy wants its person to stay with."""
    served: dict[str, list[Served]] = {}
    for row in await ledger.served(connection, sorted({question.ask.lead.person_id for question in questions})):
        served.setdefault(row.person_id, []).append(Served(Intent(row.intent), row.site_id, row.at))
    found = []
    for question in questions:
        ask = question.ask
        before = served.get(ask.lead.person_id)
        stay = None if before is None else stay_with(policy, ask.lead, before, now)
        found.append(question if stay is None else question._replace(ask=ask._replace(stay=stay)))
    return found


def _travelling(ask: Ask, point: Point, travel: Mapping[tuple[str, Point], Travel]) -> Ask:
    return ask._replace(travel=travel.get((ask.lead.lead_id, point)))


async def _repeated(connection: Connection, asked: Questions) -> list[KeptDecision]:
    kept: list[KeptDecision] = []
    if again := asked.received_again():
        kept += await ledger.first_decisions(connection, again)
    if others := asked.may_be_repeated():
        lead_ids, fact_ids = [lead_id for lead_id, _ in others], [fact_id for _, fact_id in others]
        kept += await ledger.decisions_caused(connection, lead_ids, fact_ids)
    return kept


def _emit_kept(kept: KeptDecision, traceparent: str | None) -> tuple[bytes, bytes]:
    traceparent = next_step(traceparent, kept.epoch)
    return decided_fact(kept.decision_id, kept.lead_id, kept.decided_at, traceparent, kept.record.encode())


def next_step(traceparent: str | None, epoch: int) -> str | None:
    """The context of a decision: derived from the fact that caused it, so that emitted again it is the same."""
    return child(traceparent, f"decided{epoch}")
