"""Going back: an older policy or network takes effect again, as the next version or revision.

History only grows, because decisions name the version and the revision that they were taken under.
"""

from dataclasses import dataclass
from datetime import datetime

from services.router.changes.change import Kind
from services.router.changes.proposing import Submitted, Wanted, submit
from services.router.db import network as db
from shared.errors import UserError
from shared.postgres import Connection


@dataclass(frozen=True)
class Rollback:
    """What going back did, or will do when it is approved."""

    before: int
    """The version or revision that was in effect."""
    restored: int
    """The one whose content is in effect again."""
    submitted: Submitted


@dataclass(frozen=True)
class _Words:
    what: str
    missing: str
    how: str
    listing: str


_WORDS = {
    Kind.POLICY: _Words(
        "policy version",
        "no policy has been published yet",
        "`waypost policy publish FILE` publishes one",
        "`waypost policy show --version N` prints an older one; name it with --to",
    ),
    Kind.NETWORK: _Words(
        "network revision",
        "no network has been imported yet",
        "`waypost network import FILE --apply` imports one",
        "`waypost network show` lists the newest revisions; name an older one with --to",
    ),
}


async def roll_back(
    connection: Connection, kind: Kind, to: int | None, key: str, now: datetime, yes_remove: int | None = None
) -> Rollback:
    """Have the content of number `to` (default: the one before the current) in effect as the next one.

    It is checked as a new one is, and a second operator must approve it where two are needed. Raises UserError for a
    number that does not exist or is in effect already, and for a network that takes away many sites, unless
    `yes_remove` is their number.
    """
    await db.lock_for_writing(connection)
    words = _WORDS[kind]
    current = await _kept(connection, kind, None)
    if current is None:
        raise UserError(words.missing, words.how)
    newest, _ = current
    if to is None and newest == 1:
        raise UserError(f"{words.what} 1 is the first: there is none to go back to")
    wanted = newest - 1 if to is None else to
    older = await _kept(connection, kind, wanted)
    if older is None:
        raise UserError(f"there is no {words.what} {wanted}", f"the newest is {newest}")
    submitted = await submit(connection, Wanted(kind, older[1], key, restores=wanted, yes_remove=yes_remove), now)
    if submitted.change is None:
        also = "" if wanted == newest else f", as number {newest}"
        raise UserError(f"{words.what} {wanted} is in effect already{also}", words.listing)
    return Rollback(newest, wanted, submitted)


async def _kept(connection: Connection, kind: Kind, number: int | None) -> tuple[int, str] | None:
    if kind is Kind.POLICY:
        policy = await db.policy(connection, number)
        return policy and (policy.version, policy.toml)
    revision = await db.revision(connection, number)
    return revision and (revision.revision, revision.sites)
