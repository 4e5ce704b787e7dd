"""Publishing policies: a file is checked against the network, kept as the next version for ever, and announced."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from services.router.db import announcements, changes
from services.router.db import network as db
from services.router.db.announcements import Announcement
from services.router.db.network import ANONYMOUS, By, PublishedPolicy
from services.router.default_policy import default_policy_text
from services.router.emission import SOURCE
from services.router.network import sites_of
from services.router.policy import Finding, Policy, check
from services.router.snapshot import Snapshot
from shared.contracts import POLICIES_PUBLISHED, PolicyPublished, derived_id
from shared.errors import UserError
from shared.postgres import Connection, Pool, acquire, open_pool, present, transact
from shared.settings import Settings
from shared.text_files import MEBIBYTE, read_text_file

LARGEST_FILE_BYTES = 2 * MEBIBYTE
"""A hundred thousand points of barriers."""


class PolicyRefused(UserError):  # noqa: N818 - it says what happened to the file
    """The policy contradicts the network or the 1+N rules; nothing was published."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        lines = "\n".join(f"  {finding}" for finding in findings)
        super().__init__(f"the policy is refused:\n{lines}", "correct the file; nothing was published")
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Publication:
    """What publishing did; `is_new` is False when this very text is in effect already."""

    version: int
    findings: tuple[Finding, ...]
    """Warnings for a person to read."""
    is_new: bool


def read_policy_file(path: Path) -> str:
    """The text of a policy file. Raises UserError when it is no text, and PolicyError when it is no policy."""
    text = read_text_file(path, LARGEST_FILE_BYTES).replace("\r\n", "\n").replace("\r", "\n")
    Policy.from_toml(text, version=1, as_written=True)
    return text


def findings_of(policy: Policy, snapshot: Snapshot) -> tuple[Finding, ...]:
    """Warnings about this policy on this network. Raises PolicyRefused when it may not be published."""
    findings = tuple(check(policy, snapshot))
    if any(finding.level == "error" for finding in findings):
        raise PolicyRefused(findings)
    return findings


async def publish(pool: Pool, text: str, now: datetime) -> Publication:
    """Put the policy in `text` into effect as the next version, as who sets an installation up does.

    Raises PolicyError for a text that is no policy, PolicyRefused for one that does not fit the network.
    """
    Policy.from_toml(text, version=1)

    async def write(connection: Connection) -> Publication:
        await db.lock_for_writing(connection)
        if await changes.two_person(connection):
            raise UserError("two people make every change here", "`waypost policy publish FILE` proposes one")
        return await publish_next(connection, text, now)

    return await transact(pool, write)


async def publish_next(connection: Connection, text: str, now: datetime, by: By = ANONYMOUS) -> Publication:
    """`publish` within a transaction that has locked for writing."""
    publication = await preview_next(connection, text)
    if publication.is_new:
        digest = sha256(text.encode()).hexdigest()
        await db.add_policy(connection, PublishedPolicy(publication.version, digest, text, now, by))
        await announcements.add(connection, _announcement(publication.version, digest, now, by), now)
    return publication


async def preview_next(connection: Connection, text: str) -> Publication:
    """What `publish_next` would do, and raises, without doing it."""
    before = await db.policy(connection)
    version = before.version + 1 if before else 1
    policy = Policy.from_toml(text, version)
    network = await db.revision(connection)
    # A router does this beside its leads, and a hundred thousand sites take a second.
    findings = await asyncio.to_thread(
        lambda: findings_of(policy, Snapshot.build(sites_of(network), network.revision if network else 0))
    )
    if before and before.toml == text:
        return Publication(before.version, findings, is_new=False)
    return Publication(version, findings, is_new=True)


async def publish_default(settings: Settings) -> int | None:
    """Publish the bundled policy when there is none yet; returns its version, None when one is in effect."""
    async with open_pool(settings, "router", max_size=1) as pool:
        async with acquire(pool) as connection:
            if await db.policy(connection) is not None:
                return None
        return (await publish(pool, default_policy_text(), await present(pool))).version


def _announcement(version: int, digest: str, now: datetime, by: By) -> Announcement:
    fact = POLICIES_PUBLISHED.fact(
        PolicyPublished(version=version, digest=digest, published_at=now, **by._asdict()),
        id=derived_id("policy", version, digest),
        source=SOURCE,
        subject=f"policy/{version}",
        time=now,
    )
    return Announcement(fact.id, POLICIES_PUBLISHED.name, b"policy", fact.to_bytes())
