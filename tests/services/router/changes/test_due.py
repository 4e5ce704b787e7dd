"""Changes take effect at their time: once, by whichever router looks, or not at all and with the reason."""

import asyncio

import pytest

from services.router import network, policies
from services.router.changes.change import Kind, State
from services.router.changes.due import put_due_into_effect
from services.router.changes.rules import ChangeRefused
from services.router.db.network import lock_for_writing
from shared.contracts import POLICIES_PUBLISHED, LeadAssigned
from shared.vocabulary import Capability
from tests.services.router.changes.world import SEVEN, SIX, People, rows, two_people
from tests.services.router.networks import DEFAULT_POLICY, NOW, site
from tests.services.router.world import World, in_minutes, received_record

PURCHASE_NEEDS_SALES = '[intents.purchase]\nrequires = ["sales"]'
ALSO_TEST_DRIVES = DEFAULT_POLICY.replace(
    PURCHASE_NEEDS_SALES, '[intents.purchase]\nrequires = ["sales", "test_drive"]'
)


async def one_person(world: World, *sites: object) -> People:
    """Somebody without a key, where one person is enough."""
    await world.set_up(*sites)  # type: ignore[arg-type]
    return People(world, {})


async def test_a_change_waits_for_its_time_and_takes_effect_without_anybody(world: World) -> None:
    people = await one_person(world, site("a"))
    asked = (await people.ask(Kind.NETWORK, rows(site("b")), at=in_minutes(10))).change
    assert asked is not None
    assert (asked.change_id, asked.state, asked.takes_effect_at) == (1, State.APPROVED, in_minutes(10))
    async with world.router() as router:
        world.clock.now = in_minutes(9.9)
        await router.timers.sweep()
        assert (await people.one(1)).state is State.APPROVED
        world.clock.now = in_minutes(10)
        await router.timers.sweep()
        assert router.counted("waypost_router_changes_total", kind="network", state="in_effect") == 1
        await router.reload.refresh()
        await router.handle(received_record(701))

    done = await people.one(1)
    assert (done.state, done.became, done.ended_at) == (State.IN_EFFECT, 2, in_minutes(10))
    assert await world.rows(
        "SELECT change_id, created_at FROM router.network_revisions ORDER BY revision DESC LIMIT 1"
    ) == [(1, in_minutes(10))]
    [decision] = await world.decided(701)
    assert isinstance(decision, LeadAssigned)
    assert (decision.site_id, decision.network_revision) == ("b", 2)


async def test_of_many_routers_that_look_at_once_one_puts_a_change_into_effect(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(10))
    await people.ask(Kind.NETWORK, rows(site("b")), at=in_minutes(10))
    world.clock.now = in_minutes(11)
    async with world.router() as one, world.router() as other, world.router() as third:
        routers = (one, other, third)
        ended = await asyncio.gather(*[put_due_into_effect(router.pool, in_minutes(11)) for router in routers])
        assert [change.change_id for changes in ended for change in changes] == [1, 2]
        await asyncio.gather(*[router.timers.sweep() for router in routers])

    assert await world.rows("SELECT version FROM router.policies ORDER BY 1") == [(1,), (2,)]
    assert await world.rows("SELECT revision FROM router.network_revisions ORDER BY 1") == [(1,), (2,)]
    announced = await world.rows("SELECT topic, count(*) FROM router.announcements GROUP BY topic ORDER BY topic")
    assert announced == [("network.changed", 2), ("policies.published", 2)]
    told = [POLICIES_PUBLISHED.read(value).data for value in await world.published(POLICIES_PUBLISHED)]
    assert [
        (one.version, one.published_by) for one in told if one.change_id == 1 and one.published_at == in_minutes(11)
    ] == [(2, None)]


async def test_changes_take_effect_in_the_order_of_their_times_however_late_a_router_comes(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(20), even_if_changed=True)
    await people.ask(Kind.POLICY, SEVEN, at=in_minutes(10))
    ended = await put_due_into_effect(world.pool, in_minutes(60))
    assert [(change.change_id, change.state, change.became) for change in ended] == [
        (2, State.IN_EFFECT, 2),
        (1, State.IN_EFFECT, 3),
    ]
    assert await world.rows("SELECT toml FROM router.policies WHERE version = 3") == [(SIX,)]
    assert await put_due_into_effect(world.pool, in_minutes(61)) == []


async def test_a_network_that_would_undo_what_came_between_is_refused_and_the_rest_goes_on(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.NETWORK, rows(site("a"), site("b")), at=in_minutes(10))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(10))
    await network.apply(world.pool, (site("a", limit=5),), in_minutes(5))
    world.clock.now = in_minutes(10)
    async with world.router() as router:
        await router.timers.sweep()
        assert router.counted("waypost_router_changes_total", kind="network", state="refused") == 1
        assert router.counted("waypost_router_changes_total", kind="policy", state="in_effect") == 1

    refused = await people.one(1)
    assert (refused.state, refused.became) == (State.REFUSED, None)
    assert refused.refusal == (
        "change 1 was made on network revision 1, and 2 is in effect: it would undo what came between"
    )
    assert await world.rows("SELECT max(revision) FROM router.network_revisions") == [(2,)]
    assert (await people.one(2)).state is State.IN_EFFECT


