"""One batch in one transaction: read the ledger, decide, record. What comes out is what PostgreSQL says, to be emitted.

Leads that exist are locked by the reading, so their next decision has no rival. A new lead has: another router with
the same record (the ledger's key refuses the second decision, which is then read back), or with another lead of the
same person (the one live lead per person is taken: `Overtaken`), or with the last place of a site (`NoRoom`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from services.router.db import ledger, loads
from services.router.db.ledger import DecisionRow, KeptDecision, MovedLead, NewLead
from services.router.domain import Ask, Decided, LeadLedger, LeadState, Stale, decide_batch
from services.router.emission import decided_fact
from services.router.questions import Questions
from services.router.reading import Arrival
from services.router.reload import InEffect
from services.router.snapshot import Snapshot
from shared.contracts import ClosedReason, Lost
from shared.postgres import Connection
from shared.tracing import child


class Overtaken(Exception):  # noqa: N818 - it names a state
    """Another router changed the same person's or lead's state since it was read: read again and decide again."""


class NoRoom(Exception):  # noqa: N818 - it names a state
    """Another router filled a site since its load was read: decide again with the loads locked."""


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
    connection: Connection, arrivals: Sequence[Arrival], in_effect: InEffect, now: datetime, *, lock_loads: bool
) -> Settled:
    """Read, decide and record `arrivals`, inside the caller's transaction.

    `lock_loads` keeps every load from the reading on: nothing can then fill a site in between. Raises Overtaken or
    NoRoom, after which the whole transaction is to be rolled back and done again.
    """
    snapshot, policy = in_effect.snapshot, in_effect.policy
    # Locks first, in this order in every router: leads, loads (when locked early), the ledger, leads, loads.
    rows = await ledger.lock_leads(
        connection,
        [arrival.lead_id for arrival in arrivals],
        [arrival.received.person_id for arrival in arrivals if arrival.received is not None],
    )
    seen = await loads.read(connection, locked=lock_loads)
    asked = Questions(rows, arrivals, policy)
    kept = await _repeated(connection, asked)
    questions = asked.questions({(one.lead_id, one.cause_id) for one in kept})

    answers = decide_batch([question.ask for question in questions], snapshot, policy, seen, now)

    if asked.erased_early:
        noted = await ledger.remember_erased(
            connection,
            [lead_id for lead_id, _ in asked.erased_early],
            [person for _, person in asked.erased_early],
            now,
        )
        if noted < len(asked.erased_early):
            raise Overtaken
    stale = asked.stale
    decided: list[tuple[Arrival, Ask, Decided]] = []
    for (arrival, ask), answer in zip(questions, answers, strict=True):
        if isinstance(answer, Stale):
            stale[arrival.topic, answer.reason.value] += 1
        else:
            decided.append((arrival, ask, answer))
    emissions = [_emit_kept(one) for one in kept]
    if not decided:
        return Settled(emissions, Counter(), stale, len(kept))

    decisions, fresh = _as_rows(decided, now)
    won = await ledger.add_decisions(connection, decisions, now, snapshot.revision, policy.version)
    if len(won) < len(decisions):
        lost = {row.lead_id for row in decisions if (row.lead_id, row.epoch) not in won}
        others = await ledger.first_decisions(connection, sorted(lost))
        if lost & asked.known.keys() or len(others) < len(lost):
            raise Overtaken
        emissions += [_emit_kept(one) for one in others]
        decided = [one for one in decided if one[2].lead_id not in lost]
        fresh = [one for one, row in zip(fresh, decisions, strict=True) if row.lead_id not in lost]
        kept += others
    await _move(connection, decided, asked, in_effect, now)
    spent: Counter[str] = Counter()
    for _, _, one in decided:
        for site_id, change in one.deltas:
            spent[site_id] += change
    held = await loads.spend(connection, spent)
    over = [site_id for site_id, load in held.items() if spent[site_id] > 0 and load > _limit_of(snapshot, site_id)]
    if over:
        raise NoRoom
    return Settled(emissions + fresh, Counter([one.outcome for _, _, one in decided]), stale, len(kept))


async def _repeated(connection: Connection, asked: Questions) -> list[KeptDecision]:
    kept: list[KeptDecision] = []
    if again := asked.received_again():
        kept += await ledger.first_decisions(connection, again)
    if others := asked.may_be_repeated():
        lead_ids, fact_ids = [lead_id for lead_id, _ in others], [fact_id for _, fact_id in others]
        kept += await ledger.decisions_caused(connection, lead_ids, fact_ids)
    return kept


Answer = tuple[Arrival, Ask, Decided]


def _as_rows(decided: Sequence[Answer], now: datetime) -> tuple[list[DecisionRow], list[tuple[bytes, bytes]]]:
    """The ledger's rows and the records of the same decisions, side by side."""
    rows, emissions = [], []
    for arrival, ask, one in decided:
        traceparent = child(arrival.traceparent, f"decided{one.epoch}")
        rows.append(
            DecisionRow(
                one.lead_id,
                one.epoch,
                one.decision_id,
                one.outcome,
                one.site_id,
                ask.stimulus.fact_id,
                traceparent,
                one.record.decode(),
            )
        )
        emissions.append(decided_fact(one.decision_id, one.lead_id, now, traceparent, one.record))
    return rows, emissions


