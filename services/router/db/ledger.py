"""Reading the ledger: what was decided, and where each lead stands after its latest decision."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.router.db.arrays import array_text
from shared.postgres import Connection


class KeptDecision(NamedTuple):
    """A decision that the ledger already has."""

    lead_id: str
    epoch: int
    decision_id: str
    decided_at: datetime
    cause_id: str
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
    erased_by: str | None
    vehicle: str | None
    waiting: str | None


async def lock_leads(connection: Connection, lead_ids: Sequence[str], person_ids: Sequence[str]) -> list[LeadRow]:
    """The rows of these leads and every live lead of these persons, locked until the transaction ends."""
    rows = await connection.fetch(
        """SELECT lead_id::text, person_id::text, epoch, state, closed, site_id, assignment_epoch, respond_by,
                  changed_at, live, join_group, intent, lat, lon, preferred_site_id, received_at, traceparent, excluded,
                  erased_by::text, vehicle, waiting
           FROM leads WHERE lead_id = ANY($1::text::uuid[]) OR (live AND person_id = ANY($2::text::uuid[]))
           ORDER BY person_id, lead_id FOR UPDATE""",
        array_text(lead_ids),
        array_text(person_ids),
    )
    return [LeadRow(*row) for row in rows]


class ServedRow(NamedTuple):
    """The latest lead of one intent that a site accepted from a person."""

    person_id: str
    intent: str
    site_id: str
    at: datetime


async def served(connection: Connection, person_ids: Sequence[str]) -> list[ServedRow]:
    """Who served these persons before, by intent."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (person_id, intent) person_id::text, intent, site_id, changed_at
           FROM leads
           WHERE person_id = ANY($1::text::uuid[]) AND closed IN ('accepted', 'outcome') AND site_id IS NOT NULL
           ORDER BY person_id, intent, changed_at DESC, site_id DESC""",
        array_text(person_ids),
    )
    return [ServedRow(*row) for row in rows]


async def first_decisions(connection: Connection, lead_ids: Sequence[str]) -> list[KeptDecision]:
    """What was decided when these leads were received."""
    rows = await connection.fetch(
        """SELECT lead_id::text, epoch, decision_id::text, decided_at, cause_id::text, record::text
           FROM decisions WHERE lead_id = ANY($1::uuid[]) AND epoch = 1 ORDER BY lead_id""",
        lead_ids,
    )
    return [KeptDecision(*row) for row in rows]


async def decisions_caused(
    connection: Connection, lead_ids: Sequence[str], cause_ids: Sequence[str]
) -> list[KeptDecision]:
    """What these facts caused for these leads (two arrays of one length), as far as it was decided."""
    rows = await connection.fetch(
        """SELECT decisions.lead_id::text, epoch, decision_id::text, decided_at, decisions.cause_id::text, record::text
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
        """SELECT lead_id::text, epoch, decision_id::text, decided_at, cause_id::text, record::text
           FROM decisions WHERE lead_id = $1 ORDER BY epoch""",
        lead_id,
    )
    return [KeptDecision(*row) for row in rows]


async def lead(connection: Connection, lead_id: UUID) -> LeadRow | None:
    """Where one lead stands."""
    row = await connection.fetchrow(
        """SELECT lead_id::text, person_id::text, epoch, state, closed, site_id, assignment_epoch, respond_by,
                  changed_at, live, join_group, intent, lat, lon, preferred_site_id, received_at, traceparent, excluded,
                  erased_by::text, vehicle, waiting
           FROM leads WHERE lead_id = $1""",
        lead_id,
    )
    return LeadRow(*row) if row else None
