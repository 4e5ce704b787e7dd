"""Who may take a lead at all, on the real Kafka and PostgreSQL: what the site works on, and how much it takes."""

import asyncio
from datetime import timedelta

from shared.contracts import LEADS_DUE, Answer
from shared.vocabulary import Intent
from tests.services.router.networks import DEFAULT_POLICY, NOW, site
from tests.services.router.world import World, answered_record, as_records, numbers, received_record

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


async def test_a_site_that_has_had_the_leads_of_its_day_gets_more_on_the_next(world: World) -> None:
    world.clock.now = NOW
    await world.set_up(site("small", daily_limit=2, limit=5))
    async with world.router() as router:
        await router.handle(*[received_record(number) for number in (511, 512, 513)])
        # An answer gives back the place in hand, not the place of the day.
        await router.handle(answered_record(511, 1, "small", Answer.ACCEPTED))
        assert await router.timers.sweep() == 0

        world.clock.now = NOW + timedelta(hours=6, minutes=30)
        assert await router.timers.sweep() == 2
        asked = await world.published(LEADS_DUE, of_lead=513)
        await router.handle(*as_records(LEADS_DUE, asked))

    assert numbers(await world.decided(513)) == [(1, "waiting", None), (2, "assigned", "small")]
    assert await world.rows("SELECT day::text, taken FROM router.site_days ORDER BY day") == [
        ("2026-06-01", 2),
        ("2026-06-02", 1),
    ]


async def test_two_routers_with_stale_counts_never_give_a_site_more_than_its_day(world: World) -> None:
    await world.set_up(site("small", daily_limit=3), site("next", lon=120.7))
    async with world.router() as one, world.router() as two:
        await asyncio.gather(
            one.handle(*[received_record(number) for number in range(521, 541)]),
            two.handle(*[received_record(number) for number in range(541, 561)]),
        )

    [(taken,)] = await world.rows("SELECT taken FROM router.site_days WHERE site_id = 'small'")
    assert taken == 3
    assert await world.loads() == {"small": 3, "next": 37}


async def test_who_test_drove_at_a_site_buys_there_though_another_is_nearer(world: World) -> None:
    rule = '[[stay]]\nname = "drive-then-buy"\nintents = ["purchase"]\nafter = ["test_drive"]\nwithin_km = 60\n'
    near, before = site("near", lon=120.6), site("before", lon=120.7)
    await world.set_up(near, before, policy=f"{DEFAULT_POLICY}\n{rule}")
    world.clock.now = NOW
    drive = received_record(571, (31.3, 120.71), intent=Intent.TEST_DRIVE, person=9)
    async with world.router() as router:
        await router.handle(drive)
        await router.handle(answered_record(571, 1, "before", Answer.ACCEPTED))
        world.clock.now = NOW + timedelta(days=10)
        await router.handle(received_record(572, person=9, at=world.clock.now))
        await router.handle(received_record(573, person=10, at=world.clock.now))
        # The site that declines is not asked again: the nearest has its turn.
        await router.handle(answered_record(572, 1, "before", Answer.DECLINED))

    first, second = await world.decided(572)
    assert numbers([first, second]) == [(1, "assigned", "before"), (2, "assigned", "near")]
    assert [one.stay and one.stay.verdict for one in (first, second)] == ["honoured", "refused_unavailable"]
    assert numbers(await world.decided(573)) == [(1, "assigned", "near")]


async def test_two_partners_of_one_mall_get_the_shares_of_their_contracts(world: World) -> None:
    rule = '[[shares]]\ncity = "City"\npartners = { grand = 60, lucky = 40 }\n'
    mall = site("a-grand", partner="grand"), site("b-lucky", partner="lucky")
    await world.set_up(*mall, policy=f"{DEFAULT_POLICY}\n{rule}")
    world.clock.now = NOW
    async with world.router() as one, world.router() as two:
        for number in range(581, 591, 2):
            await one.handle(received_record(number))
            await two.handle(received_record(number + 1))

    assert await world.loads() == {"a-grand": 6, "b-lucky": 4}
    assert await world.rows("SELECT month::text, city, partner, given FROM router.partner_months ORDER BY partner") == [
        ("2026-06-01", "city", "grand", 6),
        ("2026-06-01", "city", "lucky", 4),
    ]
