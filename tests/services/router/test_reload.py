import asyncio

import pytest
from prometheus_client import CollectorRegistry

from services.router import network, policies
from services.router.metrics import RouterMetrics
from services.router.reload import NoPolicy, Reload
from shared.vocabulary import SiteStatus
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import EMPTIED, World, in_minutes, received_record


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
    async with asyncio.timeout(10):
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


async def test_a_word_from_kafka_makes_a_router_look_at_once(world: World) -> None:
    await world.set_up(site("near"))
    stop = asyncio.Event()
    async with world.router() as router:
        running = asyncio.create_task(router.reload.run(stop, every_s=3600))
        await network.apply(world.pool, (site("next"),), in_minutes(1))
        router.reload.wake.set()
        async with asyncio.timeout(10):
            while router.reload().snapshot.revision != 2:
                await asyncio.sleep(0.01)
        stop.set()
        async with asyncio.timeout(10):
            await running
