from datetime import datetime

import pytest

from services.router import network, policies
from services.router.changes.change import Kind
from services.router.policies import PolicyRefused
from services.router.rollback import Rollback, roll_back
from shared.contracts import NETWORK_CHANGED, POLICIES_PUBLISHED
from shared.errors import UserError
from shared.postgres import Pool, transact
from tests.services.router.networks import DEFAULT_POLICY, NOW, site
from tests.services.router.world import World, in_minutes

SIX = DEFAULT_POLICY.replace("candidates = 5", "candidates = 6")
SEVEN = DEFAULT_POLICY.replace("candidates = 5", "candidates = 7")


async def roll_policy_back(pool: Pool, to: int | None, now: datetime) -> Rollback:
    return await transact(pool, lambda connection: roll_back(connection, Kind.POLICY, to, "", now))


async def roll_network_back(pool: Pool, to: int | None, now: datetime) -> Rollback:
    return await transact(pool, lambda connection: roll_back(connection, Kind.NETWORK, to, "", now))


async def test_going_back_publishes_the_text_before_as_the_next_version(world: World) -> None:
    await world.set_up(site("a"))
    await policies.publish(world.pool, SIX, in_minutes(1))

    back = await roll_policy_back(world.pool, None, in_minutes(2))
    assert (back.before, back.restored, back.submitted.effect.after) == (2, 1, 3)
    kept = await world.rows("SELECT version, toml, published_at FROM router.policies ORDER BY version")
    assert kept == [(1, DEFAULT_POLICY, NOW), (2, SIX, in_minutes(1)), (3, DEFAULT_POLICY, in_minutes(2))]
    announced = await world.rows(
        "SELECT value FROM router.announcements WHERE topic = $1 ORDER BY created_at", POLICIES_PUBLISHED.name
    )
    assert [POLICIES_PUBLISHED.read(value).data.version for (value,) in announced] == [1, 2, 3]

    undone = await roll_policy_back(world.pool, None, in_minutes(3))
    assert (undone.before, undone.restored, undone.submitted.effect.after) == (3, 2, 4)
    assert await world.rows("SELECT toml FROM router.policies WHERE version = 4") == [(SIX,)]


async def test_any_older_version_can_be_named(world: World) -> None:
    await world.set_up(site("a"))
    await policies.publish(world.pool, SIX, in_minutes(1))
    await policies.publish(world.pool, SEVEN, in_minutes(2))
    back = await roll_policy_back(world.pool, 1, in_minutes(3))
    assert (back.before, back.restored, back.submitted.effect.after) == (3, 1, 4)
    with pytest.raises(UserError, match="policy version 1 is in effect already, as number 4"):
        await roll_policy_back(world.pool, 1, in_minutes(4))
    with pytest.raises(UserError, match=r"policy version 4 is in effect already$"):
        await roll_policy_back(world.pool, 4, in_minutes(4))
    with pytest.raises(UserError, match="there is no policy version 9") as unknown:
        await roll_policy_back(world.pool, 9, in_minutes(4))
    assert unknown.value.hint == "the newest is 4"
    assert await world.rows("SELECT max(version) FROM router.policies") == [(4,)]


async def test_there_is_nothing_before_the_first(world: World) -> None:
    await world.set_up(site("a"))
    with pytest.raises(UserError, match="policy version 1 is the first"):
        await roll_policy_back(world.pool, None, in_minutes(1))
    with pytest.raises(UserError, match="network revision 1 is the first"):
        await roll_network_back(world.pool, None, in_minutes(1))
    await world.db.execute("TRUNCATE router.policies, router.network_revisions")
    with pytest.raises(UserError, match="no policy has been published yet"):
        await roll_policy_back(world.pool, None, in_minutes(1))
    with pytest.raises(UserError, match="no network has been imported yet"):
        await roll_network_back(world.pool, None, in_minutes(1))


async def test_an_older_text_that_publishing_would_refuse_is_refused(world: World) -> None:
    await world.set_up(site("a"))
    against_the_rules = DEFAULT_POLICY.replace(
        'requires = ["vehicle_delivery"]\nkinds = ["delivery_center"]',
        'requires = ["vehicle_delivery"]\nkinds = ["agent_store"]',
    )
    # As a version that an older Waypost let pass.
    await world.db.execute("UPDATE router.policies SET toml = $1", against_the_rules)
    await policies.publish(world.pool, SIX, in_minutes(1))
    with pytest.raises(PolicyRefused, match="only a delivery center may have vehicle_delivery"):
        await roll_policy_back(world.pool, None, in_minutes(2))
    assert await world.rows("SELECT max(version) FROM router.policies") == [(2,)]


async def test_an_older_network_takes_effect_again_as_the_next_revision(world: World) -> None:
    await world.set_up(site("a"), site("b"))
    await network.apply(world.pool, (site("a", limit=5),), in_minutes(1))

    back = await roll_network_back(world.pool, None, in_minutes(2))
    assert (back.before, back.restored, back.submitted.effect.after) == (2, 1, 3)
    change = back.submitted.effect.difference
    assert change is not None
    assert [one.site_id for one in change.diff.added] == ["b"]
    assert [one.after.site_id for one in change.diff.changed] == ["a"]
    first, _, third = await world.rows("SELECT digest, sites::text FROM router.network_revisions ORDER BY revision")
    assert third == first
    announced = await world.rows(
        "SELECT value FROM router.announcements WHERE topic = $1 ORDER BY created_at", NETWORK_CHANGED.name
    )
    assert [NETWORK_CHANGED.read(value).data.revision for (value,) in announced] == [1, 2, 3]

    with pytest.raises(UserError, match="network revision 1 is in effect already, as number 3"):
        await roll_network_back(world.pool, 1, in_minutes(3))
    with pytest.raises(UserError, match=r"network revision 3 is in effect already$"):
        await roll_network_back(world.pool, 3, in_minutes(3))
    with pytest.raises(UserError, match="there is no network revision 7"):
        await roll_network_back(world.pool, 7, in_minutes(3))


async def test_an_older_network_is_checked_against_the_policy_in_effect(world: World) -> None:
    await world.set_up(site("a", capabilities=()))
    await network.apply(world.pool, (site("a"),), in_minutes(1))
    back = await roll_network_back(world.pool, None, in_minutes(2))
    assert any("no open site of kind" in finding for finding in back.submitted.effect.findings)
