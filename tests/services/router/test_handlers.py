import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from services.router.domain import decision_id
from shared.contracts import (
    DEAD_LETTERS,
    LEADS_DECIDED,
    LEADS_RECEIVED,
    Answer,
    ClosedReason,
    Fact,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadJoined,
    LeadWaiting,
    Result,
    WaitingReason,
)
from shared.kafka import Record
from shared.tracing import child
from shared.vocabulary import Intent
from tests.services.router.networks import NOW, site
from tests.services.router.world import (
    TRACE,
    World,
    answered_record,
    erased_record,
    in_minutes,
    numbers,
    received_record,
)

NEAR, NEXT, FAR = site("near", lon=120.6), site("next", lon=120.62), site("far", lon=120.65)


async def test_the_nearest_site_gets_the_lead_and_kafka_hears_what_the_ledger_keeps(world: World) -> None:
    await world.set_up(FAR, NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(101))

    [value] = await world.published(LEADS_DECIDED, of_lead=101)
    [(record, kept_id)] = await world.rows("SELECT record::text, decision_id FROM router.decisions")
    fact: Fact[LeadDecided] = LEADS_DECIDED.read(value)
    assert isinstance(fact.data, LeadAssigned)
    assert (fact.data.site_id, fact.data.epoch, fact.data.network_revision) == ("near", 1, 1)
    assert (
        value
        == LEADS_DECIDED.fact(
            fact.data,
            id=UUID(decision_id(str(UUID(int=101)), 1)),
            source="router",
            subject=str(UUID(int=101)),
            time=NOW,
            traceparent=child(TRACE, "decided1"),
        ).to_bytes()
    )
    assert value.endswith(b'"data":' + record.encode() + b"}")
    assert kept_id == fact.id == fact.data.decision_id
    assert await world.loads() == {"near": 1}


async def test_every_record_delivered_twice_gives_the_same_bytes_and_no_second_decision(world: World) -> None:
    await world.set_up(NEAR, NEXT, FAR)
    story = [
        received_record(111),
        received_record(112, person=7),
        received_record(113, person=7),
        answered_record(111, 1, "near", Answer.DECLINED),
        answered_record(111, 2, "next", Answer.ACCEPTED),
        answered_record(111, 2, "next", Answer.OUTCOME, result=Result.WON),
        erased_record(7, 112, 113),
    ]
    async with world.router() as router:
        for record in story:
            await router.handle(record)
        ledger = await world.rows("SELECT lead_id, epoch, record::text FROM router.decisions ORDER BY 1, 2")
        first = {number: await world.published(LEADS_DECIDED, of_lead=number) for number in (111, 112, 113)}
        loads = await world.loads()
        for record in story:
            world.clock.now += timedelta(seconds=1)
            await router.handle(record, record)

    assert await world.rows("SELECT lead_id, epoch, record::text FROM router.decisions ORDER BY 1, 2") == ledger
    assert await world.loads() == loads == {}
    for number, values in first.items():
        again = await world.published(LEADS_DECIDED, of_lead=number)
        assert len(again) > len(values)
        assert set(again) == set(values)
    assert numbers(await world.decided(111)) == [
        (1, "assigned", "near"),
        (2, "assigned", "next"),
        (3, "closed", "next"),
        (4, "closed", "next"),
    ]


async def test_two_routers_with_the_same_leads_in_opposite_order_agree_on_one_holder_each(world: World) -> None:
    limited = [site("a", lon=120.6, limit=30), site("b", lon=120.61, limit=50), site("c", lon=120.63, limit=40)]
    await world.set_up(*limited)
    records = [received_record(1000 + number) for number in range(200)]
    async with world.router() as one, world.router() as other:
        await asyncio.gather(one.handle(*records), other.handle(*reversed(records)))

    holders = await world.holders()
    assert Counter(state for state, _, _ in holders.values()) == {"held": 120, "waiting": 80}
    assert await world.loads() == {"a": 30, "b": 50, "c": 40}
    assert await world.rows("SELECT count(*), count(DISTINCT lead_id) FROM router.decisions") == [(200, 200)]
    for number in (1000, 1100, 1199):
        assert len(set(await world.published(LEADS_DECIDED, of_lead=number))) == 1


async def test_routers_that_take_different_leads_at_once_never_fill_a_site_above_its_limit(world: World) -> None:
    await world.set_up(site("a", lon=120.6, limit=25), site("b", lon=120.61, limit=10))
    async with world.router() as one, world.router() as other:
        for wave in range(4):
            base = 2000 + wave * 20
            await asyncio.gather(
                one.handle(*[received_record(base + number) for number in range(10)]),
                other.handle(*[received_record(base + number) for number in range(10, 20)]),
            )

    assert await world.loads() == {"a": 25, "b": 10}
    assert Counter(state for state, _, _ in (await world.holders()).values()) == {"held": 35, "waiting": 45}


async def test_a_declined_lead_goes_to_the_next_nearest_and_never_back(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(121))
        await router.handle(answered_record(121, 1, "near", Answer.DECLINED))
        assert await world.loads() == {"next": 1}
        await router.handle(answered_record(121, 2, "next", Answer.UNDELIVERABLE))

    decisions = await world.decided(121)
    assert numbers(decisions) == [(1, "assigned", "near"), (2, "assigned", "next"), (3, "waiting", None)]
    assert isinstance(decisions[2], LeadWaiting)
    assert decisions[2].reason is WaitingReason.ALL_DECLINED
    assert await world.loads() == {}


