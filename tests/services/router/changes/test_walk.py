"""Three operators and two routers at once, in random order: whatever they do, the rules hold afterwards."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

from services.router.changes.change import OPEN, Change, Kind, State
from services.router.changes.due import put_due_into_effect
from services.router.db import changes as db
from shared.errors import UserError
from shared.postgres import open_pool, transact
from tests.services.router.changes.world import People, rows, two_people
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import World, in_minutes

STEPS, MOST_STEPS = 100, 500
"""Who is quicker is different every time: the walk goes on until enough took effect to say something."""
NAMES = ("ann", "ben", "cleo")


async def one_step(people: People, random: Random, minute: int, open_: list[Change]) -> str:
    """Something that an operator may try; returns what, and how it ended."""
    name = random.choice(NAMES)
    at = in_minutes(minute + random.randint(1, 6)) if random.random() < 0.6 else None
    number = random.choice(open_).change_id if open_ else 0
    wish = random.choice(("policy", "network", "approve", "approve", "approve", "withdraw"))
    try:
        match wish:
            case "policy":
                text = DEFAULT_POLICY.replace("candidates = 5", f"candidates = {random.randint(1, 6)}")
                await people.ask(Kind.POLICY, text, by=name, minute=minute, at=at)
            case "network":
                sites = rows(site("a"), site(f"s{random.randint(1, 6)}"))
                await people.ask(Kind.NETWORK, sites, by=name, minute=minute, at=at)
            case "approve":
                even_if = random.random() < 0.3
                await people.approve(number, by=name, minute=minute, at=at, even_if_changed=even_if)
            case _:
                await people.withdraw(number, by=name, minute=minute)
    except UserError:
        return f"{wish} refused"
    return wish


async def test_whatever_three_operators_and_two_routers_do_at_once_every_version_has_two_names(world: World) -> None:
    random = Random(1)
    people = await two_people(world, site("a"))
    await people.add("cleo", by="ann")
    await people.approve(4, by="ben")
    happened: Counter[str] = Counter()
    async with open_pool(world.settings, "router", max_size=6) as pool:
        world.pool = pool
        for minute in range(3, 3 + MOST_STEPS):
            known = await transact(pool, lambda connection: db.newest(connection, 5000))
            if minute >= 3 + STEPS and min(in_effect(known, kind) for kind in (Kind.POLICY, Kind.NETWORK)) > 1:
                break
            open_ = [change for change in known if change.state in OPEN]
            done, *_ = await asyncio.gather(
                asyncio.gather(*[one_step(people, random, minute, open_) for _ in range(3)]),
                put_due_into_effect(pool, in_minutes(minute)),
                put_due_into_effect(pool, in_minutes(minute)),
            )
            happened.update(done)
        await put_due_into_effect(pool, in_minutes(minute + 10))
        kept = await transact(pool, lambda connection: db.newest(connection, 5000))

    assert {"policy", "network", "approve", "withdraw", "approve refused"} <= happened.keys()
    assert in_effect(kept, Kind.POLICY) > 1
    assert in_effect(kept, Kind.NETWORK) > 1
    assert not [change for change in kept if change.state is State.APPROVED]
    by = "change_id, published_by, approved_by"
    versions = await world.rows(f"SELECT version, {by} FROM router.policies ORDER BY version")
    revisions = await world.rows(f"SELECT revision, {by} FROM router.network_revisions ORDER BY revision")
    assert_numbers(versions, kept, Kind.POLICY)
    assert_numbers(revisions, kept, Kind.NETWORK)


def in_effect(changes: list[Change], kind: Kind) -> int:
    """How many changes of this kind took effect."""
    return sum(change.kind is kind and change.state is State.IN_EFFECT for change in changes)


def assert_numbers(found: list[tuple[Any, ...]], kept: list[Change], kind: Kind) -> None:
    """Every number but the first is one change, of two people, at its time, made on the number before it."""
    changes = {change.change_id: change for change in kept if change.kind is kind}
    assert [row[0] for row in found] == list(range(1, len(found) + 1))
    made = [change for change in changes.values() if change.state is State.IN_EFFECT]
    for number, change_id, published_by, approved_by in found[1:]:
        change = changes[change_id]
        assert (change.state, change.became) == (State.IN_EFFECT, number)
        assert None is not change.proposed_by == published_by
        assert None is not change.approved_by == approved_by != published_by
        assert change.base == number - 1 or change.even_if_changed
        assert change.ended_at is not None
        assert change.ended_at >= (change.takes_effect_at or change.proposed_at)
    # A change whose content was in effect already takes effect without another number.
    assert {change.became for change in made} <= {row[0] for row in found}
    assert len(made) >= len(found) - 1
