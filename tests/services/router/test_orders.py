"""Operators' orders on the real ledger: done once, whoever else acts at the same time."""

import asyncio
from collections import Counter
from datetime import timedelta

from services.router import network
from shared.contracts import LEADS_DECIDED, LEADS_DUE, Answer, Cause, LeadAssigned, LeadWaiting, Result, WaitingReason
from tests.services.router.lives import place_at
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import (
    World,
    answered_record,
    as_records,
    erased_record,
    in_minutes,
    numbers,
    ordered_record,
    received_record,
)

NEAR, NEXT = site("near"), site("next", 31.32)
FOR_A_PERSON = DEFAULT_POLICY.replace("before_person = 0", "before_person = 1")


async def test_a_lead_that_needs_a_person_waits_for_one_whatever_changes(world: World) -> None:
    await world.set_up(NEAR, NEXT, policy=FOR_A_PERSON)
    async with world.router() as router:
        await router.handle(received_record(501), answered_record(501, 1, "near", Answer.DECLINED))
        assert await world.rows("SELECT waiting FROM router.leads") == [("needs_person",)]

        await network.apply(world.pool, (NEAR, NEXT, site("third", 31.33)), in_minutes(1))
        await router.reload.refresh()
        world.clock.now = in_minutes(60 * 24)
        assert await router.timers.sweep() == 0
        assert router.counted("waypost_router_leads_waiting_for", reason="needs_person") == 1
        assert router.counted("waypost_router_oldest_waiting_for_seconds", reason="needs_person") == 24 * 3600
        assert router.counted("waypost_router_leads_waiting_for", reason="all_full") == 0

        await router.handle(ordered_record(501, 2, "third"))
        assert await world.rows("SELECT waiting, excluded FROM router.leads") == [(None, ["near"])]

    assert await world.published(LEADS_DUE, of_lead=501) == []
    decisions = await world.decided(501)
    assert numbers(decisions) == [(1, "assigned", "near"), (2, "waiting", None), (3, "assigned", "third")]
    assert decisions[2].cause is Cause.ORDERED


