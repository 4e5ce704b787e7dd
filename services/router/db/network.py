"""Network revisions and policies: added by operators, read by every router, never changed."""

from datetime import datetime
from typing import NamedTuple

from shared.postgres import Connection

# Held by the one operator's command that writes a revision or a version; any constant serves, but it must stay.
_WRITER_LOCK = 0x6E657477


class By(NamedTuple):
    """Who wanted a revision or a version; nothing is known of one that was made without an operator's key."""

    change_id: int | None = None
    published_by: str | None = None
    approved_by: str | None = None


ANONYMOUS = By()


class Revision(NamedTuple):
    """A network as it was (or is): `sites` is canonical JSON text, `digest` its SHA-256 in hex."""

    revision: int
    digest: str
    sites: str
    created_at: datetime
    by: By = ANONYMOUS


class RevisionLine(NamedTuple):
    """A revision in a list; `sites` is how many it has."""

    revision: int
    digest: str
    sites: int
    created_at: datetime
    by: By = ANONYMOUS


class PublishedPolicy(NamedTuple):
    """A policy file as it was (or is) in effect."""

    version: int
    digest: str
    toml: str
    published_at: datetime
    by: By = ANONYMOUS


class Current(NamedTuple):
    """What is in effect now; 0 stands for none."""

    revision: int
    version: int


async def lock_for_writing(connection: Connection) -> None:
    """Wait for other operators, and for routers that put a change into effect; held until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _WRITER_LOCK)


async def try_to_lock_for_writing(connection: Connection) -> bool:
    """The same without waiting; False while somebody else writes."""
    taken: bool = await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _WRITER_LOCK)
    return taken


async def current(connection: Connection) -> Current:
    """Numbers of the newest revision and policy."""
    [row] = await connection.fetch(
        """SELECT coalesce((SELECT max(revision) FROM network_revisions), 0),
                  coalesce((SELECT max(version) FROM policies), 0)"""
    )
    return Current(*row)


async def revision(connection: Connection, number: int | None = None) -> Revision | None:
    """One revision, by default the newest."""
    row = await connection.fetchrow(
        """SELECT revision, digest, sites::text, created_at, change_id, published_by, approved_by
           FROM network_revisions
           WHERE revision = coalesce($1, (SELECT max(revision) FROM network_revisions))""",
        number,
    )
    return Revision(*row[:4])._replace(by=By(*row[4:])) if row else None


async def revisions(connection: Connection, limit: int) -> list[RevisionLine]:
    """The newest revisions, without their sites."""
    rows = await connection.fetch(
        """SELECT revision, digest, json_array_length(sites) AS sites, created_at,
                  change_id, published_by, approved_by
           FROM network_revisions ORDER BY revision DESC LIMIT $1""",
        limit,
    )
    return [RevisionLine(*row[:4])._replace(by=By(*row[4:])) for row in rows]


async def add_revision(connection: Connection, added: Revision) -> None:
    """Put a revision into effect."""
    await connection.execute(
        """INSERT INTO network_revisions
               (revision, digest, sites, created_at, change_id, published_by, approved_by)
           VALUES ($1, $2, $3::text::json, $4, $5, $6, $7)""",
        *added[:4],
        *added.by,
    )


async def policy(connection: Connection, number: int | None = None) -> PublishedPolicy | None:
    """One policy, by default the newest."""
    row = await connection.fetchrow(
        """SELECT version, digest, toml, published_at, change_id, published_by, approved_by FROM policies
           WHERE version = coalesce($1, (SELECT max(version) FROM policies))""",
        number,
    )
    return PublishedPolicy(*row[:4])._replace(by=By(*row[4:])) if row else None


async def add_policy(connection: Connection, added: PublishedPolicy) -> None:
    """Put a policy into effect."""
    await connection.execute(
        """INSERT INTO policies (version, digest, toml, published_at, change_id, published_by, approved_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *added[:4],
        *added.by,
    )
