"""Statements about sources and their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.postgres import Connection


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends leads."""

    source: str
    consent_version: str | None


@dataclass(frozen=True, slots=True)
class RepeatedIds:
    """A source whose ids came for several people, and how many leads came under somebody else's id."""

    source: str
    leads: int


async def add_source(connection: Connection, source: Source, now: datetime) -> None:
    """Write a source, or its new consent version."""
    await connection.execute(
        """INSERT INTO sources (source, consent_version, created_at) VALUES ($1, $2, $3)
           ON CONFLICT (source) DO UPDATE SET consent_version = coalesce($2, sources.consent_version)""",
        source.source,
        source.consent_version,
        now,
    )


async def add_key(connection: Connection, source: str, key_hash: bytes, now: datetime) -> None:
    """Write the hash of a new key of a source."""
    await connection.execute(
        "INSERT INTO source_keys (key_hash, source, created_at) VALUES ($1, $2, $3)", key_hash, source, now
    )


async def valid_keys(connection: Connection) -> dict[bytes, Source]:
    """The source of every key that is not revoked, by the key's hash."""
    rows = await connection.fetch(
        """SELECT key_hash, source, consent_version FROM source_keys JOIN sources USING (source)
           WHERE revoked_at IS NULL"""
    )
    return {row["key_hash"]: Source(row["source"], row["consent_version"]) for row in rows}


async def list_keys(connection: Connection) -> Sequence[asyncpg.Record]:
    """Every key with its source, for people: source, consent_version, key_id, created_at, revoked_at."""
    return await connection.fetch(
        """SELECT source, consent_version, left(encode(key_hash, 'hex'), 8) AS key_id,
                  source_keys.created_at, revoked_at
           FROM sources JOIN source_keys USING (source) ORDER BY source, source_keys.created_at"""
    )


async def revoke_keys(connection: Connection, source: str, key_id: str, now: datetime) -> int:
    """Revoke the keys of a source whose id starts with `key_id` (all when empty); returns how many."""
    status = await connection.execute(
        """UPDATE source_keys SET revoked_at = $3
           WHERE source = $1 AND starts_with(encode(key_hash, 'hex'), $2) AND revoked_at IS NULL""",
        source,
        key_id,
        now,
    )
    return int(status.removeprefix("UPDATE "))


async def repeated_ids(connection: Connection, since: datetime) -> list[RepeatedIds]:
    """The sources that gave one id to several people since then, by name."""
    rows = await connection.fetch(
        """SELECT source, sum(other_people)::int AS leads FROM source_leads
           WHERE other_people > 0 AND repeated_at >= $1 GROUP BY source ORDER BY source""",
        since,
    )
    return [RepeatedIds(row["source"], row["leads"]) for row in rows]
