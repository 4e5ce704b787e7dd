"""Routers whose clocks differ, on one ledger: no lead goes back in time, none takes the others along."""

from datetime import datetime, timedelta

import pytest

from services.audit.domain.moves import Step, broken_rules
from shared.contracts import LEADS_DUE, Answer, LeadAssigned
from shared.contracts.decided import LeadDecided
from tests.services.router.networks import NOW, site
from tests.services.router.world import (
    Clock,
    World,
    answered_record,
    as_records,
    erased_record,
    in_minutes,
    received_record,
)

BEHIND = [pytest.param(timedelta(seconds=45), id="45 s"), pytest.param(timedelta(hours=1), id="1 h")]


def steps_of(decisions: list[LeadDecided]) -> list[Step]:
    return [Step.from_data(decision.model_dump_json(exclude_none=True).encode()) for decision in decisions]


@pytest.mark.parametrize("behind", BEHIND)
async def test_a_slow_router_decides_no_epoch_before_the_one_before(world: World, behind: timedelta) -> None:
    await world.set_up(site("near"), site("next", 31.4))
    async with world.router() as right, world.router(Clock(NOW - behind)) as slow:
        await right.handle(received_record(1))
        await slow.handle(answered_record(1, 1, "near", Answer.DECLINED, at=in_minutes(0.2)))
        await right.handle(answered_record(1, 2, "next", Answer.ACCEPTED))
        await slow.handle(erased_record(1, 1))

    decisions = await world.decided(1)
    assert [decision.decided_at for decision in decisions] == [NOW, *[in_minutes(0.2)] * 3]
    assert list(broken_rules(steps_of(decisions))) == []
    assert await rows_are_as_decided(world)


@pytest.mark.parametrize("behind", BEHIND)
async def test_a_slow_router_gives_a_new_lead_its_whole_time_to_answer(world: World, behind: timedelta) -> None:
    await world.set_up(site("near"))
    async with world.router() as right, world.router(Clock(NOW - behind)) as slow:
        await slow.handle(received_record(11))
        assert await right.timers.sweep() == 0

    [decision] = await world.decided(11)
    assert isinstance(decision, LeadAssigned)
    assert decision.decided_at == NOW
    assert decision.respond_by > NOW


async def test_what_a_fast_clock_recorded_is_of_its_lead_alone(world: World) -> None:
    hours_ahead = NOW + timedelta(hours=1)
    await world.set_up(site("near"), site("next", 31.4))
    async with world.router() as right, world.router(Clock(hours_ahead)) as fast:
        await fast.handle(received_record(21, at=in_minutes(-1)))
        await right.handle(answered_record(21, 1, "near", Answer.DECLINED), received_record(22))

    assert [decision.decided_at for decision in await world.decided(21)] == [hours_ahead, hours_ahead]
    assert [decision.decided_at for decision in await world.decided(22)] == [NOW]
    assert await rows_are_as_decided(world)


async def test_a_record_of_the_next_century_is_decided_now(world: World) -> None:
    await world.set_up(site("near"))
    async with world.router() as router:
        await router.handle(received_record(31, at=NOW.replace(year=2126)), received_record(32))

    assert await decided_at(world, 31) == await decided_at(world, 32) == [NOW]


async def test_what_waited_for_a_lock_is_decided_after_what_it_waited_for(world: World) -> None:
    """Both routers looked at the clock before; the second got the lead when the first had decided."""
    await world.set_up(site("near"), site("next", 31.4))
    later = Clock(in_minutes(0.01))
    async with world.router() as first, world.router(later) as second:
        await first.handle(received_record(41))
        await second.handle(answered_record(41, 1, "near", Answer.DECLINED))
        await first.handle(answered_record(41, 2, "next", Answer.ACCEPTED))

    assert await decided_at(world, 41) == [NOW, later.now, later.now]


async def test_no_assignment_is_given_up_before_its_time_whoever_says_that_it_is_over(world: World) -> None:
    await world.set_up(site("near"), site("next", 31.4))
    async with world.router() as right, world.router(Clock(NOW + timedelta(hours=1))) as fast:
        await right.handle(received_record(51), received_record(52))
        assert await fast.timers.sweep() == 2
        values = [value for number in (51, 52) for value in await world.published(LEADS_DUE, of_lead=number)]
        said = as_records(LEADS_DUE, values)
        await right.handle(*said)
        assert right.counted("waypost_router_facts_stale_total", topic="leads.due", reason="not_yet_due") == 2

        world.clock.now = LEADS_DUE.read(said[0].value).data.due_at
        await right.handle(*said)

    holders = await world.holders()
    assert holders[51] == holders[52] == ("held", "next", 2)


async def decided_at(world: World, number: int) -> list[datetime]:
    return [decision.decided_at for decision in await world.decided(number)]


async def rows_are_as_decided(world: World) -> bool:
    """Whether the column says of every decision what its record says."""
    rows = await world.rows("SELECT decided_at, (record->>'decided_at')::timestamptz FROM router.decisions")
    return all(column == record for column, record in rows)
