"""Going back: an older policy or network takes effect again, as the next version or revision.

History only grows, because decisions name the version and the revision that they were taken under.
"""

from dataclasses import dataclass
from datetime import datetime

from services.router import network, policies
from services.router.db import network as db
from services.router.network import Change, sites_of
from services.router.policies import Publication, findings_of
from services.router.policy import Finding, Policy
from services.router.snapshot import Snapshot
from shared.errors import UserError
from shared.postgres import Connection, Pool, transact


@dataclass(frozen=True)
class PolicyRollback:
    """What going back to an older policy did."""

    before: int
    """The version that was in effect."""
    restored: int
    """The version whose text is in effect again."""
    published: Publication


@dataclass(frozen=True)
class NetworkRollback:
    """What going back to an older network did; `change.before` was in effect, `change.revision` is now."""

    restored: int
    change: Change
    findings: tuple[Finding, ...]
    """What the policy in effect finds wanting in that network."""


async def roll_policy_back(pool: Pool, to: int | None, now: datetime) -> PolicyRollback:
    """Publish the text of version `to` (default: the one before the current) as the next version.

    It is checked as a new one is. Raises UserError for a version that does not exist or is in effect already.
    """

    async def write(connection: Connection) -> PolicyRollback:
        await db.lock_for_writing(connection)
        current = await db.policy(connection)
        if current is None:
            raise UserError("no policy has been published yet", "`waypost policy publish FILE` publishes one")
        wanted = _wanted("policy version", current.version, to)
        older = await db.policy(connection, wanted)
        if older is None:
            raise UserError(f"there is no policy version {wanted}", f"the newest is {current.version}")
        published = await policies.publish_next(connection, older.toml, now)
        if not published.is_new:
            raise UserError(
                f"policy version {wanted} is in effect already" + _also(wanted, current.version),
                "`waypost policy show --version N` prints an older one; name it with --to",
            )
        return PolicyRollback(current.version, wanted, published)

    return await transact(pool, write)


async def roll_network_back(pool: Pool, to: int | None, now: datetime) -> NetworkRollback:
    """Put the sites of revision `to` (default: the one before the current) into effect as the next revision.

    They are checked against the policy in effect. Raises UserError for a revision that does not exist or is in effect
    already.
    """

    async def write(connection: Connection) -> NetworkRollback:
        await db.lock_for_writing(connection)
        current = await db.revision(connection)
        if current is None:
            raise UserError("no network has been imported yet", "`waypost network import FILE --apply` imports one")
        wanted = _wanted("network revision", current.revision, to)
        older = await db.revision(connection, wanted)
        if older is None:
            raise UserError(f"there is no network revision {wanted}", f"the newest is {current.revision}")
        sites = sites_of(older)
        change = await network.apply_next(connection, sites, now)
        if change.revision == change.before:
            raise UserError(
                f"network revision {wanted} is in effect already" + _also(wanted, current.revision),
                "`waypost network show` lists the newest revisions; name an older one with --to",
            )
        published = await db.policy(connection)
        findings: tuple[Finding, ...] = ()
        if published is not None:
            policy = Policy.from_toml(published.toml, published.version)
            findings = findings_of(policy, Snapshot.build(sites, change.revision))
        return NetworkRollback(wanted, change, findings)

    return await transact(pool, write)


def _wanted(what: str, current: int, to: int | None) -> int:
    if to is None and current == 1:
        raise UserError(f"{what} 1 is the first: there is none to go back to")
    return current - 1 if to is None else to


def _also(wanted: int, current: int) -> str:
    return "" if wanted == current else f", as number {current}"