async def test_a_policy_that_no_longer_fits_the_network_is_refused_by_name(world: World) -> None:
    both = (Capability.SALES, Capability.TEST_DRIVE)
    people = await one_person(world, site("a", capabilities=both))
    assert ALSO_TEST_DRIVES != DEFAULT_POLICY
    await people.ask(Kind.POLICY, ALSO_TEST_DRIVES, at=in_minutes(10))
    await network.apply(world.pool, (site("a", capabilities=(Capability.SALES,)),), in_minutes(5))
    [refused] = await put_due_into_effect(world.pool, in_minutes(10))
    assert refused.state is State.REFUSED
    assert refused.refusal is not None
    assert refused.refusal.startswith("the policy of change 1 no longer fits the network: warning: intents.purchase: ")
    assert await world.rows("SELECT max(version) FROM router.policies") == [(1,)]


async def test_a_content_that_an_older_waypost_took_is_refused_and_stops_nothing(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(10))
    await people.ask(Kind.NETWORK, rows(site("b")), at=in_minutes(10))
    await world.db.execute(
        "UPDATE router.changes SET content = replace(content, 'tie_band_m', 'tie_band') WHERE change_id = 1"
    )
    await world.db.execute("UPDATE router.changes SET content = replace(content, 'city', 'town') WHERE change_id = 2")
    policy, sites = await put_due_into_effect(world.pool, in_minutes(10))
    assert policy.refusal is not None
    assert policy.refusal.startswith("the policy is not valid")
    assert (sites.state, sites.refusal) == (State.REFUSED, "its content cannot be read (KeyError)")


async def test_a_second_operator_approves_for_a_time_or_gives_another(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.ask(Kind.POLICY, SIX, by="ann", at=in_minutes(10))
    with pytest.raises(ChangeRefused, match="UTC has passed"):
        await people.approve(4, by="ben", minute=11)
    approved = await people.approve(4, by="ben", minute=11, at=in_minutes(30))
    assert (approved.change.state, approved.change.takes_effect_at) == (State.APPROVED, in_minutes(30))
    assert await put_due_into_effect(world.pool, in_minutes(29)) == []
    [done] = await put_due_into_effect(world.pool, in_minutes(30))
    assert await world.rows(
        "SELECT published_by, approved_by, published_at FROM router.policies WHERE version = 2"
    ) == [("ann", "ben", in_minutes(30))]
    assert done.proposed_by == "ann"

    await people.ask(Kind.POLICY, SEVEN, by="ann", at=in_minutes(60), minute=31)
    at_once = await people.approve(5, by="ben", minute=32, at=in_minutes(32))
    assert (at_once.change.state, at_once.change.takes_effect_at) == (State.IN_EFFECT, None)


async def test_a_time_that_has_passed_is_refused_at_the_proposal(world: World) -> None:
    people = await one_person(world, site("a"))
    with pytest.raises(ChangeRefused, match="UTC has passed"):
        await people.ask(Kind.POLICY, SIX, minute=5, at=in_minutes(4))
    assert await world.rows("SELECT count(*) FROM router.changes") == [(0,)]


async def test_switching_the_rule_on_asks_for_a_second_word_on_what_waits(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.ask(Kind.TWO_PERSON, "off", by="ann")
    await people.approve(4, by="ben")
    await people.ask(Kind.POLICY, SIX, by="ann", minute=3, at=in_minutes(60))
    await people.ask(Kind.NETWORK, rows(site("b")), minute=3, at=in_minutes(60))
    await people.ask(Kind.TWO_PERSON, "on", by="ann", minute=4)
    assert (await people.one(5)).state is State.PROPOSED
    anonymous = await people.one(6)
    assert (anonymous.state, anonymous.refusal) == (
        State.REFUSED,
        "it was made without a key, before two people were needed",
    )
    with pytest.raises(ChangeRefused, match="cannot approve it too"):
        await people.approve(5, by="ann", minute=5)
    await people.approve(5, by="ben", minute=5)
    assert await put_due_into_effect(world.pool, in_minutes(59)) == []
    assert [change.change_id for change in await put_due_into_effect(world.pool, in_minutes(60))] == [5]


async def test_a_policy_that_came_into_effect_by_itself_meanwhile_makes_no_second_version(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(10), even_if_changed=True)
    await policies.publish(world.pool, SIX, in_minutes(5))
    [done] = await put_due_into_effect(world.pool, in_minutes(10))
    assert (done.state, done.became) == (State.IN_EFFECT, 2)
    assert await world.rows("SELECT max(version) FROM router.policies") == [(2,)]


async def test_a_policy_for_a_weekend_gives_way_to_the_one_of_today(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(10))
    await people.ask(Kind.POLICY, DEFAULT_POLICY, at=in_minutes(20), even_if_changed=True)
    await put_due_into_effect(world.pool, in_minutes(10))
    await put_due_into_effect(world.pool, in_minutes(20))
    kept = await world.rows("SELECT version, toml, published_at FROM router.policies ORDER BY version")
    assert kept == [(1, DEFAULT_POLICY, NOW), (2, SIX, in_minutes(10)), (3, DEFAULT_POLICY, in_minutes(20))]


async def test_an_operator_at_work_delays_a_change_and_no_deadline(world: World) -> None:
    people = await one_person(world, site("a"))
    await people.ask(Kind.POLICY, SIX, at=in_minutes(10))
    async with world.router() as router:
        await router.handle(received_record(711))
        world.clock.now = in_minutes(10)
        async with world.pool.acquire() as operator, operator.transaction():
            await lock_for_writing(operator)
            assert await router.timers.sweep() == 1
        assert (await people.one(1)).state is State.APPROVED
        await router.timers.sweep()
        assert (await people.one(1)).state is State.IN_EFFECT
