"""Every statement of the hot path and the outbox, over whole batches. Other statements: `db_people`, `db_sources`.

Writers that meet always take rows in the same order (table by table, sorted by key), so they queue and never deadlock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.lead_intake.candidates import SEPARATOR
from services.lead_intake.domain import Lead
from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of an Idempotency-Key."""

    source: str
    key: str
    fingerprint: bytes
    lead_id: UUID


@dataclass(frozen=True, slots=True)
class IdHolder:
    """The lead that came first under a sender's id."""

    lead_id: UUID
    person_id: UUID | None
    """None while the lead is only being written."""
    is_erased: bool
    other_people: int
    """Leads of other people that came under this id since."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A fact to publish; `id` is None until the row is written."""

    topic: str
    key: bytes
    value: bytes
    traceparent: str | None
    id: int | None = None


async def claim_keys(connection: Connection, claims: Sequence[Claim], now: datetime) -> None:
    """Write the keys that are new; waits for a transaction that is writing the same key."""
    ordered = sorted(claims, key=lambda claim: (claim.source, claim.key))
    await connection.execute(
        """INSERT INTO idempotency (source, key, fingerprint, lead_id, created_at)
           SELECT *, $5 FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[])
           ON CONFLICT DO NOTHING""",
        [claim.source for claim in ordered],
        [claim.key for claim in ordered],
        [claim.fingerprint for claim in ordered],
        [claim.lead_id for claim in ordered],
        now,
    )


async def holders_of_keys(connection: Connection, claims: Sequence[Claim]) -> dict[tuple[str, str], Claim]:
    """Who holds each key now, by (source, key)."""
    rows = await connection.fetch(
        """SELECT source, key, fingerprint, lead_id FROM idempotency
           JOIN unnest($1::text[], $2::text[]) AS asked (source, key) USING (source, key)""",
        [claim.source for claim in claims],
        [claim.key for claim in claims],
    )
    return {(row["source"], row["key"]): Claim(*row) for row in rows}


async def point_key(connection: Connection, claim: Claim, lead_id: UUID) -> None:
    """Let a key that was just claimed answer with an earlier lead."""
    await connection.execute(
        "UPDATE idempotency SET lead_id = $3 WHERE source = $1 AND key = $2", claim.source, claim.key, lead_id
    )


async def release_key(connection: Connection, claim: Claim) -> None:
    """Give back a key whose lead was refused after all."""
    await connection.execute("DELETE FROM idempotency WHERE source = $1 AND key = $2", claim.source, claim.key)


async def claim_source_ids(connection: Connection, leads: Sequence[Lead]) -> None:
    """Write the senders' lead ids that are new; waits for a transaction that is writing the same one."""
    ordered = sorted(leads, key=lambda lead: (lead.source, lead.source_id_token or b""))
    await connection.execute(
        """INSERT INTO source_leads (source, id_token, lead_id)
           SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[]) ON CONFLICT DO NOTHING""",
        [lead.source for lead in ordered],
        [lead.source_id_token for lead in ordered],
        [lead.lead_id for lead in ordered],
    )


async def holders_of_source_ids(connection: Connection, leads: Sequence[Lead]) -> dict[tuple[str, bytes], IdHolder]:
    """Who holds each sender's id now, by (source, id token)."""
    rows = await connection.fetch(
        """SELECT held.source, id_token, lead_id, person_id, erased_at IS NOT NULL AS is_erased, other_people
           FROM source_leads AS held
           JOIN unnest($1::text[], $2::bytea[]) AS asked (source, id_token) USING (source, id_token)
           LEFT JOIN leads USING (lead_id)
           LEFT JOIN erasures USING (person_id)""",
        [lead.source for lead in leads],
        [lead.source_id_token for lead in leads],
    )
    return {
        (row["source"], row["id_token"]): IdHolder(
            row["lead_id"], row["person_id"], row["is_erased"], row["other_people"]
        )
        for row in rows
    }


