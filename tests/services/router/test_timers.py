import asyncio
from datetime import date, timedelta

from services.router import network
from services.router.sites import WorkingTime
from shared.contracts import LEADS_DECIDED, LEADS_DUE, Answer, Cause, LeadWaiting
from tests.services.router.networks import DEFAULT_POLICY, NOW, site
from tests.services.router.world import (
    Router,
    World,
    answered_record,
    as_records,
    in_minutes,
    numbers,
    received_record,
)

NEAR, NEXT = site("near", lon=120.6), site("next", lon=120.62)


async def sweep_and_decide(world: World, router: Router) -> list[int]:
    """One sweep, then the handling of what it published; returns the leads asked for, in published order."""
    before = len(await world.published(LEADS_DUE))
    await router.timers.sweep()
    asked = sorted((await world.published(LEADS_DUE)), key=lambda value: LEADS_DUE.read(value).time)
    facts = [LEADS_DUE.read(value) for value in asked]
    new = sorted(facts, key=lambda fact: fact.data.due_at)
    if len(facts) == before:
        return []
    await router.handle(*as_records(LEADS_DUE, asked))
    return [fact.data.lead_id.int for fact in new]


async def test_silence_past_the_deadline_moves_the_lead_to_the_next_site(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(201))
        world.clock.now = in_minutes(9.9)
        assert await router.timers.sweep() == 0
        world.clock.now = in_minutes(10)
        assert 201 in await sweep_and_decide(world, router)

    decisions = await world.decided(201)
    assert numbers(decisions) == [(1, "assigned", "near"), (2, "assigned", "next")]
    assert decisions[1].cause is Cause.SILENT
    assert await world.loads() == {"next": 1}


