"""A lead across water on the real Kafka and PostgreSQL, with an engine of travel times beside them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from services.router import network
from services.router.barriers import Point
from services.router.domain import redecide
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_DUE,
    Answer,
    LeadAssigned,
    LeadDecided,
    LeadWaiting,
    Measure,
    WhyDistance,
)
from tests.services.router.networks import DEFAULT_POLICY, as_fact, lead, site
from tests.services.router.travel.engine import FakeEngine, fake_engine
from tests.services.router.world import Router, World, answered_record, as_records, in_minutes, received_record

# Leads are at 120.6; the bay lies at 120.62, and the bridge is far.
ACROSS, ROUND, BEHIND = site("across", lon=120.63), site("round", lon=120.55), site("behind", lon=120.5)
BY_TIME = f"{DEFAULT_POLICY}\n[travel]\ncandidates = 8\n"


def bay(start: Point, end: Point) -> float | None:
    """A minute for each hundredth of a degree, and fifty for the bridge."""
    crossing = 3_000 if (start[1] < 120.62) != (end[1] < 120.62) else 0
    return abs(start[1] - end[1]) * 6_000 + crossing


@asynccontextmanager
async def beside_an_engine(world: World, **settings: object) -> AsyncIterator[tuple[Router, FakeEngine]]:
    async with fake_engine(bay) as engine:
        update = {"travel_url": engine.url, "travel_timeout_ms": 10_000, **settings}
        async with replace(world, settings=world.settings.model_copy(update=update)).router() as router:
            yield router, engine


def measured(decision: LeadDecided) -> tuple[str | None, Measure | None, WhyDistance | None]:
    assert isinstance(decision, LeadAssigned | LeadWaiting)
    return getattr(decision, "site_id", None), decision.measure, decision.why_distance


async def test_a_lead_across_the_bay_goes_to_the_site_on_its_own_shore_and_replay_needs_no_engine(
    world: World,
) -> None:
    await world.set_up(ACROSS, ROUND, BEHIND, policy=BY_TIME)
    async with beside_an_engine(world) as (router, engine):
        await router.handle(received_record(701))
        await router.handle(answered_record(701, 1, "round", Answer.DECLINED))

    first, second = await world.decided(701)
    assert measured(first) == ("round", Measure.TRAVEL_TIME, None)
    assert measured(second) == ("behind", Measure.TRAVEL_TIME, None)
    assert isinstance(second, LeadAssigned)
    assert [(one.site_id, one.travel_s, one.lost) for one in second.candidates] == [
        ("round", 300, "declined"),
        ("behind", 600, None),
        ("across", 3_180, "slower"),
    ]
    assert len(engine.asked) == 1, "the second decision knows the ways from the first"

    snapshot, rules = Snapshot.build([ACROSS, ROUND, BEHIND], 1), Policy.from_toml(BY_TIME, 1)
    records = [record for (record,) in await world.rows("SELECT record::text FROM router.decisions ORDER BY epoch")]
    declined = LEADS_ANSWERED.read(answered_record(701, 1, "round", Answer.DECLINED).value).data
    again = [
        redecide(first, as_fact(lead(701)), [], None, snapshot, rules),
        redecide(second, as_fact(lead(701)), [first], declined, snapshot, rules),
    ]
    assert [one.decode() for one in again] == records


async def test_an_engine_that_never_answers_delays_a_batch_and_distance_decides_it(world: World) -> None:
    await world.set_up(ACROSS, ROUND, BEHIND, policy=BY_TIME)
    async with beside_an_engine(world, travel_timeout_ms=50) as (router, engine):
        engine.hangs = True
        await router.handle(*[received_record(number) for number in range(711, 716)])

    for number in range(711, 716):
        [decision] = await world.decided(number)
        assert measured(decision) == ("across", Measure.DISTANCE_FALLBACK, WhyDistance.TIMEOUT)
        [record] = await world.rows("SELECT record::text FROM router.decisions WHERE lead_id = $1", decision.lead_id)
        again = redecide(
            decision, as_fact(lead(number)), [], None, Snapshot.build([ACROSS, ROUND, BEHIND], 1),
            Policy.from_toml(BY_TIME, 1),
        )  # fmt: skip
        assert (again.decode(),) == record


async def test_a_record_that_comes_twice_keeps_its_times_whatever_the_engine_says_by_then(world: World) -> None:
    await world.set_up(ACROSS, ROUND, policy=BY_TIME)
    async with beside_an_engine(world, travel_cache_size=0) as (router, engine):
        await router.handle(received_record(721))
        engine.status = 500
        await router.handle(received_record(721))

    assert len(set(await world.published(LEADS_DECIDED, of_lead=721))) == 1


async def test_a_router_without_an_engine_says_that_it_went_by_distance(world: World) -> None:
    await world.set_up(ACROSS, ROUND, policy=BY_TIME)
    async with world.router() as router:
        await router.handle(received_record(731))

    [decision] = await world.decided(731)
    assert measured(decision) == ("across", Measure.DISTANCE_FALLBACK, WhyDistance.NOT_CONFIGURED)


async def test_an_engine_is_asked_nothing_under_a_policy_that_compares_no_times(world: World) -> None:
    await world.set_up(ACROSS, ROUND)
    async with beside_an_engine(world) as (router, engine):
        await router.handle(received_record(741))
        assert engine.asked == []

    [decision] = await world.decided(741)
    assert measured(decision) == ("across", None, None)


async def test_a_network_that_changes_while_an_engine_is_asked_is_asked_about_anew(world: World) -> None:
    await world.set_up(ACROSS, ROUND, policy=BY_TIME)
    async with beside_an_engine(world) as (router, engine):
        engine.hangs = True
        handling = asyncio.create_task(router.handle(received_record(761)))
        while not engine.asked:
            await asyncio.sleep(0.01)
        await network.apply(world.pool, (ACROSS, replace(ROUND, lon=120.5)), world.clock.now)
        await router.reload.refresh()
        engine.hangs = False
        engine.answering.set()
        await handling

    [decision] = await world.decided(761)
    assert isinstance(decision, LeadAssigned)
    assert decision.network_revision == 2
    assert [(one.site_id, one.travel_s) for one in decision.candidates] == [("round", 600), ("across", 3_180)]


async def test_silence_sends_a_lead_to_the_next_quickest_with_times_asked_anew(world: World) -> None:
    await world.set_up(ACROSS, ROUND, BEHIND, policy=BY_TIME)
    async with beside_an_engine(world, travel_cache_size=0) as (router, engine):
        await router.handle(received_record(751))
        world.clock.now = in_minutes(11)
        await router.timers.sweep()
        await router.handle(*as_records(LEADS_DUE, await world.published(LEADS_DUE, of_lead=751)))
        assert len(engine.asked) == 2

    assert [measured(one)[0] for one in await world.decided(751)] == ["round", "behind"]