async def count_other_people(connection: Connection, leads: Sequence[Lead], now: datetime) -> None:
    """Note that these came under the id of another person's lead."""
    await connection.execute(
        """UPDATE source_leads SET other_people = other_people + counted.leads, repeated_at = $3
           FROM (SELECT held.source, held.id_token, given.leads
                 FROM (SELECT source, id_token, count(*)::int AS leads
                       FROM unnest($1::text[], $2::bytea[]) AS given (source, id_token) GROUP BY 1, 2) AS given
                 JOIN source_leads AS held USING (source, id_token)
                 ORDER BY held.source, held.id_token FOR UPDATE OF held) AS counted
           WHERE source_leads.source = counted.source AND source_leads.id_token = counted.id_token""",
        [lead.source for lead in leads],
        [lead.source_id_token for lead in leads],
        now,
    )


async def insert_leads(
    connection: Connection,
    leads: Sequence[Lead],
    persons: Sequence[UUID],
    sealed: Sequence[bytes],
    key_id: str,
    facts: Sequence[OutboxRow],
    now: datetime,
) -> list[int]:
    """Write the leads with their persons, sealed contacts and facts; the facts' row ids, in the same order.

    What is there already was written by this very batch, in a transaction whose COMMIT was never answered.
    """
    written = await connection.fetch(
        """WITH given AS (
               SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                                    $7::bytea[], $14::text[])
                   AS given (lead_id, person_id, intent, source, channel, received_at, sealed, candidates)),
           written AS (
               INSERT INTO leads (lead_id, person_id, intent, source, channel, received_at, place_candidates)
               SELECT lead_id, person_id, intent, source, channel, received_at, string_to_array(candidates, chr(10))
               FROM given
               ON CONFLICT DO NOTHING),
           kept AS (
               INSERT INTO contacts (lead_id, key_id, sealed) SELECT lead_id, $8, sealed FROM given
               ON CONFLICT DO NOTHING)
           INSERT INTO outbox (topic, key, value, traceparent, created_at)
           SELECT topic, key, value, traceparent, $13
           FROM unnest($9::text[], $10::bytea[], $11::bytea[], $12::text[])
                WITH ORDINALITY AS fact (topic, key, value, traceparent, place)
           ORDER BY place
           RETURNING id""",
        [lead.lead_id for lead in leads],
        persons,
        [lead.intent for lead in leads],
        [lead.source for lead in leads],
        [lead.channel for lead in leads],
        [lead.received_at for lead in leads],
        sealed,
        key_id,
        [row.topic for row in facts],
        [row.key for row in facts],
        [row.value for row in facts],
        [row.traceparent for row in facts],
        now,
        [SEPARATOR.join(lead.place_candidates) or None for lead in leads],
    )
    # Identity values are given in the order of the rows.
    return sorted(row["id"] for row in written)


async def insert_outbox(connection: Connection, row: OutboxRow, now: datetime) -> None:
    """Write one fact to publish that is about no lead of a batch."""
    await connection.execute(
        "INSERT INTO outbox (topic, key, value, traceparent, created_at) VALUES ($1, $2, $3, $4, $5)",
        row.topic,
        row.key,
        row.value,
        row.traceparent,
        now,
    )


async def take_leftovers(connection: Connection, older_than: datetime, limit: int) -> list[OutboxRow]:
    """Rows that are still there, oldest first, locked against other sweepers until the transaction ends."""
    rows = await connection.fetch(
        """SELECT topic, key, value, traceparent, id FROM outbox WHERE created_at < $1
           ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED""",
        older_than,
        limit,
    )
    return [OutboxRow(*row) for row in rows]


async def delete_outbox(connection: Connection, ids: Sequence[int]) -> None:
    """Forget facts that Kafka has acknowledged; not flushed, for a lost deletion only repeats a fact."""
    await connection.execute(
        """DELETE FROM outbox WHERE id = ANY($1::bigint[])
           AND (SELECT set_config('synchronous_commit', 'off', true)) = 'off'""",
        ids,
    )


async def count_outbox(connection: Connection) -> tuple[int, datetime | None]:
    """How many facts wait for Kafka, and since when the oldest does."""
    row = await connection.fetchrow("SELECT count(*) AS waiting, min(created_at) AS oldest FROM outbox")
    return (row["waiting"], row["oldest"]) if row else (0, None)


async def forget_keys(connection: Connection, before: datetime) -> None:
    """Drop Idempotency-Keys that are past their time."""
    await connection.execute("DELETE FROM idempotency WHERE created_at < $1", before)
