"""Who may take a lead at all, on the real Kafka and PostgreSQL: what the site works on, and how much it takes."""

from shared.contracts import Answer
from tests.services.router.networks import site
from tests.services.router.world import World, answered_record, numbers, received_record

ONLY_BOREALIS = site("borealis-only", lon=120.6, vehicles=["borealis"])
ONLY_ONE = site("aurora-one-only", lon=120.61, vehicles=["aurora/one"])
ANYTHING = site("anything", lon=120.7)


async def test_a_lead_goes_to_the_nearest_that_works_on_its_vehicle_and_stays_among_them(world: World) -> None:
    await world.set_up(ONLY_BOREALIS, ONLY_ONE, ANYTHING)
    async with world.router() as router:
        await router.handle(received_record(501, vehicle="Aurora/One"))
        await router.handle(received_record(502, vehicle="cometa"))
        await router.handle(answered_record(501, 1, "aurora-one-only", Answer.DECLINED))

    assert numbers(await world.decided(501)) == [(1, "assigned", "aurora-one-only"), (2, "assigned", "anything")]
    assert numbers(await world.decided(502)) == [(1, "assigned", "anything")]
