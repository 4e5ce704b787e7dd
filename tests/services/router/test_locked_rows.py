"""Rows that somebody keeps locked: who needs them waits, the rest of the batch does not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Received
from services.router.locked_rows import RowsLocked, halves, near_together, settle_around_locks
from services.router.reading import Arrival
from services.router.settle import NOTHING_SETTLED, Settled
from shared.contracts import Answer
from shared.postgres import PostgresUnavailable
from tests.services.router.networks import lead, site
from tests.services.router.rivals import about_to_commit
from tests.services.router.world import World, answered_record, received_record

HERE, THERE = (31.3, 120.6), (33.3, 120.6)


@asynccontextmanager
async def locked(world: World, query: str, *arguments: object) -> AsyncIterator[None]:
    """Somebody has these rows locked and does nothing."""
    connection = await asyncpg.connect(world.settings.require_postgres())
    try:
        async with connection.transaction():
            assert await connection.fetch(f"{query} FOR UPDATE", *arguments)
            yield
    finally:
        await connection.close()


async def decided(world: World, *numbers: int) -> None:
    """Wait until all of these leads are decided and published."""
    async with asyncio.timeout(60):
        while not all([await world.decided(number) for number in numbers]):
            await asyncio.sleep(0.05)


async def undecided(world: World, *numbers: int) -> bool:
    """Whether none of these leads is decided."""
    return not any([await world.decided(number) for number in numbers])


async def test_leads_of_another_site_do_not_wait_for_a_locked_one(world: World) -> None:
    await world.set_up(site("here", limit=50), site("there", 33.3, limit=50))
    async with world.router() as router:
        await router.handle(received_record(1, HERE), received_record(2, THERE))
        records = [received_record(number, THERE if number % 3 else HERE) for number in range(3, 33)]
        here = [number for number in range(3, 33) if not number % 3]
        async with locked(world, "SELECT 1 FROM router.site_loads WHERE site_id = 'here'"):
            handling = asyncio.create_task(router.handle(*records))
            await decided(world, *set(range(3, 33)) - set(here))
            assert await undecided(world, *here)
            assert not handling.done()
        await handling
        assert router.counted("waypost_router_batches_retried_total", reason="locked") >= 1

    holders = await world.holders()
    assert [holders[number] for number in here] == [("held", "here", 1)] * len(here)
    assert await world.loads() == {"here": 1 + len(here), "there": 1 + 30 - len(here)}


async def test_leads_of_other_persons_do_not_wait_for_a_locked_lead(world: World) -> None:
    await world.set_up(site("here"), site("next", 31.4), site("there", 33.3))
    async with world.router() as router:
        await router.handle(received_record(41, HERE, person=7), received_record(42, HERE))
        async with locked(world, "SELECT 1 FROM router.leads WHERE lead_id::text LIKE '%29'"):
            handling = asyncio.create_task(
                router.handle(
                    answered_record(41, 1, "here", Answer.DECLINED),
                    answered_record(42, 1, "here", Answer.DECLINED),
                    received_record(43, HERE, person=7),
                    received_record(44, THERE),
                )
            )
            await decided(world, 44)
            async with asyncio.timeout(60):
                while len(await world.decided(42)) < 2:
                    await asyncio.sleep(0.05)
            assert len(await world.decided(41)) == 1
            assert await undecided(world, 43)
        await handling

    holders = await world.holders()
    assert holders[41] == holders[42] == ("held", "next", 2)
    assert holders[43] == ("joined", "next", 1)


async def test_a_new_lead_that_another_router_is_recording_keeps_its_own_batch_only(world: World) -> None:
    await world.set_up(site("here"), site("there", 33.3))
    async with world.router() as router, world.router() as other:
        async with about_to_commit(other, received_record(51, HERE)):
            handling = asyncio.create_task(router.handle(received_record(51, HERE), received_record(52, THERE)))
            await decided(world, 52)
            assert await undecided(world, 51)
        await handling

    assert [decision.epoch for decision in await world.decided(51)] == [1]
    assert await world.loads() == {"here": 1, "there": 1}


async def test_a_row_that_stays_locked_gives_the_poll_back_to_kafka_with_the_rest_settled() -> None:
    arrivals = [arrival(number, (number - 70.0, 120.0)) for number in range(100, 109)]
    settled: list[str] = []

    async def settle_some(some: Sequence[Arrival], _: int | None) -> Settled:
        if arrivals[4] in some:
            raise RowsLocked
        settled.extend(one.lead_id for one in some)
        return NOTHING_SETTLED

    with pytest.raises(PostgresUnavailable, match="rows that 1 arrivals need stay locked"):
        await settle_around_locks(arrivals, settle_some, lambda: None)
    assert sorted(settled) == sorted(one.lead_id for one in arrivals if one is not arrivals[4])


def arrival(number: int, point: tuple[float, float] | None = None) -> Arrival:
    features = lead(number, point, person=1 + number % 4 if number < 100 else number)
    return Arrival("leads.received", features.lead_id, Received(str(number)), None, features, features.person_id)


batches = st.lists(st.builds(arrival, st.integers(1, 12), st.sampled_from([None, HERE, THERE])), min_size=1)


@given(batches)
def test_sorted_and_halved_nothing_is_lost_and_no_person_divided(batch: list[Arrival]) -> None:
    ordered = near_together(batch)

    assert sorted(map(id, ordered)) == sorted(map(id, batch))
    parts = halves(ordered)
    if parts:
        first, second = parts
        assert [*first, *second] == ordered
        assert first
        assert second
        assert {one.person_id for one in first}.isdisjoint(one.person_id for one in second)
    else:
        assert len({one.person_id for one in ordered}) == 1


@given(batches)
def test_what_concerns_one_lead_keeps_its_order(batch: list[Arrival]) -> None:
    ordered = near_together(batch)

    for lead_id in {one.lead_id for one in batch}:
        assert [id(one) for one in ordered if one.lead_id == lead_id] == [
            id(one) for one in batch if one.lead_id == lead_id
        ]
