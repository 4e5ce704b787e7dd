"""Statements about people: their tokens, contacts, reveals and erasure, and what became of their leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class LeadState:
    """What is known of a lead without its person."""

    lead_id: UUID
    source: str
    state: str
    epoch: int
    reason: str | None
    site_id: str | None
    joins_lead_id: UUID | None
    received_at: datetime
    decided_at: datetime | None
    place_candidates: Sequence[str] | None = None
    """Official codes of the places that may be meant, when the lead came without a certain one."""


@dataclass(frozen=True, slots=True)
class SealedContact:
    """A contact as it is stored, with what the intake knows of the lead's holder."""

    key_id: str
    sealed: bytes
    epoch: int
    site_id: str | None


async def persons_of(connection: Connection, tokens: Sequence[bytes]) -> dict[bytes, UUID]:
    """The person of each known token, locked so that an erasure waits until these leads are written."""
    rows = await connection.fetch(
        "SELECT token, person_id FROM person_tokens WHERE token = ANY($1::bytea[]) ORDER BY token FOR KEY SHARE",
        tokens,
    )
    return {row["token"]: row["person_id"] for row in rows}


async def insert_tokens(connection: Connection, persons: Mapping[bytes, UUID]) -> int:
    """Write new tokens and return how many were; fewer than given means another intake was quicker."""
    tokens = sorted(persons)
    rows = await connection.fetch(
        """INSERT INTO person_tokens (token, person_id) SELECT * FROM unnest($1::bytea[], $2::uuid[])
           ON CONFLICT DO NOTHING RETURNING 1""",
        tokens,
        [persons[token] for token in tokens],
    )
    return len(rows)


async def read_state(connection: Connection, lead_id: UUID) -> LeadState | None:
    """The state of one lead."""
    row = await connection.fetchrow(
        """SELECT lead_id, source, state, epoch, reason, site_id, joins_lead_id, received_at, decided_at,
                  place_candidates
           FROM leads WHERE lead_id = $1""",
        lead_id,
    )
    return LeadState(*row) if row else None


async def advance_states(connection: Connection, states: Sequence[LeadState]) -> int:
    """Move leads forward, never back: a decision of an older epoch changes nothing. Returns how many moved."""
    ordered = sorted(states, key=lambda state: state.lead_id)
    status = await connection.execute(
        """UPDATE leads SET state = new.state, epoch = new.epoch, reason = new.reason, site_id = new.site_id,
                  joins_lead_id = new.joins_lead_id, decided_at = new.decided_at
           FROM (SELECT leads.lead_id, given.*
                 FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[])
                      AS given (id, state, epoch, reason, site_id, joins_lead_id, decided_at)
                 JOIN leads ON leads.lead_id = given.id
                 ORDER BY leads.lead_id FOR UPDATE OF leads) AS new
           WHERE leads.lead_id = new.lead_id AND leads.epoch < new.epoch""",
        [state.lead_id for state in ordered],
        [state.state for state in ordered],
        [state.epoch for state in ordered],
        [state.reason for state in ordered],
        [state.site_id for state in ordered],
        [state.joins_lead_id for state in ordered],
        [state.decided_at for state in ordered],
    )
    return int(status.removeprefix("UPDATE "))


async def read_contact(connection: Connection, lead_id: UUID) -> SealedContact | None:
    """The sealed contact of a lead, locked against an erasure; None when it is unknown or erased."""
    row = await connection.fetchrow(
        """SELECT key_id, sealed, epoch, site_id FROM contacts JOIN leads USING (lead_id)
           WHERE lead_id = $1 FOR KEY SHARE OF contacts""",
        lead_id,
    )
    return SealedContact(*row) if row else None


async def record_reveal(
    connection: Connection, nonce: str, lead_id: UUID, site_id: str, epoch: int, via: str, now: datetime
) -> bool:
    """Record that a contact is shown; False when the nonce was used before."""
    status = await connection.execute(
        """INSERT INTO reveals (nonce, lead_id, site_id, epoch, via, revealed_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        nonce,
        lead_id,
        site_id,
        epoch,
        via,
        now,
    )
    return bool(status == "INSERT 0 1")


async def delete_tokens(connection: Connection, person_id: UUID) -> int:
    """Forget how to recognise a person; returns how many tokens were left."""
    status = await connection.execute("DELETE FROM person_tokens WHERE person_id = $1", person_id)
    return int(status.removeprefix("DELETE "))


async def delete_contacts(connection: Connection, person_id: UUID) -> tuple[list[UUID], int]:
    """Delete the contacts of all leads of a person; returns all those leads, and how many contacts there were."""
    rows = await connection.fetch(
        """WITH theirs AS (SELECT lead_id FROM leads WHERE person_id = $1),
           gone AS (DELETE FROM contacts USING theirs WHERE contacts.lead_id = theirs.lead_id
                    RETURNING contacts.lead_id)
           SELECT theirs.lead_id, gone.lead_id IS NOT NULL AS had_contact
           FROM theirs LEFT JOIN gone USING (lead_id) ORDER BY theirs.lead_id""",
        person_id,
    )
    return [row["lead_id"] for row in rows], sum(row["had_contact"] for row in rows)


async def record_erasure(connection: Connection, person_id: UUID, now: datetime) -> datetime:
    """Record an erasure and return when it happened first: repeating it repeats the same fact."""
    erased_at: datetime = await connection.fetchval(
        """INSERT INTO erasures (person_id, erased_at) VALUES ($1, $2)
           ON CONFLICT (person_id) DO UPDATE SET erased_at = erasures.erased_at RETURNING erased_at""",
        person_id,
        now,
    )
    return erased_at


async def take_old_seals(connection: Connection, active_key: str, limit: int) -> list[tuple[UUID, str, bytes]]:
    """Contacts sealed with another key than the active one, as (lead id, key id, sealed), locked."""
    rows = await connection.fetch(
        """SELECT lead_id, key_id, sealed FROM contacts WHERE key_id <> $1
           ORDER BY lead_id LIMIT $2 FOR UPDATE""",
        active_key,
        limit,
    )
    return [(row["lead_id"], row["key_id"], row["sealed"]) for row in rows]


async def replace_seals(
    connection: Connection, active_key: str, lead_ids: Sequence[UUID], sealed: Sequence[bytes]
) -> None:
    """Write contacts that were sealed anew."""
    await connection.execute(
        """UPDATE contacts SET key_id = $1, sealed = given.sealed
           FROM unnest($2::uuid[], $3::bytea[]) AS given (lead_id, sealed) WHERE contacts.lead_id = given.lead_id""",
        active_key,
        lead_ids,
        sealed,
    )
