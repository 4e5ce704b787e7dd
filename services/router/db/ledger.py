"""The ledger: decisions, which are only ever added, and where each lead stands after its latest one.

Statements take arrays and are one round trip for a batch of any size. Rows are written in one order (decisions by
lead and epoch, leads by person and lead), so that routers wait for one another but cannot deadlock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.postgres import Connection


class DecisionRow(NamedTuple):
    """One decision as it is kept, with what its emission needs beside the record."""

    lead_id: str
    epoch: int
    decision_id: str
    outcome: str
    site_id: str | None
    cause_id: str
    traceparent: str | None
    record: str
    """Canonical JSON, the data of leads.decided."""


class KeptDecision(NamedTuple):
    """A decision that the ledger already has."""

    lead_id: str
    epoch: int
    decision_id: str
    decided_at: datetime
    cause_id: str
    traceparent: str | None
    record: str


class LeadRow(NamedTuple):
    """A lead as the ledger has it; the fields are those of the table."""

    lead_id: str
    person_id: str
    epoch: int
    state: str
    closed: str | None
    site_id: str | None
    assignment_epoch: int | None
    respond_by: datetime | None
    changed_at: datetime
    live: bool
    join_group: str | None
    intent: str | None
    lat: float | None
    lon: float | None
    preferred_site_id: str | None
    received_at: datetime | None
    traceparent: str | None
    excluded: list[str]


class NewLead(NamedTuple):
    """A lead with its first decision (or its first few, when they fell into one batch)."""

    lead_id: str
    person_id: str
    epoch: int
    state: str
    closed: str | None
    site_id: str | None
    assignment_epoch: int | None
    respond_by: datetime | None
    live: bool
    join_group: str | None
    intent: str
    lat: float | None
    lon: float | None
    preferred_site_id: str | None
    received_at: datetime
    traceparent: str | None
    excluded: str
    waits_for: str
    """Both are site ids separated by commas: PostgreSQL has no arrays of arrays of different lengths."""


class MovedLead(NamedTuple):
    """A lead with a further decision; it moves only from the epoch that the decision was taken on."""

    lead_id: str
    from_epoch: int
    epoch: int
    state: str
    closed: str | None
    site_id: str | None
    assignment_epoch: int | None
    respond_by: datetime | None
    live: bool
    excluded: str
    """Separated by commas, as `waits_for`."""
    waits_for: str


async def lock_leads(connection: Connection, lead_ids: Sequence[str], person_ids: Sequence[str]) -> list[LeadRow]:
    """The rows of these leads and every live lead of these persons, locked until the transaction ends."""
    rows = await connection.fetch(
        """SELECT lead_id::text, person_id::text, epoch, state, closed, site_id, assignment_epoch, respond_by,
                  changed_at, live, join_group, intent, lat, lon, preferred_site_id, received_at, traceparent, excluded
           FROM leads WHERE lead_id = ANY($1::uuid[]) OR (live AND person_id = ANY($2::uuid[]))
           ORDER BY person_id, lead_id FOR UPDATE""",
        lead_ids,
        person_ids,
    )
    return [LeadRow(*row) for row in rows]


async def first_decisions(connection: Connection, lead_ids: Sequence[str]) -> list[KeptDecision]:
    """What was decided when these leads were received."""
    rows = await connection.fetch(
        """SELECT lead_id::text, epoch, decision_id::text, decided_at, cause_id::text, traceparent, record::text
           FROM decisions WHERE lead_id = ANY($1::uuid[]) AND epoch = 1 ORDER BY lead_id""",
        lead_ids,
    )
    return [KeptDecision(*row) for row in rows]


async def decisions_caused(
    connection: Connection, lead_ids: Sequence[str], cause_ids: Sequence[str]
) -> list[KeptDecision]:
    """What these facts caused for these leads (two arrays of one length), as far as it was decided."""
    rows = await connection.fetch(
        """SELECT decisions.lead_id::text, epoch, decision_id::text, decided_at, decisions.cause_id::text, traceparent,
                  record::text
           FROM unnest($1::uuid[], $2::uuid[]) AS asked (lead_id, cause_id)
           JOIN decisions ON decisions.lead_id = asked.lead_id AND decisions.cause_id = asked.cause_id
           ORDER BY decisions.lead_id, epoch""",
        lead_ids,
        cause_ids,
    )
    return [KeptDecision(*row) for row in rows]


async def decisions_of(connection: Connection, lead_id: UUID) -> list[KeptDecision]:
    """All decisions of one lead, in order."""
    rows = await connection.fetch(
        """SELECT lead_id::text, epoch, decision_id::text, decided_at, cause_id::text, traceparent, record::text
           FROM decisions WHERE lead_id = $1 ORDER BY epoch""",
        lead_id,
    )
    return [KeptDecision(*row) for row in rows]


async def add_decisions(
    connection: Connection, rows: Sequence[DecisionRow], decided_at: datetime, revision: int, version: int
) -> set[tuple[str, int]]:
    """Write decisions, at most one per lead and epoch; returns (lead_id, epoch) of those that were not there yet."""
    ordered = sorted(rows)
    lead_id, epoch, decision_id, outcome, site_id, cause_id, traceparent, record = zip(*ordered, strict=True)
    won = await connection.fetch(
        """INSERT INTO decisions (lead_id, epoch, decision_id, outcome, site_id, cause_id, traceparent, record,
                                  decided_at, network_revision, policy_version)
           SELECT lead_id, epoch, decision_id, outcome, site_id, cause_id, traceparent, record::json, $9, $10, $11
           FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[])
             AS new (lead_id, epoch, decision_id, outcome, site_id, cause_id, traceparent, record)
           ON CONFLICT (lead_id, epoch) DO NOTHING
           RETURNING lead_id::text, epoch""",
        lead_id,
        epoch,
        decision_id,
        outcome,
        site_id,
        cause_id,
        traceparent,
        record,
        decided_at,
        revision,
        version,
    )
    return {(row[0], row[1]) for row in won}


async def add_leads(
    connection: Connection, rows: Sequence[NewLead], changed_at: datetime, revision: int, version: int
) -> int:
    """Write leads with their first decision; returns how many.

    Fewer than given means that another router gave one of the persons a live lead meanwhile.
    """
    ordered = sorted(rows, key=lambda row: (row.person_id, row.lead_id))
    status = await connection.execute(
        """INSERT INTO leads (lead_id, person_id, epoch, state, closed, site_id, assignment_epoch, respond_by, live,
                              join_group, intent, lat, lon, preferred_site_id, received_at, traceparent,
                              excluded, waits_for, changed_at, network_revision, policy_version)
           SELECT lead_id, person_id, epoch, state, closed, site_id, assignment_epoch, respond_by, live,
                  join_group, intent, lat, lon, preferred_site_id, received_at, traceparent,
                  string_to_array(excluded, ','), string_to_array(waits_for, ','), $19, $20, $21
           FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[],
                       $8::timestamptz[], $9::bool[], $10::text[], $11::text[], $12::float8[], $13::float8[],
                       $14::text[], $15::timestamptz[], $16::text[], $17::text[], $18::text[])
             AS new (lead_id, person_id, epoch, state, closed, site_id, assignment_epoch, respond_by, live,
                     join_group, intent, lat, lon, preferred_site_id, received_at, traceparent, excluded, waits_for)
           ON CONFLICT DO NOTHING""",
        *zip(*ordered, strict=True),
        changed_at,
        revision,
        version,
    )
    return int(status.split()[-1])


async def move_leads(
    connection: Connection, rows: Sequence[MovedLead], changed_at: datetime, revision: int, version: int
) -> int:
    """Bring leads to the state after a further decision; returns how many were at the epoch before it."""
    status = await connection.execute(
        """UPDATE leads SET epoch = new.epoch, state = new.state, closed = new.closed, site_id = new.site_id,
                  assignment_epoch = new.assignment_epoch, respond_by = new.respond_by, live = new.live,
                  excluded = string_to_array(new.excluded, ','), waits_for = string_to_array(new.waits_for, ','),
                  due_published_at = NULL, changed_at = $12, network_revision = $13, policy_version = $14
           FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[],
                       $8::timestamptz[], $9::bool[], $10::text[], $11::text[])
             AS new (lead_id, from_epoch, epoch, state, closed, site_id, assignment_epoch, respond_by, live,
                     excluded, waits_for)
           WHERE leads.lead_id = new.lead_id AND leads.epoch = new.from_epoch""",
        *zip(*rows, strict=True),
        changed_at,
        revision,
        version,
    )
    return int(status.split()[-1])


async def end_live(connection: Connection, lead_ids: Sequence[str]) -> None:
    """Nothing joins these (locked) leads any more."""
    await connection.execute("UPDATE leads SET live = false WHERE lead_id = ANY($1::uuid[])", lead_ids)


async def remember_erased(
    connection: Connection, lead_ids: Sequence[str], person_ids: Sequence[str], erased_at: datetime
) -> int:
    """Note leads that were erased before they arrived here (epoch 0), so that they are closed when they do.

    Returns how many were noted; fewer than given means that the others have arrived meanwhile.
    """
    status = await connection.execute(
        """INSERT INTO leads (lead_id, person_id, epoch, state, closed, changed_at, live, network_revision,
                              policy_version)
           SELECT lead_id, person_id, 0, 'closed', 'erased', $3, false, 0, 0
           FROM unnest($1::uuid[], $2::uuid[]) AS new (lead_id, person_id) ORDER BY person_id, lead_id
           ON CONFLICT (lead_id) DO NOTHING""",
        lead_ids,
        person_ids,
        erased_at,
    )
    return int(status.split()[-1])


async def forget_erased(connection: Connection, lead_ids: Sequence[str]) -> None:
    """Remove the (locked) notes of leads that arrive now, so that they can be written as any other."""
    await connection.execute("DELETE FROM leads WHERE lead_id = ANY($1::uuid[]) AND epoch = 0", lead_ids)


async def lead(connection: Connection, lead_id: UUID) -> LeadRow | None:
    """Where one lead stands."""
    row = await connection.fetchrow(
        """SELECT lead_id::text, person_id::text, epoch, state, closed, site_id, assignment_epoch, respond_by,
                  changed_at, live, join_group, intent, lat, lon, preferred_site_id, received_at, traceparent, excluded
           FROM leads WHERE lead_id = $1""",
        lead_id,
    )
    return LeadRow(*row) if row else None
