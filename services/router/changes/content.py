"""What a change would do, and doing it: one pair of functions for every kind of content.

Called within a transaction that has locked for writing.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from services.router import network, policies
from services.router.changes.change import Change, Kind, State
from services.router.changes.rules import ChangeRefused, may_need_two
from services.router.db import changes, operators
from services.router.db import network as db
from services.router.db.network import By, PublishedPolicy
from services.router.network import sites_of
from services.router.policies import Publication, findings_of
from services.router.policy import Policy
from services.router.sites import NO_LOSS, Loss, Site
from services.router.snapshot import Snapshot
from shared.postgres import Connection


@dataclass(frozen=True)
class Effect:
    """What a content does to what is in effect; `after` is `before` when there is nothing to change."""

    before: int
    after: int
    findings: tuple[str, ...] = ()
    difference: network.Change | None = None
    overtaken: tuple[Change, ...] = ()
    """Changes that were made before it took effect, and will be refused."""

    @property
    def loss(self) -> Loss:
        """The open sites that a network takes away."""
        return NO_LOSS if self.difference is None else self.difference.loss


def became(kind: Kind, effect: Effect) -> int | None:
    """The version or revision that a change is now; its content is kept there."""
    return effect.after if kind in (Kind.POLICY, Kind.NETWORK) else None


async def current_number(connection: Connection, kind: Kind) -> int:
    """Version, revision or state of what a change of this kind is made on."""
    if kind is Kind.TWO_PERSON:
        return int(await changes.two_person(connection))
    if kind is Kind.OPERATOR:
        return 0
    current = await db.current(connection)
    return current.version if kind is Kind.POLICY else current.revision


async def look(connection: Connection, kind: Kind, content: str) -> Effect:
    """What `content` would do now. Raises UserError for what may not take effect."""
    if kind is Kind.POLICY:
        return _of_policy(await policies.preview_next(connection, content))
    if kind is Kind.NETWORK:
        sites = await _sites(content)
        return await _of_network(connection, sites, await network.preview_next(connection, sites))
    if kind is Kind.TWO_PERSON:
        if content == "on":
            may_need_two(await operators.enabled(connection))
        return Effect(int(await changes.two_person(connection)), int(content == "on"))
    name = orjson.loads(content)["operator"]
    if name in await operators.enabled(connection):
        raise ChangeRefused(f"there is an operator {name} already", "for a new key, disable the operator first")
    return Effect(0, 1)


async def do(connection: Connection, change: Change, content: str, now: datetime) -> Effect:
    """Put the content into effect. Raises what `look` raises."""
    effect = await _do(connection, change, content, now)
    if became(change.kind, effect) is None:
        return effect
    waiting = await changes.overtaken(connection, change.kind, effect.after)
    return replace(effect, overtaken=tuple(one for one in waiting if one.change_id != change.change_id))


async def _do(connection: Connection, change: Change, content: str, now: datetime) -> Effect:
    by = By(change.change_id, change.proposed_by, change.approved_by)
    if change.kind is Kind.POLICY:
        return _of_policy(await policies.publish_next(connection, content, now, by))
    if change.kind is Kind.NETWORK:
        sites = await _sites(content)
        return await _of_network(connection, sites, await network.apply_next(connection, sites, now, by))
    effect = await look(connection, change.kind, content)
    if change.kind is Kind.OPERATOR:
        added = orjson.loads(content)
        await operators.put(connection, added["operator"], bytes.fromhex(added["key"]), change.proposed_by, now)
    elif effect.after > effect.before:
        await _ask_for_a_second_word(connection, now)
    return effect


def _of_policy(published: Publication) -> Effect:
    findings = tuple(map(str, published.findings))
    return Effect(published.version - published.is_new, published.version, findings)


async def _of_network(connection: Connection, sites: tuple[Site, ...], change: network.Change) -> Effect:
    findings = await _findings(connection, sites, change.revision)
    # With the change, so that whoever approves it reads it, and nothing larger takes effect at its time.
    lost = (f"warning: network: {change.loss}",) if change.loss.is_large else ()
    return Effect(change.before, change.revision, (*lost, *findings), change)


async def findings_now(connection: Connection) -> tuple[str, ...]:
    """What the policy in effect finds wanting in the network in effect."""
    revision = await db.revision(connection)
    sites = await asyncio.to_thread(sites_of, revision)
    return await _findings(connection, sites, revision.revision if revision else 0)


async def _sites(content: str) -> tuple[Site, ...]:
    return await asyncio.to_thread(lambda: tuple(Site.from_row(row) for row in orjson.loads(content)))


async def _findings(connection: Connection, sites: tuple[Site, ...], revision: int) -> tuple[str, ...]:
    published: PublishedPolicy | None = await db.policy(connection)
    if published is None:
        return ()
    policy = Policy.from_toml(published.toml, published.version)
    found = await asyncio.to_thread(lambda: findings_of(policy, Snapshot.build(sites, revision)))
    return tuple(map(str, found))


async def _ask_for_a_second_word(connection: Connection, now: datetime) -> None:
    for waiting in await changes.approved_by_one(connection):
        if waiting.proposed_by is None:
            # Else whoever made it without a key could approve it with one.
            why = "it was made without a key, before two people were needed"
            await changes.put(connection, waiting._replace(state=State.REFUSED, refusal=why, ended_at=now))
        else:
            await changes.put(connection, waiting._replace(state=State.PROPOSED, approved_at=None))