async def test_an_accepted_lead_is_closed_and_its_place_is_free(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await router.handle(received_record(131))
        await router.handle(answered_record(131, 1, "near", Answer.ACCEPTED))

    closed = (await world.decided(131))[-1]
    assert isinstance(closed, LeadClosed)
    assert (closed.reason, closed.site_id, closed.assignment_epoch) == (ClosedReason.ACCEPTED, "near", 1)
    assert await world.loads() == {}


async def test_a_late_answer_changes_nothing_and_is_counted(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as router:
        await router.handle(received_record(141))
        await router.handle(answered_record(141, 1, "near", Answer.DECLINED))
        await router.handle(answered_record(141, 1, "near", Answer.ACCEPTED))
        await router.handle(answered_record(149, 1, "near", Answer.ACCEPTED))

        assert await world.holders() == {141: ("held", "next", 2)}
        stale = "waypost_router_facts_stale_total"
        assert router.counted(stale, topic="leads.answered", reason="wrong_epoch") == 1
        assert router.counted(stale, topic="leads.answered", reason="unknown_lead") == 1


async def test_acceptance_and_outcome_in_one_poll_are_two_decisions_in_order(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await router.handle(received_record(151))
        await router.handle(
            answered_record(151, 1, "near", Answer.ACCEPTED),
            answered_record(151, 1, "near", Answer.OUTCOME, result=Result.WON),
        )

    values = [LEADS_DECIDED.read(value).data.epoch for value in await world.published(LEADS_DECIDED, of_lead=151)]
    assert values == [1, 2, 3]
    assert await world.holders() == {151: ("closed", "near", 3)}


async def test_one_persons_leads_in_two_routers_at_once_have_one_holder(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    async with world.router() as one, world.router() as other:
        for person in range(1, 21):
            first, second = 3000 + person * 2, 3001 + person * 2
            await asyncio.gather(
                one.handle(received_record(first, person=person)),
                other.handle(received_record(second, person=person, intent=Intent.TEST_DRIVE)),
            )

    states = Counter(state for state, _, _ in (await world.holders()).values())
    assert states == {"held": 20, "joined": 20}
    assert sum((await world.loads()).values()) == 20


async def test_a_second_lead_joins_within_the_window_and_not_after_it(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await router.handle(received_record(161, person=61))
        await router.handle(answered_record(161, 1, "near", Answer.ACCEPTED))
        world.clock.now = NOW + timedelta(hours=71)
        await router.handle(received_record(162, person=61))
        world.clock.now = NOW + timedelta(hours=73)
        await router.handle(received_record(163, person=61))

    [joined] = await world.decided(162)
    assert isinstance(joined, LeadJoined)
    assert (joined.joins_lead_id, joined.site_id) == (UUID(int=161), "near")
    assert numbers(await world.decided(163)) == [(1, "assigned", "near")]


async def test_a_lead_that_ends_makes_room_for_the_persons_next_one_in_the_same_poll(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await router.handle(received_record(171, person=71))
        await router.handle(
            received_record(172, person=71, at=in_minutes(1)),
            answered_record(171, 1, "near", Answer.OUTCOME, result=Result.LOST),
        )

    assert await world.holders() == {171: ("closed", "near", 2), 172: ("held", "near", 1)}


async def test_an_erased_person_has_no_holder_whatever_comes_first(world: World) -> None:
    await world.set_up(NEAR)
    async with world.router() as router:
        await router.handle(received_record(181, person=81))
        await router.handle(erased_record(81, 181, 182, 183))
        await router.handle(received_record(182, person=81))
        await router.handle(erased_record(82, 184), received_record(184, person=82))

    closed = {number: (await world.decided(number))[-1] for number in (181, 182, 184)}
    for number, decision in closed.items():
        assert isinstance(decision, LeadClosed), number
        assert decision.reason is ClosedReason.ERASED, number
    assert await world.loads() == {}
    assert (await world.holders())[183] == ("closed", None, 0)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "record: json_invalid"),
        (b"\xff\xfe", "record: json_invalid"),
        (received_record(1).value.replace(b"received.v1", b"received.v9"), "type: literal_error"),
        (received_record(1).value.replace(b'"lat":31.3', b'"lat":"Zhang San, 13800000000"'), "data.place.lat"),
    ],
    ids=["not-json", "not-utf-8", "unknown-version", "wrong-value"],
)
async def test_a_poison_record_is_buried_without_quoting_it_and_its_neighbours_are_decided(
    world: World, value: bytes, reason: str
) -> None:
    await world.set_up(NEAR)
    poison = Record(LEADS_RECEIVED.name, 3, 77, b"", value, 0)
    before = len(await world.published(DEAD_LETTERS[LEADS_RECEIVED.name]))
    async with world.router() as router:
        await router.handle(received_record(191), poison, received_record(192))

    assert {state for state, _, _ in (await world.holders()).values()} == {"held"}
    dead = (await world.published(DEAD_LETTERS[LEADS_RECEIVED.name]))[before:]
    facts = [DEAD_LETTERS[LEADS_RECEIVED.name].read(one).data for one in dead]
    assert [(one.source_partition, one.source_offset) for one in facts] == [(3, 77)]
    assert facts[0].reason.startswith(reason)
    assert "Zhang" not in facts[0].reason


async def test_a_poll_larger_than_a_batch_keeps_the_order_of_each_lead(world: World) -> None:
    await world.set_up(NEAR, NEXT)
    object.__setattr__(world, "settings", world.settings.model_copy(update={"router_max_batch": 3}))
    records = [received_record(4000 + number) for number in range(10)]
    answers = [answered_record(4000 + number, 1, "near", Answer.DECLINED) for number in range(10)]
    async with world.router() as router:
        await router.handle(*records, *answers)

    assert set((await world.holders()).values()) == {("held", "next", 2)}
    for number in range(4000, 4010):
        epochs = [
            LEADS_DECIDED.read(value).data.epoch for value in await world.published(LEADS_DECIDED, of_lead=number)
        ]
        assert epochs == [1, 2]