async def test_an_order_frees_the_holder_and_is_decided_once_however_often_it_comes(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    order = ordered_record(511, 1, "next")
    async with world.router() as one, world.router() as other:
        await one.handle(received_record(511))
        await asyncio.gather(one.handle(order), other.handle(order))
        await other.handle(order, order)

    assert await world.loads() == {"next": 1}
    assert numbers(await world.decided(511)) == [(1, "assigned", "near"), (2, "assigned", "next")]
    values = await world.published(LEADS_DECIDED, of_lead=511)
    assert len(set(values)) == 2


async def test_an_order_for_what_the_lead_was_changes_nothing_and_is_counted(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(521), answered_record(521, 1, "near", Answer.DECLINED))
        await router.handle(ordered_record(521, 1, "near"), ordered_record(999, 1, "near"))
        stale = "waypost_router_facts_stale_total"
        assert router.counted(stale, topic="leads.ordered", reason="wrong_epoch") == 1
        assert router.counted(stale, topic="leads.ordered", reason="unknown_lead") == 1

    assert await world.holders() == {521: ("held", "next", 2)}


async def test_orders_of_two_routers_never_fill_a_site_beyond_its_limit(world: World) -> None:
    await world.set_up(NEAR, site("small", 31.4, limit=3))
    async with world.router() as one, world.router() as other:
        await one.handle(*[received_record(530 + number) for number in range(8)])
        await asyncio.gather(
            one.handle(*[ordered_record(530 + number, 1, "small") for number in range(4)]),
            other.handle(*[ordered_record(534 + number, 1, "small") for number in range(4)]),
        )

    assert await world.loads() == {"near": 5, "small": 3}
    assert Counter(site_id for _, site_id, _ in (await world.holders()).values()) == {"near": 5, "small": 3}


async def test_the_place_in_an_order_is_where_the_lead_is_from_then_on(world: World) -> None:
    await world.set_up(NEAR, site("east", lon=121.3), site("far-east", lon=121.4))
    async with world.router() as router:
        await router.handle(received_record(541, None))
        assert await world.rows("SELECT waiting, lat FROM router.leads") == [("location_unclear", None)]

        await router.handle(ordered_record(541, 1, place=place_at((31.3, 121.3))))
        await router.handle(answered_record(541, 2, "east", Answer.DECLINED))
        assert await world.rows("SELECT lat, lon FROM router.leads") == [(31.3, 121.3)]

        # Order and answer in one poll: the answer is decided from the new place already.
        place = place_at((31.3, 120.6))
        await router.handle(ordered_record(541, 3, place=place), answered_record(541, 4, "near", Answer.DECLINED))

    decisions = await world.decided(541)
    assert numbers(decisions)[1:] == [
        (2, "assigned", "east"),
        (3, "assigned", "far-east"),
        (4, "assigned", "near"),
        (5, "assigned", "far-east"),
    ]
    assert await world.rows("SELECT lat, lon FROM router.leads") == [(31.3, 120.6)]
    placed = decisions[3].order
    assert placed is not None
    assert placed.place == place


async def test_erasing_the_person_ends_the_wait_for_a_person(world: World) -> None:
    await world.set_up(NEAR, policy=FOR_A_PERSON)
    async with world.router() as router:
        await router.handle(received_record(551, person=55), answered_record(551, 1, "near", Answer.DECLINED))
        await router.handle(erased_record(55, 551))
        await router.handle(ordered_record(551, 3, "near", at=in_minutes(1)))

    assert await world.holders() == {551: ("closed", None, 3)}
    assert await world.rows("SELECT waiting FROM router.leads") == [(None,)]


async def test_a_lead_that_a_person_ended_is_over_and_the_persons_next_one_is_new(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await router.handle(received_record(571, person=57))
        await router.handle(ordered_record(571, 1, result=Result.INVALID))
        await router.handle(received_record(572, person=57, at=in_minutes(1)))

    assert await world.holders() == {571: ("closed", "near", 2), 572: ("held", "near", 1)}
    assert await world.loads() == {"near": 1}
    assert await world.rows("SELECT closed, live FROM router.leads ORDER BY lead_id") == [
        ("outcome", False),
        (None, True),
    ]


async def test_a_center_that_is_full_is_asked_again_when_it_has_room(world: World) -> None:
    small = site("center", 31.5, limit=1)
    policy = DEFAULT_POLICY.replace("before_center = 0", "before_center = 1")
    policy = policy.replace("before_person = 0", "before_person = 2")
    policy = policy.replace('kinds = ["delivery_center", "agent_store"]', 'kinds = ["agent_store"]')
    store = site("store", kind=NEAR.kind.AGENT_STORE, capabilities=[cap for cap in NEAR.capabilities if cap == "sales"])
    await world.set_up(store, small, policy=policy)
    async with world.router() as router:
        await router.handle(received_record(561), received_record(562))
        await router.handle(ordered_record(561, 1, "center"))
        await router.handle(answered_record(562, 1, "store", Answer.DECLINED))
        waiting = (await world.decided(562))[1]
        assert isinstance(waiting, LeadWaiting)
        assert (waiting.reason, waiting.center_after) == (WaitingReason.ALL_FULL, 1)

        await router.handle(answered_record(561, 2, "center", Answer.ACCEPTED))
        world.clock.now = in_minutes(1)
        assert await router.timers.sweep() == 1
        await router.handle(*as_records(LEADS_DUE, await world.published(LEADS_DUE, of_lead=562)))

    given = (await world.decided(562))[2]
    assert isinstance(given, LeadAssigned)
    assert (given.site_id, given.center_after) == ("center", 1)
    assert given.respond_by == in_minutes(1) + timedelta(minutes=10)
