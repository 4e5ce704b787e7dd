import asyncio

import orjson
import pytest
from prometheus_client import CollectorRegistry

from services.router import network, policies
from services.router.changes.change import Kind
from services.router.changes.due import put_due_into_effect
from services.router.metrics import RouterMetrics
from services.router.reload import NoPolicy, Reload
from shared.vocabulary import SiteStatus
from tests.services.router.changes.world import People, rows
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import EMPTIED, Router, World, in_minutes, received_record


async def test_a_router_without_a_policy_says_so_and_takes_it_over_when_it_comes(world: World) -> None:
    await world.db.execute(f"TRUNCATE {EMPTIED}")
    reload = Reload(world.pool, RouterMetrics(CollectorRegistry()))
    assert not await reload.refresh()
    assert not reload.is_ready
    with pytest.raises(NoPolicy):
        reload()

    stop = asyncio.Event()
    waiting = asyncio.create_task(reload.wait_until_ready(stop, every_s=0.05))
    await policies.publish(world.pool, DEFAULT_POLICY, in_minutes(0))
    async with asyncio.timeout(60):
        await waiting
    assert (reload().policy.version, reload().snapshot.revision, len(reload().snapshot.sites)) == (1, 0, 0)


async def test_a_batch_keeps_the_network_that_it_began_with(world: World) -> None:
    await world.set_up(site("near"))
    async with world.router() as router:
        before = router.reload()
        await network.apply(world.pool, (site("near", status=SiteStatus.CLOSED), site("next")), in_minutes(1))
        assert await router.reload.refresh()
        assert before.snapshot.revision == 1
        assert before.snapshot.sites[0].status is SiteStatus.OPEN
        assert not await router.reload.refresh()
        await router.handle(received_record(301))

    assert await world.holders() == {301: ("held", "next", 1)}


async def test_no_decision_mixes_a_policy_with_a_network_of_another_moment(world: World) -> None:
    """A policy and a network of one time replace each other again and again while leads are decided.

    The site of revision N is called rN, and version N shows N + 1 candidates of the three that never change.
    """
    steady = [site(name, lon=120.7 + number / 100) for number, name in enumerate(("x", "y", "z"))]

    def policy(number: int) -> str:
        return DEFAULT_POLICY.replace("candidates = 5", f"candidates = {number + 1}")

    await world.set_up(site("r1"), *steady, policy=policy(1))
    world.settings = world.settings.model_copy(update={"router_max_batch": 5})
    people = People(world, {})

    async def swap(routers: list[Router], number: int) -> None:
        await people.ask(Kind.NETWORK, rows(site(f"r{number}"), *steady), minute=number, at=in_minutes(number + 0.5))
        await people.ask(Kind.POLICY, policy(number), minute=number, at=in_minutes(number + 0.5))
        ended = await put_due_into_effect(world.pool, in_minutes(number + 0.5))
        assert [change.became for change in ended] == [number, number]
        await asyncio.gather(*[router.reload.refresh() for router in routers])

    async with world.router() as one, world.router() as other:
        for number in (2, 3):
            first = 20_000 + 1_000 * number
            await asyncio.gather(
                one.handle(*[received_record(first + lead) for lead in range(100)]),
                other.handle(*[received_record(first + 500 + lead) for lead in range(100)]),
                swap([one, other], number),
            )
        await one.handle(received_record(29_000))

    pairs = set()
    for record, revision, version in await world.rows(
        "SELECT record::text, network_revision, policy_version FROM router.decisions"
    ):
        decision = orjson.loads(record)
        assert (decision["network_revision"], decision["policy_version"]) == (revision, version)
        assert decision["site_id"] == f"r{revision}"
        assert len(decision["candidates"]) == version + 1
        pairs.add((revision, version))
    assert {(2, 2), (3, 3)} <= pairs <= {(1, 1), (2, 2), (3, 3)}
    assert len(await world.holders()) == 401


async def test_a_word_from_kafka_makes_a_router_look_at_once(world: World) -> None:
    await world.set_up(site("near"))
    stop = asyncio.Event()
    async with world.router() as router:
        running = asyncio.create_task(router.reload.run(stop, every_s=3600))
        await network.apply(world.pool, (site("next"),), in_minutes(1))
        router.reload.wake.set()
        async with asyncio.timeout(60):
            while router.reload().snapshot.revision != 2:
                await asyncio.sleep(0.01)
        stop.set()
        async with asyncio.timeout(60):
            await running
