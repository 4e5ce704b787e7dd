"""A batch that meets what another router has recorded of the same people and commits in between."""

from shared.contracts import LEADS_DECIDED
from tests.services.router.networks import site
from tests.services.router.rivals import meet
from tests.services.router.world import World, erased_record, received_record

# Without limits: what the two meet at is the person.
NEAR = site("near")


async def test_a_persons_second_lead_is_decided_after_its_batch_which_is_not_repeated(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await meet(
            world, router, received_record(4001, person=7), received_record(4002, person=7), received_record(4003)
        )
        assert router.counted("waypost_router_leads_left_total") == 1
        assert router.counted("waypost_router_batches_retried_total", reason="overtaken") == 0

    holders = await world.holders()
    assert {number: state for number, (state, _, _) in holders.items()} == {4001: "held", 4002: "joined", 4003: "held"}
    assert await world.loads() == {"near": 2}
    assert await world.rows("SELECT count(*) FROM router.decisions") == [(3,)]
    for number in (4002, 4003):
        assert len(await world.published(LEADS_DECIDED, of_lead=number)) == 1


async def test_a_lead_on_which_another_of_the_batch_hangs_is_not_left_behind_alone(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await meet(
            world,
            router,
            received_record(4011, person=8),
            received_record(4012, person=8),
            received_record(4013, person=8),
        )
        assert router.counted("waypost_router_batches_retried_total", reason="overtaken") == 1

    # Both join the one that was there first, not each other.
    for number in (4012, 4013):
        [joined] = await world.decided(number)
        assert joined.model_dump()["joins_lead_id"].int == 4011
    assert await world.loads() == {"near": 1}


async def test_a_lead_whose_person_was_just_erased_is_closed_after_its_batch(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await meet(world, router, erased_record(9, 4021), received_record(4021, person=9), received_record(4022))
        assert router.counted("waypost_router_leads_left_total") == 1

    holders = await world.holders()
    assert {number: state for number, (state, _, _) in holders.items()} == {4021: "closed", 4022: "held"}
    assert await world.loads() == {"near": 1}
