"""One transaction for a batch of leads: which are new, who they are about, and what is to be published.

Everything that can be sent twice is claimed by a unique row first: the Idempotency-Key, then the sender's own lead id,
then the person's tokens. A claim waits for whoever is writing the same row, so the answer is the same in all processes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.lead_intake import db, db_people
from services.lead_intake.db import Claim, OutboxRow
from services.lead_intake.domain import Lead, received_fact
from services.lead_intake.faults import Fault
from services.lead_intake.people import share_out
from services.lead_intake.problems import Problem, refused
from services.lead_intake.seal import Seal
from shared.contracts import LEADS_RECEIVED
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Entry:
    """A lead that asks to be accepted, and its Idempotency-Key when it came with one."""

    lead: Lead
    claim: Claim | None = None


Outcome: TypeAlias = UUID | Problem
"""The id of the accepted lead (an earlier one's, when this is a repeat), or why there is none."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch came to, in its order; `outbox` are the rows written, with their ids."""

    outcomes: list[Outcome]
    outbox: list[OutboxRow]
    repeated: Sequence[Lead] = ()
    """Leads that came under an id of another person's lead: their source gives ids that identify nothing."""


class AnotherWasQuicker(Exception):  # noqa: N818 - it names a state
    """Another intake wrote one of these people's tokens between our look and our write.

    Its row is committed once ours was refused: undo the transaction, do it again, and it finds the row. One person
    never gets two ids. A savepoint would undo less, and cost every transaction two round trips for what is rare.
    """


async def record(
    connection: Connection, entries: Sequence[Entry], seal: Seal, now: datetime, new_person: Callable[[], UUID]
) -> Recorded:
    """Write a batch inside the caller's transaction; nothing counts before its commit. Raises AnotherWasQuicker."""
    settled: dict[UUID, Outcome] = {}
    await _settle_keys(connection, entries, now, settled)
    unsettled = [entry for entry in entries if entry.lead.lead_id not in settled]
    repeated = await _settle_source_ids(connection, unsettled, now, settled)
    new = [entry.lead for entry in entries if entry.lead.lead_id not in settled]
    outbox = await _write(connection, new, seal, now, new_person) if new else []
    settled.update((lead.lead_id, lead.lead_id) for lead in new)
    return Recorded([_final(settled, entry.lead.lead_id) for entry in entries], outbox, repeated)


def _final(settled: dict[UUID, Outcome], lead_id: UUID) -> Outcome:
    outcome = settled[lead_id]
    # A repeat points at the first of its kind; that one may be in this batch and may itself have been refused.
    while isinstance(outcome, UUID) and settled.get(outcome, outcome) != outcome:
        outcome = settled[outcome]
    return outcome


async def _settle_keys(
    connection: Connection, entries: Sequence[Entry], now: datetime, settled: dict[UUID, Outcome]
) -> None:
    claims = [entry.claim for entry in entries if entry.claim]
    if not claims:
        return
    await db.claim_keys(connection, claims, now)
    holders = await db.holders_of_keys(connection, claims)
    for claim in claims:
        holder = holders[claim.source, claim.key]
        if holder.lead_id == claim.lead_id:
            continue
        same = holder.fingerprint == claim.fingerprint
        settled[claim.lead_id] = holder.lead_id if same else _key_reused()


async def _settle_source_ids(
    connection: Connection, entries: Sequence[Entry], now: datetime, settled: dict[UUID, Outcome]
) -> list[Lead]:
    """Settle what came before under the same id; returns the leads whose id another person's lead holds.

    Such a lead is refused where ids are certain, and taken where they are often the same for all: it is known by its
    content, which its Idempotency-Key stands for.
    """
    named = [entry for entry in entries if entry.lead.source_id_token]
    if not named:
        return []
    leads = [entry.lead for entry in named]
    await db.claim_source_ids(connection, leads)
    holders = await db.holders_of_source_ids(connection, leads)
    persons = await db_people.persons_of(connection, [token for lead in leads for token in lead.tokens])
    batch = {lead.lead_id: lead for lead in leads}
    repeated: list[Lead] = []
    for entry in named:
        lead = entry.lead
        holder = holders[lead.source, lead.source_id_token or b""]
        if holder.lead_id == lead.lead_id:
            continue
        if holder.lead_id in batch:
            same_person = bool(set(lead.tokens) & set(batch[holder.lead_id].tokens))
        else:
            same_person = holder.person_id in {persons.get(token) for token in lead.tokens} - {None}
        may_repeat = lead.content_token is not None
        if same_person and not (may_repeat and holder.other_people):
            settled[lead.lead_id] = holder.lead_id
            if entry.claim:
                await db.point_key(connection, entry.claim, holder.lead_id)
            continue
        if not same_person:
            repeated.append(lead)
        # Of one who was erased, it may be that very lead once more, until the id has come for others as well.
        if not may_repeat or (holder.is_erased and not holder.other_people):
            settled[lead.lead_id] = _source_id_reused()
            if entry.claim:
                # Else a retry with this key would be told that the lead was accepted.
                await db.release_key(connection, entry.claim)
    if repeated:
        await db.count_other_people(connection, repeated, now)
    return repeated


async def _write(
    connection: Connection, leads: Sequence[Lead], seal: Seal, now: datetime, new_person: Callable[[], UUID]
) -> list[OutboxRow]:
    persons = await _recognise(connection, leads, new_person)
    sealed = [seal.close(lead.lead_id, lead.contact) for lead in leads]
    rows = [
        OutboxRow(
            LEADS_RECEIVED.name,
            str(lead.lead_id).encode(),
            received_fact(lead, person).to_bytes(),
            lead.traceparent,
        )
        for lead, person in zip(leads, persons, strict=True)
    ]
    ids = await db.insert_leads(connection, leads, persons, sealed, seal.key_id, rows, now)
    return [
        OutboxRow(row.topic, row.key, row.value, row.traceparent, row_id) for row, row_id in zip(rows, ids, strict=True)
    ]


async def _recognise(connection: Connection, leads: Sequence[Lead], new_person: Callable[[], UUID]) -> list[UUID]:
    tokens = [token for lead in leads for token in lead.tokens]
    known = await db_people.persons_of(connection, tokens)
    persons, unknown = share_out([lead.tokens for lead in leads], known, new_person)
    if unknown and await db_people.insert_tokens(connection, unknown) != len(unknown):
        raise AnotherWasQuicker
    return persons


def _key_reused() -> Problem:
    return Problem(
        422,
        "idempotency-key-reused",
        "The Idempotency-Key was used for another body",
        "use a new key for a new lead, and the same key only to send the same bytes again",
    )


def _source_id_reused() -> Problem:
    problem = refused([Fault("/source_lead_id", "names an earlier lead of another person, or of one who was erased")])
    return Problem(409, problem.slug, problem.title, faults=problem.faults)