async def test_a_deadline_is_asked_for_once_a_minute_and_is_the_same_fact(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as one, world.router() as other:
        await one.handle(received_record(211))
        world.clock.now = in_minutes(11)
        published = await asyncio.gather(one.timers.sweep(), other.timers.sweep(), one.timers.sweep())
        assert sum(published) == 1
        world.clock.now = in_minutes(11.5)
        assert await other.timers.sweep() == 0
        world.clock.now = in_minutes(12.1)
        assert await other.timers.sweep() == 1

    values = await world.published(LEADS_DUE, of_lead=211)
    assert len(values) == 2
    assert len(set(values)) == 1


async def test_an_answer_that_came_before_the_deadline_was_handled_wins(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(221))
        world.clock.now = in_minutes(11)
        await router.timers.sweep()
        await router.handle(answered_record(221, 1, "near", Answer.ACCEPTED, at=in_minutes(10.5)))
        await router.handle(*as_records(LEADS_DUE, await world.published(LEADS_DUE, of_lead=221)))

    assert await world.holders() == {221: ("closed", "near", 2)}


async def test_a_new_revision_releases_waiting_leads_oldest_first(world: World) -> None:
    await world.set_up(site("elsewhere", lat=40.0, lon=116.4))
    arrivals = [received_record(230 + number, at=NOW - timedelta(minutes=number)) for number in range(5)]
    async with world.router() as router:
        await router.handle(*arrivals)
        assert {state for state, _, _ in (await world.holders()).values()} == {"waiting"}
        assert await router.timers.sweep() == 0

        await network.apply(world.pool, (site("near", limit=3),), in_minutes(1))
        await router.reload.refresh()
        world.clock.now = in_minutes(1)
        assert await router.timers.sweep() == 5
        due = [value for number in range(230, 235) for value in await world.published(LEADS_DUE, of_lead=number)]
        await router.handle(*as_records(LEADS_DUE, due))

    held = {number for number, (state, _, _) in (await world.holders()).items() if state == "held"}
    assert held == {232, 233, 234}
    assert await world.loads() == {"near": 3}


async def test_the_first_day_of_a_site_releases_the_leads_that_waited_for_it_once(world: World) -> None:
    # NOW is half past five in the afternoon, so the site's first day begins six and a half hours later.
    await world.set_up(site("coming", when=WorkingTime(opens_on=date(2026, 6, 2))))
    async with world.router() as router:
        await router.handle(received_record(236))
        world.clock.now = in_minutes(6.5 * 60 - 1)
        assert await router.timers.sweep() == 0
        world.clock.now = in_minutes(6.5 * 60)
        assert 236 in await sweep_and_decide(world, router)
        world.clock.now = in_minutes(6.5 * 60 + 2)
        assert await router.timers.sweep() == 0

    assert numbers(await world.decided(236)) == [(1, "waiting", None), (2, "assigned", "coming")]


async def test_when_a_city_opens_its_waiting_leads_are_released_a_batch_at_a_time_the_oldest_first(
    world: World,
) -> None:
    await world.set_up(
        site("elsewhere", lat=40.0, lon=116.4), policy=DEFAULT_POLICY.replace("batch = 500", "batch = 2")
    )
    # The youngest comes first: the order of release is by age and not by arrival.
    arrivals = [received_record(310 + number, at=in_minutes(-number)) for number in range(5)]
    async with world.router() as router:
        await router.handle(*arrivals)
        await network.apply(world.pool, (site("opened"),), in_minutes(1))
        await router.reload.refresh()
        world.clock.now = in_minutes(1)
        released = []
        for _ in range(4):
            known = set(await world.published(LEADS_DUE))
            await router.timers.sweep()
            asked = [value for value in await world.published(LEADS_DUE) if value not in known]
            await router.handle(*as_records(LEADS_DUE, asked))
            released.append({LEADS_DUE.read(value).data.lead_id.int for value in asked})

    assert released == [{313, 314}, {311, 312}, {310}, set()]
    assert await world.loads() == {"opened": 5}


async def test_a_full_batch_of_released_leads_is_followed_by_a_pause_and_not_by_the_next(world: World) -> None:
    await world.set_up(
        site("elsewhere", lat=40.0, lon=116.4), policy=DEFAULT_POLICY.replace("batch = 500", "batch = 2")
    )
    world.settings = world.settings.model_copy(update={"router_sweep_s": 60})
    stop = asyncio.Event()
    async with world.router() as router:
        await router.handle(*[received_record(320 + number, at=in_minutes(-number)) for number in range(5)])
        await network.apply(world.pool, (site("opened"),), in_minutes(1))
        await router.reload.refresh()
        running = asyncio.create_task(router.timers.run(stop))
        async with asyncio.timeout(60):
            while not router.counted("waypost_router_leads_due_total", due="retry"):
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        released = await world.rows("SELECT lead_id FROM router.leads WHERE due_published_at IS NOT NULL")
        stop.set()
        async with asyncio.timeout(60):
            await running

    assert {lead_id.int for (lead_id,) in released} == {323, 324}


async def test_deadlines_wait_for_no_pause_however_many_have_passed(world: World) -> None:
    await world.set_up(NEAR, policy=DEFAULT_POLICY.replace("batch = 500", "batch = 2"))
    async with world.router() as router:
        await router.handle(*[received_record(330 + number) for number in range(5)])
        world.clock.now = in_minutes(11)
        assert await router.timers.sweep() == 5


async def test_a_freed_place_goes_to_the_longest_waiting_lead(world: World) -> None:
    await world.set_up(site("near", limit=1))
    async with world.router() as router:
        await router.handle(received_record(241))
        await router.handle(received_record(242, at=in_minutes(-1)), received_record(243, at=in_minutes(-2)))
        assert await router.timers.sweep() == 0

        await router.handle(answered_record(241, 1, "near", Answer.ACCEPTED))
        assert await router.timers.sweep() == 1
        await router.handle(*as_records(LEADS_DUE, await world.published(LEADS_DUE, of_lead=243)))
        assert await router.timers.sweep() == 0

    holders = await world.holders()
    assert holders[243] == ("held", "near", 2)
    assert holders[242] == ("waiting", None, 1)


async def test_a_full_network_is_tried_again_after_the_policys_minutes(world: World) -> None:
    await world.set_up(site("near", limit=1))
    async with world.router() as router:
        await router.handle(received_record(251, at=in_minutes(-1)), received_record(252))
        await router.handle(answered_record(251, 1, "near", Answer.ACCEPTED), received_record(253, at=in_minutes(-0.5)))
        world.clock.now = in_minutes(9)
        assert await router.timers.sweep() == 0
        world.clock.now = in_minutes(10)
        assert await router.timers.sweep() == 2  # the silent holder, and the lead that waits


async def test_a_lead_that_full_sites_nearby_hold_goes_to_the_farther_site_when_its_time_has_come(
    world: World,
) -> None:
    near_first = "[intents.purchase]\nradius_km = [5]\ngrow_after_minutes = 6\n"
    await world.set_up(
        site("near", limit=1), site("town", 31.4), policy=DEFAULT_POLICY.replace("[intents.purchase]\n", near_first)
    )
    async with world.router() as router:
        await router.handle(received_record(255, at=in_minutes(-0.5)))
        world.clock.now = in_minutes(0.5)
        await router.handle(received_record(256, at=in_minutes(0.5)))
        [waiting] = await world.decided(256)
        assert isinstance(waiting, LeadWaiting)
        assert (waiting.reason, waiting.radius_m, waiting.retry_at) == ("all_full", 5_000, in_minutes(6.5))
        world.clock.now = in_minutes(6.4)
        assert await router.timers.sweep() == 0
        world.clock.now = in_minutes(6.5)
        assert 256 in await sweep_and_decide(world, router)

    decisions = await world.decided(256)
    assert numbers(decisions) == [(1, "waiting", None), (2, "assigned", "town")]
    assert (decisions[1].cause, decisions[1].radius_m) == (Cause.RETRIED, 100_000)
    assert await world.loads() == {"near": 1, "town": 1}


async def test_what_operators_changed_reaches_kafka_once_and_survives_a_lost_sweep(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as one, world.router() as other:
        await asyncio.gather(one.timers.sweep(), other.timers.sweep())

    rows = await world.rows("SELECT topic, published_at IS NOT NULL FROM router.announcements ORDER BY topic")
    assert rows == [("network.changed", True), ("policies.published", True)]


async def test_the_oldest_waiting_lead_is_measured(world: World) -> None:
    await world.set_up(site("elsewhere", lat=40.0, lon=116.4))
    async with world.router() as router:
        await router.handle(received_record(261, at=in_minutes(-3)), received_record(262))
        await router.timers.sweep()
        assert router.counted("waypost_router_leads_waiting") == 2
        assert router.counted("waypost_router_oldest_waiting_seconds") == 180
    assert len(await world.published(LEADS_DECIDED, of_lead=261)) == 1


async def test_an_outage_of_kafka_delays_deadlines_and_loses_none(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(271))
    world.clock.now = in_minutes(11)
    running_settings = world.settings
    world.settings = running_settings.model_copy(update={"kafka": "127.0.0.1:1", "router_sweep_s": 0.05})
    stop = asyncio.Event()
    async with world.router() as cut_off:
        running = asyncio.create_task(cut_off.timers.run(stop))
        done, _ = await asyncio.wait({running}, timeout=0.5)
        assert not done, "the sweeper must outlive the outage"
        stop.set()
        async with asyncio.timeout(60):
            await running

    world.settings = running_settings
    world.clock.now = in_minutes(13)
    async with world.router() as router:
        await router.timers.sweep()
    assert await world.published(LEADS_DUE, of_lead=271)
