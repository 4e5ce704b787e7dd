"""Erasing a person: contact and recognition are deleted, and a fact tells everybody else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.lead_intake import db, db_people
from services.lead_intake.db import OutboxRow
from shared.contracts import PEOPLE_ERASED, PersonErased, derived_id
from shared.postgres import Connection

LEADS_OF_A_FACT = 10_000
"""39 bytes each: a sender that gave thousands of leads one phone number must not make a fact that Kafka refuses."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did; repeating one deletes nothing more and publishes the same fact again."""

    person_id: UUID
    leads: int
    contacts: int
    tokens: int


async def erase_person(connection: Connection, person_id: UUID, now: datetime) -> Erased | None:
    """Erase inside the caller's transaction. None when nothing is known of such a person.

    Leads, decisions and reveals stay as rows without personal data, so counts and replays stay valid.
    """
    tokens = 0
    # Tokens first, and until none is left: an intake that recognised the person holds them until its lead is written,
    # and may have added one that the first look could not see.
    while found := await db_people.delete_tokens(connection, person_id):
        tokens += found
    lead_ids, contacts = await db_people.delete_contacts(connection, person_id)
    if not lead_ids and not tokens:
        return None
    erased_at = await db_people.record_erasure(connection, person_id, now)
    for start in range(0, len(lead_ids) or 1, LEADS_OF_A_FACT):
        fact = PEOPLE_ERASED.fact(
            PersonErased(
                person_id=person_id, lead_ids=tuple(lead_ids[start : start + LEADS_OF_A_FACT]), erased_at=erased_at
            ),
            id=derived_id("erased", person_id, start) if start else derived_id("erased", person_id),
            source="lead_intake",
            subject=str(person_id),
            time=erased_at,
        )
        row = OutboxRow(PEOPLE_ERASED.name, str(person_id).encode(), fact.to_bytes(), None)
        await db.insert_outbox(connection, row, now)
    return Erased(person_id, len(lead_ids), contacts, tokens)