def _emit_kept(kept: KeptDecision) -> tuple[bytes, bytes]:
    return decided_fact(kept.decision_id, kept.lead_id, kept.decided_at, kept.traceparent, kept.record.encode())


async def _move(
    connection: Connection, decided: Sequence[Answer], asked: Questions, in_effect: InEffect, now: datetime
) -> None:
    """Bring every lead to where its last decision of this batch puts it. Raises Overtaken when one moved meanwhile."""
    revision, version = in_effect.snapshot.revision, in_effect.policy.version
    last: dict[str, Answer] = {one.lead_id: (arrival, ask, one) for arrival, ask, one in decided}
    first: dict[str, Arrival] = {}
    for arrival, ask, _ in decided:
        first.setdefault(ask.lead.lead_id, arrival)
    new, moved, ended = [], [], set[str]()
    for lead_id, (_, ask, one) in last.items():
        if lead_id not in asked.known:
            row = _new_lead(ask, one, in_effect.policy.join_group(ask.lead.intent), first[lead_id].traceparent)
            new.append(row)
            if row.live:
                ended.update(asked.in_the_way(row.person_id, row.join_group))
    for lead_id, (_, _, one) in last.items():
        if lead_id in asked.known:
            known = asked.known[lead_id]
            moved.append(_moved_lead(known.epoch, one, is_live=known.live and lead_id not in ended))
    if ended:
        await ledger.end_live(connection, sorted(ended))
    if arrived := asked.noted_erased & last.keys():
        await ledger.forget_erased(connection, sorted(arrived))
    if new and await ledger.add_leads(connection, new, now, revision, version) < len(new):
        raise Overtaken
    if moved and await ledger.move_leads(connection, moved, now, revision, version) < len(moved):
        raise Overtaken


def _new_lead(ask: Ask, one: Decided, join_group: str | None, traceparent: str | None) -> NewLead:
    lead, after = ask.lead, one.after
    lat, lon = lead.point or (None, None)
    return NewLead(
        lead.lead_id,
        lead.person_id,
        after.epoch,
        _state(after),
        after.closed,
        after.site_id,
        after.assignment_epoch,
        after.respond_by,
        join_group is not None and _may_be_live(after),
        join_group,
        lead.intent.value,
        lat,
        lon,
        lead.preferred_site_id,
        lead.received_at,
        traceparent,
        ",".join(after.excluded),
        _waits_for(one),
    )


def _moved_lead(from_epoch: int, one: Decided, *, is_live: bool) -> MovedLead:
    after = one.after
    return MovedLead(
        one.lead_id,
        from_epoch,
        after.epoch,
        _state(after),
        after.closed,
        after.site_id,
        after.assignment_epoch,
        after.respond_by,
        is_live and _may_be_live(after),
        ",".join(after.excluded),
        _waits_for(one),
    )


def _limit_of(snapshot: Snapshot, site_id: str) -> float:
    """Most leads that the site may hold."""
    index = snapshot.index_of(site_id)
    return float("inf") if index is None else snapshot.offers[index].limit


def _state(after: LeadLedger) -> str:
    if after.state is None:
        raise ValueError("a decided lead has a state")
    return after.state.value


def _may_be_live(after: LeadLedger) -> bool:
    return after.state in (LeadState.WAITING, LeadState.HELD) or after.closed is ClosedReason.ACCEPTED


def _waits_for(one: Decided) -> str:
    """The full sites that would have taken a waiting lead: it is tried again when one of them has room."""
    if one.outcome != "waiting" or _FULL not in one.record:
        return ""
    candidates = orjson.loads(one.record)["candidates"]
    return ",".join(candidate["site_id"] for candidate in candidates if candidate.get("lost") == Lost.FULL)


_FULL = f'"lost":"{Lost.FULL.value}"'.encode()
