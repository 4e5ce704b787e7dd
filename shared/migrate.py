"""Numbered SQL files of each service, applied once, in order, under one lock; an edited file is refused.

A service owns the schema of its name through the role `waypost_<service>`; its files run as that role.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import asyncpg

from shared.errors import UserError
from shared.postgres import CONNECT_TIMEOUT_S, connecting, role_of

SERVICES = ("lead_intake", "router", "store_notifier", "audit")
# Any constant serves; it must stay the same, or two deployments could migrate at once.
ADVISORY_LOCK = 0x77617970


@dataclass(frozen=True)
class Migration:
    """One numbered file of one service."""

    service: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Fingerprint by which a later edit is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_of(service: str) -> list[Migration]:
    """The service's files in the order of their numbers."""
    folder = resources.files(f"services.{service}") / "migrations"
    if not folder.is_dir():
        return []
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [Migration(service, file.name, file.read_text(encoding="utf-8")) for file in files]


async def migrate(dsn: str, services: Sequence[str] = SERVICES) -> list[str]:
    """Apply what is pending and return its names. Raises UserError when an applied file was edited since."""
    with connecting():
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        for service in SERVICES:
            await _create_room(connection, service)
        done = []
        for service in services:
            for migration in await _pending(connection, service):
                await _apply(connection, migration)
                done.append(f"{service}/{migration.name}")
        return done
    finally:
        await connection.close()


async def pending(dsn: str) -> list[str]:
    """Names of files that are not applied yet, without changing anything."""
    with connecting():
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    try:
        return [f"{m.service}/{m.name}" for service in SERVICES for m in await _pending(connection, service)]
    finally:
        await connection.close()


async def _create_room(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    role = role_of(service)
    # Roles belong to the whole cluster: another database may be creating the same one at this moment.
    await connection.execute(
        f"""DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""
    )
    is_member = await connection.fetchval("SELECT pg_has_role(current_user, $1, 'SET')", role)
    if not is_member:
        await connection.execute(f"GRANT {role} TO current_user")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {role}")
    await connection.execute(
        f"""CREATE TABLE IF NOT EXISTS {service}.migrations (
                name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""
    )


async def _pending(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> list[Migration]:
    known = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{service}.migrations")
    rows = await connection.fetch(f"SELECT name, sha256 FROM {service}.migrations") if known else []  # noqa: S608
    applied = {row["name"]: row["sha256"] for row in rows}
    waiting = []
    for migration in migrations_of(service):
        if migration.name not in applied:
            waiting.append(migration)
        elif applied[migration.name] != migration.sha256:
            raise UserError(
                f"{service}/{migration.name} was edited after it was applied",
                "restore the file and put the change into a new numbered file",
            )
    return waiting


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {role_of(migration.service)}")
        await connection.execute(f"SET LOCAL search_path TO {migration.service}")
        await connection.execute(migration.sql)
        await connection.execute("RESET ROLE")
        await connection.execute(
            f"INSERT INTO {migration.service}.migrations (name, sha256) VALUES ($1, $2)",  # noqa: S608
            migration.name,
            migration.sha256,
        )
