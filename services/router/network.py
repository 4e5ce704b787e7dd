"""Importing the network: a file is read as a whole, compared with what is in effect, and put into effect on demand.

Revisions are kept for ever, because decisions name the one that they were taken under.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import orjson

from services.router.db import announcements, changes
from services.router.db import network as db
from services.router.db.announcements import Announcement
from services.router.db.network import ANONYMOUS, By, Revision
from services.router.emission import SOURCE
from services.router.sites import (
    NO_LOSS,
    BadRow,
    Loss,
    NetworkDiff,
    NetworkFile,
    Site,
    canonical_rows,
    diff_networks,
    loss_of,
    read_csv,
    read_geojson,
)
from shared.contracts import NETWORK_CHANGED, NetworkChanged, derived_id
from shared.errors import UserError
from shared.faults import Bounded, refusal
from shared.postgres import Connection, Pool, acquire, transact
from shared.text_files import MEBIBYTE, read_text_file

LARGEST_FILE_BYTES = 64 * MEBIBYTE
"""Four times a hundred thousand sites with everything that can be said of them."""
_READERS = {".csv": read_csv, ".geojson": read_geojson, ".json": read_geojson}


class NetworkRefused(UserError):  # noqa: N818 - it says what happened to the file
    """The file has bad rows; nothing of it was used."""

    def __init__(self, file: str, faults: Bounded[BadRow]) -> None:
        super().__init__(refusal(f"{file} is refused", faults, str), "correct the file; nothing was changed")
        self.bad = faults.first


@dataclass(frozen=True)
class Change:
    """What a file would change (or changed): `revision` is the one after it, equal to `before` for no change."""

    before: int
    revision: int
    sites: int
    diff: NetworkDiff
    loss: Loss = NO_LOSS


def read_network_file(path: Path, today: date | None = None) -> tuple[Site, ...]:
    """The sites of a .csv or .geojson file. Raises NetworkRefused with the bad rows and their reasons.

    `today` (default: the day in UTC) tells hours that have been from those to come.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path} is neither .csv nor .geojson", "name the file for what it holds")
    read: NetworkFile = reader(read_text_file(path, LARGEST_FILE_BYTES), today or datetime.now(UTC).date())
    if read.faults:
        raise NetworkRefused(str(path), read.faults)
    return read.sites


def sites_of(revision: Revision | None) -> tuple[Site, ...]:
    """The sites of a kept revision; none of no revision."""
    return tuple(Site.from_row(row) for row in orjson.loads(revision.sites)) if revision else ()


async def preview(pool: Pool, sites: tuple[Site, ...]) -> Change:
    """What importing `sites` would change, without changing it."""
    async with acquire(pool) as connection:
        return await preview_next(connection, sites)


async def apply(pool: Pool, sites: tuple[Site, ...], now: datetime) -> Change:
    """Put `sites` into effect as the next revision, as who sets an installation up does, and have it announced.

    No revision when nothing changes.
    """

    async def write(connection: Connection) -> Change:
        await db.lock_for_writing(connection)
        if await changes.two_person(connection):
            raise UserError("two people make every change here", "`waypost network import FILE --apply` proposes one")
        return await apply_next(connection, sites, now)

    return await transact(pool, write)


async def apply_next(connection: Connection, sites: tuple[Site, ...], now: datetime, by: By = ANONYMOUS) -> Change:
    """`apply` within a transaction that has locked for writing."""
    before = await db.revision(connection)
    # A router does this beside its leads, and a hundred thousand sites take a second.
    change = await asyncio.to_thread(_change, before, sites)
    if change.revision == change.before:
        return change
    rows = await asyncio.to_thread(canonical_rows, sites)
    digest = sha256(rows).hexdigest()
    await db.add_revision(connection, Revision(change.revision, digest, rows.decode(), now, by))
    await announcements.add(connection, _announcement(change, digest, now, by), now)
    return change


async def preview_next(connection: Connection, sites: tuple[Site, ...]) -> Change:
    """`preview` within a transaction."""
    before = await db.revision(connection)
    return await asyncio.to_thread(_change, before, sites)


async def difference(pool: Pool, older: int | None, newer: int | None) -> Change:
    """What differs between two kept revisions; by default between the newest and the one before it."""
    async with acquire(pool) as connection:
        after = await db.revision(connection, newer)
        if after is None:
            raise UserError(f"there is no network revision {newer}" if newer else "no network has been imported yet")
        number = after.revision - 1 if older is None else older
        before = await db.revision(connection, number) if number else None
    if number and before is None:
        raise UserError(f"there is no network revision {number}")
    sites = sites_of(after)
    kept = sites_of(before)
    diff = diff_networks(kept, sites)
    return Change(number, after.revision, len(sites), diff, loss_of(kept, diff))


def _change(before: Revision | None, sites: tuple[Site, ...]) -> Change:
    number = before.revision if before else 0
    kept = sites_of(before)
    diff = diff_networks(kept, sites)
    return Change(number, number + 1 if diff else number, len(sites), diff, loss_of(kept, diff))


def _announcement(change: Change, digest: str, now: datetime, by: By) -> Announcement:
    fact = NETWORK_CHANGED.fact(
        NetworkChanged(
            revision=change.revision,
            digest=digest,
            sites=change.sites,
            added=len(change.diff.added),
            changed=len(change.diff.changed),
            removed=len(change.diff.removed),
            changed_at=now,
            **by._asdict(),
        ),
        id=derived_id("network", change.revision, digest),
        source=SOURCE,
        subject=f"network/{change.revision}",
        time=now,
    )
    return Announcement(fact.id, NETWORK_CHANGED.name, b"network", fact.to_bytes())
