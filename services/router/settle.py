"""One batch in one transaction: read the ledger, decide, record. What comes out is what PostgreSQL says, to be emitted.

Leads that exist are locked by the reading, so their next decision has no rival. A new lead has: another router with
the same record (the ledger's key refuses the second decision, which is then read back), or with another lead of the
same person (the one live lead per person is taken: `Overtaken`), or with the last place of a site (`NoRoom`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import orjson

from services.router.barriers import Point
from services.router.db import days, ledger, loads, recording, shares
from services.router.db.ledger import KeptDecision
from services.router.db.recording import FirstDecisions, FurtherDecision, MovedLead
from services.router.domain import (
    Ask,
    Decided,
    LeadLedger,
    LeadState,
    Served,
    Stale,
    Travel,
    contracted,
    decide_batch,
    month_of,
    stay_with,
)
from services.router.emission import decided_fact
from services.router.policy import Policy
from services.router.questions import Question, Questions
from services.router.reading import Arrival
from services.router.reload import InEffect
from services.router.snapshot import Snapshot
from shared.contracts import ClosedReason, Lost, WaitingReason
from shared.postgres import Connection
from shared.tracing import child
from shared.vocabulary import Intent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Overtaken(Exception):  # noqa: N818 - it names a state
    """Another router changed the same person's or lead's state since it was read: read again and decide again."""


class NoRoom(Exception):  # noqa: N818 - it names a state
    """Another router filled a site since its load was read: decide again with the loads locked."""


Answer = tuple[Arrival, Ask, Decided]
"""What happened, what was asked because of it, and what was decided."""


class Settled(NamedTuple):
    """What became of a batch."""

    emissions: list[tuple[bytes, bytes]]
    """Key and value of leads.decided records, in epoch order of each lead."""
    outcomes: Counter[str]
    stale: Counter[tuple[str, str]]
    """Arrivals without effect, by topic and reason."""
    repeated: int
    """Decisions that were there before and are emitted again."""


async def settle(
    connection: Connection,
    arrivals: Sequence[Arrival],
    in_effect: InEffect,
    now: datetime,
    *,
    lock_loads: bool,
    travel: Mapping[tuple[str, Point], Travel],
) -> Settled:
    """Read, decide and record `arrivals`, inside the caller's transaction; `travel` by lead and its place, as known.

    `lock_loads` keeps every load from the reading on: nothing can then fill a site in between. Raises Overtaken or
    NoRoom, after which the whole transaction is to be rolled back and done again.
    """
    snapshot, policy = in_effect.snapshot, in_effect.policy
    # Locks first, in this order in every router: leads, loads (when locked early), the ledger, leads, loads,
    # days, shares.
    rows = await ledger.lock_leads(
        connection,
        [arrival.lead_id for arrival in arrivals],
        [arrival.received.person_id for arrival in arrivals if arrival.received is not None],
    )
    seen = await loads.read(connection, locked=lock_loads)
    today = snapshot.today(now)
    taken = await days.read(connection, today, locked=lock_loads) if today else {}
    month = month_of(now) if policy.shares else None
    given = {} if month is None else await shares.read(connection, month)
    asked = Questions(rows, arrivals, policy)
    kept = await _repeated(connection, asked)
    questions = asked.questions({(one.lead_id, one.cause_id) for one in kept})
    if policy.stay:
        questions = await _staying(connection, questions, policy, now)

    asks = [question.ask for question in questions]
    if travel:
        asks = [ask if ask.lead.point is None else _travelling(ask, ask.lead.point, travel) for ask in asks]
    answers = decide_batch(asks, snapshot, policy, seen, now, taken, given)

    if asked.erased_early:
        lead_ids, person_ids, fact_ids = zip(*sorted(set(asked.erased_early)), strict=True)
        noted = await recording.remember_erased(connection, lead_ids, person_ids, fact_ids, now)
        if noted < len(set(lead_ids)):
            raise Overtaken
    stale = asked.stale
    decided: list[Answer] = []
    for (arrival, ask), answer in zip(questions, answers, strict=True):
        if isinstance(answer, Stale):
            stale[arrival.topic, answer.reason.value] += 1
        else:
            decided.append((arrival, ask, answer))
    emissions = [_emit_kept(one, asked.traceparent_of(one)) for one in kept]
    if not decided:
        return Settled(emissions, Counter(), stale, len(kept))

    lost = await _record(connection, decided, asked, in_effect, now)
    if lost:
        others = await ledger.first_decisions(connection, sorted(lost))
        emissions += [_emit_kept(one, asked.traceparent_of(one)) for one in others]
        kept += others
        decided = [answer for answer in decided if answer[2].lead_id not in lost]
    emissions += [
        decided_fact(one.decision_id, one.lead_id, now, next_step(arrival.traceparent, one.epoch), one.record)
        for arrival, _, one in decided
    ]
    spent: Counter[str] = Counter()
    for _, _, one in decided:
        for site_id, change in one.deltas:
            spent[site_id] += change
    held = await loads.spend(connection, spent)
    if any(spent[site_id] > 0 and load > _limit_of(snapshot, site_id) for site_id, load in held.items()):
        raise NoRoom
    if today:
        await _spend_days(connection, decided, snapshot, today)
    if month is not None:
        await _spend_shares(connection, decided, in_effect, month)
    return Settled(emissions, Counter([one.outcome for _, _, one in decided]), stale, len(kept))


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


async def _spend_days(
    connection: Connection, decided: Sequence[Answer], snapshot: Snapshot, today: Mapping[str, date]
) -> None:
    given = Counter([site_id for site_id in _given(decided) if site_id in today])
    if not given:
        return
    taken = await days.spend(connection, given, today)
    if any(count > snapshot.daily_limits[site_id] for site_id, count in taken.items()):
        raise NoRoom


async def _spend_shares(connection: Connection, decided: Sequence[Answer], in_effect: InEffect, month: date) -> None:
    keys = [contracted(in_effect.policy, in_effect.snapshot, site_id) for site_id in _given(decided)]
    given = Counter([key for key in keys if key is not None])
    if given:
        await shares.spend(connection, given, month)


def _given(decided: Sequence[Answer]) -> list[str]:
    """The site of every assignment."""
    return [one.site_id for _, _, one in decided if one.outcome == "assigned" and one.site_id is not None]


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


async def _record(
    connection: Connection, decided: Sequence[Answer], asked: Questions, in_effect: InEffect, now: datetime
) -> frozenset[str]:
    """Write the decisions and where they put their leads; returns the new leads that another router had decided.

    Raises Overtaken when the batch must be read again.
    """
    revision, version = in_effect.snapshot.revision, in_effect.policy.version
    first = [answer for answer in decided if answer[2].epoch == 1]
    further = [answer for answer in decided if answer[2].epoch > 1]
    new = _first_decisions(first, in_effect.policy)
    last = {one.lead_id: one for _, _, one in further}
    ended = asked.in_the_way(new)
    if ended:
        await recording.end_live(connection, sorted(ended))
    if arrived := asked.noted_erased.keys() & set(new.lead_id):
        await recording.forget_erased(connection, sorted(arrived))
    lost: frozenset[str] = frozenset()
    if first:
        added = await recording.add_first(connection, new, now, revision, version)
        lost = added.lost
        if not added.all_placed or not lost.isdisjoint(last):
            raise Overtaken
    if further:
        live = {lead_id for lead_id, row in asked.known.items() if row.live and lead_id not in ended}
        live.update(lead_id for lead_id, group in zip(new.lead_id, new.join_group, strict=True) if group is not None)
        points = {one.lead_id: one.point for _, _, one in further if one.point is not None}
        moved = [
            _moved(one, asked.epoch_of(lead_id), points.get(lead_id), is_live=lead_id in live)
            for lead_id, one in last.items()
        ]
        written = await recording.add_further(
            connection, [_further(answer) for answer in further], now, revision, version
        )
        if written < len(further) or await recording.move_leads(connection, moved, now, revision, version) < len(moved):
            raise Overtaken
    return lost


def _first_decisions(answers: Sequence[Answer], policy: Policy) -> FirstDecisions:
    ordered = sorted(answers, key=lambda answer: (answer[1].lead.person_id, answer[1].lead.lead_id))
    leads = [ask.lead for _, ask, _ in ordered]
    ones = [one for _, _, one in ordered]
    groups = {intent: policy.join_group(intent) for intent in Intent}
    return FirstDecisions(
        person_id=[lead.person_id for lead in leads],
        lead_id=[lead.lead_id for lead in leads],
        decision_id=[one.decision_id for one in ones],
        outcome=[one.outcome for one in ones],
        site_id=[one.site_id for one in ones],
        cause_id=[ask.stimulus.fact_id for _, ask, _ in ordered],
        record=[one.record.decode() for one in ones],
        due_at=[_text(one.respond_by or one.retry_at) for one in ones],
        join_group=[groups[lead.intent] for lead in leads],
        intent=[lead.intent for lead in leads],
        lat=[None if lead.point is None else repr(lead.point[0]) for lead in leads],
        lon=[None if lead.point is None else repr(lead.point[1]) for lead in leads],
        preferred_site_id=[lead.preferred_site_id for lead in leads],
        received_us=[str((lead.received_at - _EPOCH) // _MICROSECOND) for lead in leads],
        traceparent=[arrival.traceparent for arrival, _, _ in ordered],
        vehicle=[lead.vehicle or None for lead in leads],
        waits_for=[_waits_for(one) for one in ones],
        waiting=[one.waiting for one in ones],
    )


def _further(answer: Answer) -> FurtherDecision:
    _, ask, one = answer
    return FurtherDecision(
        one.lead_id, one.epoch, one.decision_id, one.outcome, one.site_id, ask.stimulus.fact_id, one.record.decode()
    )


def _moved(one: Decided, from_epoch: int, point: tuple[float, float] | None, *, is_live: bool) -> MovedLead:
    after = one.after
    may_be_live = after.state in (LeadState.WAITING, LeadState.HELD) or after.closed is ClosedReason.ACCEPTED
    return MovedLead(
        one.lead_id,
        from_epoch,
        after.epoch,
        _state(after),
        after.closed,
        after.site_id,
        after.assignment_epoch,
        _text(after.respond_by or one.retry_at),
        is_live and may_be_live,
        " ".join(after.excluded),
        _waits_for(one),
        after.waiting,
        point,
    )


def _emit_kept(kept: KeptDecision, traceparent: str | None) -> tuple[bytes, bytes]:
    traceparent = next_step(traceparent, kept.epoch)
    return decided_fact(kept.decision_id, kept.lead_id, kept.decided_at, traceparent, kept.record.encode())


def next_step(traceparent: str | None, epoch: int) -> str | None:
    """The context of a decision: derived from the fact that caused it, so that emitted again it is the same."""
    return child(traceparent, f"decided{epoch}")


@lru_cache(maxsize=64)
def _text(time: datetime | None) -> str | None:
    # The deadlines of a batch are a few, one per intent.
    return None if time is None else time.isoformat()


def _limit_of(snapshot: Snapshot, site_id: str) -> float:
    index = snapshot.index_of(site_id)
    return float("inf") if index is None else snapshot.offers[index].limit


def _state(after: LeadLedger) -> str:
    if after.state is None:
        raise ValueError("a decided lead has a state")
    return after.state.value


def _waits_for(one: Decided) -> str:
    """The full sites that would have taken a waiting lead: it is tried again when one of them has room."""
    if one.outcome != "waiting" or one.waiting is WaitingReason.NEEDS_PERSON or _FULL not in one.record:
        return ""
    candidates = orjson.loads(one.record)["candidates"]
    return " ".join(candidate["site_id"] for candidate in candidates if candidate.get("lost") == Lost.FULL)


_FULL = f'"lost":"{Lost.FULL.value}"'.encode()
