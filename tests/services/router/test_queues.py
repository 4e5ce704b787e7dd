"""Who waits for a full site is served before newer leads: with one router and several, whatever they do in between."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.router import network, policies
from services.router.db import queues, timers
from services.router.domain.ledger import Held
from services.router.line import lines_at_free_sites
from services.router.reading import read
from services.router.requeue import requeue
from services.router.settle import settle
from services.router.sites import Site, WorkingTime
from shared.contracts import LEADS_DUE, Answer
from shared.kafka import Record
from shared.postgres import acquire, transact
from shared.vocabulary import SiteStatus
from tests.services.router.networks import DEFAULT_POLICY, NOW, site
from tests.services.router.rivals import about_to_commit, until_wait
from tests.services.router.world import (
    Router,
    World,
    answered_record,
    as_records,
    erased_record,
    in_minutes,
    ordered_record,
    received_record,
)

ONE, FAR_AWAY = site("near", limit=1), site("other", 40.0, 116.4, limit=1)


def came(number: int, **more: str) -> Record:
    """A lead arrives; of two, the greater number came later."""
    return received_record(number, at=NOW + timedelta(seconds=number / 1000), preferred=more.get("preferred"))


class Asked:
    """What timers have said so far (tests say the same), so that a router is told of it once."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    async def since(self, world: World) -> list[Record]:
        """What was said since the last time."""
        new = Counter(await world.published(LEADS_DUE)) - self._seen
        self._seen += new
        return as_records(LEADS_DUE, new.elements())


async def next_are_asked(world: World, asked: Asked, router: Router, other: Router | None = None) -> list[int]:
    """What the loops of a router do once a place is free; another router may decide. Returns who was asked for."""
    await router.timers.ask_next(router.vacancies.take())
    due = await asked.since(world)
    await (other or router).handle(*due)
    return [LEADS_DUE.read(record.value).data.lead_id.int for record in due]


async def given(world: World, site_id: str = "near") -> list[int]:
    """Leads that the site was given, in the order in which they were."""
    rows = await world.rows(
        "SELECT lead_id FROM router.decisions WHERE outcome = 'assigned' AND site_id = $1 ORDER BY decided_at, epoch",
        site_id,
    )
    return [lead_id.int for (lead_id,) in rows]


async def holder(world: World, site_id: str = "near") -> tuple[int, int]:
    """The lead that a site holds, with its epoch."""
    [(lead_id, epoch)] = await world.rows(
        "SELECT lead_id, epoch FROM router.leads WHERE state = 'held' AND site_id = $1", site_id
    )
    return lead_id.int, epoch


async def recorded(world: World, number: int) -> list[dict[str, Any]]:
    """The records of a lead, in order."""
    rows = await world.rows(
        "SELECT record::text FROM router.decisions WHERE lead_id = $1 ORDER BY epoch", UUID(int=number)
    )
    return [orjson.loads(record) for (record,) in rows]


async def lines(world: World) -> dict[str, list[int]]:
    """Who stands in line for each site."""
    rows = await world.rows("SELECT site_id, lead_id FROM router.site_queues ORDER BY site_id, received_at, lead_id")
    found: dict[str, list[int]] = {}
    for site_id, lead_id in rows:
        found.setdefault(site_id, []).append(lead_id.int)
    return found


@pytest.mark.parametrize("routers", [1, 2, 3])
@pytest.mark.parametrize("newcomer_comes", ["before the answer", "with the answer", "after the answer"])
async def test_freed_places_go_to_the_leads_that_wait_in_the_order_in_which_they_came(
    world: World, routers: int, newcomer_comes: str
) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with AsyncExitStack() as stack:
        all_routers = [await stack.enter_async_context(world.router()) for _ in range(routers)]
        await all_routers[0].handle(came(1), came(2), came(3))
        for turn in range(7):
            world.clock.now += timedelta(seconds=1)
            one, other = all_routers[turn % routers], all_routers[(turn + 1) % routers]
            number, epoch = await holder(world)
            newcomer, answer = came(10 + turn), answered_record(number, epoch, "near", Answer.ACCEPTED)
            match newcomer_comes:
                case "before the answer":
                    await other.handle(newcomer)
                    await one.handle(answer)
                case "with the answer":
                    await one.handle(newcomer, answer)
                case _:
                    await one.handle(answer)
                    await other.handle(newcomer)
            assert len(await next_are_asked(world, asked, one, other)) == 1

    assert await given(world) == [1, 2, 3, 10, 11, 12, 13, 14]
    assert await lines(world) == {"near": [15, 16]}
    assert await world.loads() == {"near": 1}


@pytest.mark.parametrize("answer", [Answer.ACCEPTED, Answer.DECLINED, Answer.UNDELIVERABLE, Answer.OUTCOME])
async def test_every_answer_frees_a_place_for_the_oldest(world: World, answer: Answer) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        await router.handle(answered_record(1, 1, "near", answer), came(3))
        assert await next_are_asked(world, asked, router) == [2]

    assert (await given(world)) == [1, 2]
    assert 3 in (await lines(world))["near"]


async def test_silence_an_order_and_an_erasure_free_a_place_for_the_oldest(world: World) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2), came(3), came(4), came(5))
        world.clock.now = in_minutes(11)
        await router.timers.sweep()
        await router.handle(*await asked.since(world), came(6))
        await next_are_asked(world, asked, router)
        await router.handle(ordered_record(2, 2, FAR_AWAY.site_id), came(7))
        assert await given(world) == [1, 2]

        world.clock.now = in_minutes(12)
        number, _ = await holder(world)
        await router.handle(erased_record(number, number), came(8))
        assert await next_are_asked(world, asked, router) == [3]

    assert await given(world) == [1, 2, 3]


async def test_a_place_that_is_free_is_kept_until_the_lead_is_decided_for_which_it_is(world: World) -> None:
    await world.set_up(ONE, site("far", lon=121.2))
    async with world.router() as one, world.router() as other:
        # Too far from the second site, which has no limit.
        await one.handle(*(received_record(number, (31.3, 119.9), at=NOW) for number in (1, 2)))
        await one.handle(answered_record(1, 1, "near", Answer.ACCEPTED))
        await other.handle(came(3), came(4, preferred="near"))

    assert {number: held[:2] for number, held in (await world.holders()).items() if number > 2} == {
        3: ("held", "far"),
        4: ("held", "far"),
    }
    [decided] = await recorded(world, 3)
    near = next(row for row in decided["candidates"] if row["site_id"] == "near")
    assert (near["load"], near["queue_ahead"], near["lost"]) == (0, 1, "full")


async def test_leads_that_cannot_use_a_place_keep_nobody_from_it(world: World) -> None:
    await world.set_up(ONE, FAR_AWAY)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(
            came(1), received_record(2, (40.0, 116.4)), received_record(3, (40.0, 116.4)), received_record(4, None)
        )
        await router.handle(received_record(5, (25.0, 110.0)), answered_record(1, 1, "near", Answer.DECLINED))
        await router.handle(came(6))

    assert await given(world) == [1, 6]


async def test_a_lead_that_waits_no_more_makes_way_at_once(world: World) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2), came(3))
        await router.handle(answered_record(1, 1, "near", Answer.ACCEPTED))
        router.vacancies.take()
        await router.handle(erased_record(2, 2))
        # The place was free and its lead is gone: the next is asked for without waiting for a sweep.
        assert await next_are_asked(world, asked, router) == [3]

    assert await given(world) == [1, 3]
    assert await lines(world) == {}


async def test_a_place_whose_router_died_is_found_by_the_next_sweep_of_another(world: World) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with world.router() as dies, world.router() as lives:
        await dies.handle(came(1), came(2), came(3))
        await dies.handle(answered_record(1, 1, "near", Answer.ACCEPTED))
        await lives.handle(came(4))
        assert await lives.timers.sweep() == 1
        await lives.handle(*await asked.since(world))

    assert await given(world) == [1, 2]
    assert await lines(world) == {"near": [3, 4]}


async def test_a_lead_whose_asking_was_lost_is_asked_for_again_in_seconds(world: World) -> None:
    await world.set_up(ONE)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        await router.handle(answered_record(1, 1, "near", Answer.ACCEPTED))
        limits = [timers.Limits("near", 1, None, None)]
        claimed = await transact(router.pool, lambda connection: timers.claim_next(connection, limits, NOW, 5))
        assert [due.lead_id.int for due in claimed] == [2]
        world.clock.now = NOW + timedelta(seconds=9)
        assert await router.timers.sweep() == 0
        world.clock.now = NOW + timedelta(seconds=11)
        assert await router.timers.sweep() == 1


async def test_only_as_many_are_asked_for_as_there_are_places(world: World) -> None:
    await world.set_up(site("near", limit=3, daily_limit=5))
    async with world.router() as router:
        await router.handle(*(came(number) for number in range(1, 13)))
        await router.handle(*(answered_record(number, 1, "near", Answer.ACCEPTED) for number in (1, 2, 3)))
        # Three are free, of which the day has two left.
        assert await router.timers.ask_next(router.vacancies.take()) == 2


async def test_at_midnight_the_places_of_the_new_day_are_for_those_who_wait(world: World) -> None:
    # NOW is half past five in the afternoon.
    await world.set_up(site("near", daily_limit=2))
    asked = Asked()
    await asked.since(world)
    async with world.router() as one, world.router() as other:
        await one.handle(*(came(number) for number in range(1, 6)))
        world.clock.now = in_minutes(6.5 * 60 - 1)
        await one.handle(*(answered_record(number, 1, "near", Answer.ACCEPTED) for number in (1, 2)))
        assert await next_are_asked(world, asked, one) == []

        world.clock.now = in_minutes(6.5 * 60)
        await other.handle(received_record(6, at=world.clock.now))
        await one.timers.sweep()
        await other.handle(*await asked.since(world), received_record(7, at=world.clock.now))

    assert await given(world) == [1, 2, 3, 4]
    assert await lines(world) == {"near": [5, 6, 7]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((FAR_AWAY,), (FAR_AWAY, ONE)),
        ((replace(ONE, status=SiteStatus.CLOSED),), (ONE,)),
        ((replace(ONE, capabilities=frozenset()),), (ONE,)),
        ((replace(ONE, lat=33.0),), (ONE,)),
    ],
    ids=["a new site", "a site that is open again", "a site that can do more", "a site that moved"],
)
async def test_a_site_that_opens_is_for_those_who_wait_before_any_is_asked_for(
    world: World, before: tuple[Site, ...], after: tuple[Site, ...]
) -> None:
    await world.set_up(*before)
    asked = Asked()
    await asked.since(world)
    async with world.router() as one, world.router() as other:
        await one.handle(came(1), came(2))
        assert await lines(world) == {}
        await network.apply(world.pool, after, in_minutes(1))
        world.clock.now = in_minutes(1)
        for router in (one, other):
            await router.reload.refresh()
        await other.handle(came(3))
        assert other.counted("waypost_router_batches_retried_total", reason="queues_outdated") == 1
        assert await lines(world) == {"near": [1, 2, 3]}
        await one.timers.sweep()
        await other.handle(*await asked.since(world), came(4))

    assert await given(world) == [1]
    assert await lines(world) == {"near": [2, 3, 4]}


async def test_a_greater_distance_lets_those_who_wait_be_served_first(world: World) -> None:
    near_only = DEFAULT_POLICY.replace("max_distance_km = ", "max_distance_km = 1 # ")
    await world.set_up(site("near", 31.35, limit=1), policy=near_only)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        await policies.publish(world.pool, DEFAULT_POLICY, in_minutes(1))
        await router.reload.refresh()
        world.clock.now = in_minutes(1)
        await router.handle(came(3))
        await router.timers.sweep()
        await router.handle(*await asked.since(world))

    assert await given(world) == [1]
    assert await lines(world) == {"near": [2, 3]}


async def test_a_raised_limit_is_for_those_who_wait(world: World) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2), came(3), came(4))
        await network.apply(world.pool, (site("near", limit=3),), in_minutes(1))
        await router.reload.refresh()
        world.clock.now = in_minutes(1)
        await router.handle(came(5))
        await router.timers.sweep()
        await router.handle(*await asked.since(world), came(6))

    assert await given(world) == [1, 2, 3]
    assert await lines(world) == {"near": [4, 5, 6]}


async def test_the_first_day_of_a_site_is_for_those_who_wait(world: World) -> None:
    await world.set_up(site("coming", limit=1, when=WorkingTime(opens_on=date(2026, 6, 2))))
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        world.clock.now = in_minutes(6.5 * 60)
        await router.handle(received_record(3, at=world.clock.now))
        await router.timers.sweep()
        await router.handle(*await asked.since(world))

    assert await given(world, "coming") == [1]
    assert await lines(world) == {"coming": [2, 3]}


async def test_a_lead_that_starts_to_wait_while_another_router_decides_is_seen_when_that_takes_a_place(
    world: World,
) -> None:
    await world.set_up(ONE)
    async with world.router() as one, world.router() as other:
        await one.handle(came(1))
        async with acquire(one.pool) as connection, connection.transaction():
            # Whoever wants the row that counts the places has to wait.
            await connection.execute("SELECT FROM site_loads FOR UPDATE")
            both = asyncio.create_task(other.handle(answered_record(1, 1, "near", Answer.ACCEPTED), came(3)))
            await until_wait(world, 1)
            await one.handle(came(2))
        await both

    assert await given(world) == [1]
    assert await lines(world) == {"near": [2, 3]}


async def test_a_router_that_is_behind_the_network_does_not_give_a_place_that_another_keeps(world: World) -> None:
    await world.set_up(ONE)
    async with world.router() as behind, world.router() as ahead:
        await behind.handle(came(1), came(2))
        await network.apply(world.pool, (site("near", limit=2),), in_minutes(1))
        await ahead.reload.refresh()
        await behind.handle(answered_record(1, 1, "near", Answer.ACCEPTED), came(3))
        await ahead.handle(came(4))

    # Two places, for the second and the third lead.
    assert await lines(world) == {"near": [2, 3, 4]}


async def test_the_queues_of_leads_of_an_older_database_are_found_when_they_are_needed(world: World) -> None:
    await world.set_up(ONE)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        await world.db.execute("TRUNCATE router.site_queues")
        await world.db.execute("UPDATE router.leads SET queued_for = ''")
        await router.handle(answered_record(1, 1, "near", Answer.ACCEPTED), came(3))

    assert await lines(world) == {"near": [2, 3]}


async def test_who_waits_no_more_and_was_left_in_a_queue_keeps_no_place(world: World) -> None:
    await world.set_up(ONE)
    async with world.router() as router:
        await router.handle(came(1), came(2), came(3))
        # As a router does that knows of no queues.
        await world.db.execute("UPDATE router.leads SET state = 'closed' WHERE lead_id = $1", UUID(int=2))
        await router.handle(answered_record(1, 1, "near", Answer.ACCEPTED))
        assert await router.timers.sweep() == 0
        assert await router.timers.sweep() == 1

    assert await lines(world) == {"near": [3]}


async def test_queues_are_found_again_once_for_all_routers(world: World) -> None:
    await world.set_up(ONE)
    async with world.router() as one, world.router() as other:
        await one.handle(came(1), came(2), came(3))
        await network.apply(world.pool, (ONE, FAR_AWAY), in_minutes(1))
        for router in (one, other):
            await router.reload.refresh()
        found = await asyncio.gather(*(requeue(router.pool, router.reload(), NOW) for router in (one, other)))
        assert max(found) == 2
        assert await requeue(one.pool, one.reload(), NOW) == 0

    assert await lines(world) == {"near": [2, 3]}


async def test_an_older_lead_of_the_batch_that_goes_elsewhere_hides_nobody_behind_it(world: World) -> None:
    await world.set_up(ONE, site("next", 31.301, limit=1))
    asked = Asked()
    await asked.since(world)
    async with world.router() as one:
        await one.handle(came(1), came(2), came(3), came(4))
        assert await lines(world) == {"near": [3, 4], "next": [3, 4]}
        await one.handle(answered_record(1, 1, "near", Answer.ACCEPTED), answered_record(2, 1, "next", Answer.ACCEPTED))
        # The oldest is the next at both sites.
        await one.timers.ask_next(one.vacancies.take())
        [due] = await asked.since(world)
        await one.handle(due, came(5))
        assert await next_are_asked(world, asked, one) == [4]

    assert await given(world, "near") == [1, 3]
    assert await given(world, "next") == [2, 4]
    assert await lines(world) == {"near": [5], "next": [5]}


async def test_queues_of_many_are_found_again_the_oldest_first_and_no_longer_than_newer_leads_may_wait(
    world: World,
) -> None:
    await world.set_up(ONE)
    async with world.router() as router:
        await router.handle(came(1), came(4), came(3), came(2))
        await network.apply(world.pool, (ONE, site("next", 31.301, limit=1)), in_minutes(1))
        await router.reload.refresh()
        for standing in ([2], [2, 3], [2, 3, 4]):
            assert await requeue(router.pool, router.reload(), NOW, at_once=1, within_s=0) == 1
            assert await lines(world) == {"near": [2, 3, 4], "next": standing}
        assert await requeue(router.pool, router.reload(), NOW, at_once=1, within_s=0) == 0


async def test_nobody_waits_for_a_lead_that_another_router_is_deciding_to_find_queues_again(world: World) -> None:
    await world.set_up(ONE, FAR_AWAY)
    async with world.router() as stands_still, world.router() as other:
        await other.handle(came(1), came(2), came(3))
        await network.apply(world.pool, (ONE, replace(FAR_AWAY, open_lead_limit=5)), in_minutes(1))
        await other.reload.refresh()
        async with acquire(stands_still.pool) as connection, connection.transaction():
            await connection.execute("SELECT FROM leads WHERE lead_id = $1 FOR UPDATE", UUID(int=2))
            async with asyncio.timeout(60):
                await other.handle(received_record(4, (40.0, 116.4)))
        assert await requeue(other.pool, other.reload(), NOW) == 1

    assert await given(world, FAR_AWAY.site_id) == [4]


async def test_an_order_on_trial_is_not_stopped_by_outdated_queues(world: World) -> None:
    await world.set_up(ONE)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        await world.db.execute("UPDATE router.leads SET queued_for = ''")
        async with acquire(router.pool) as connection, connection.transaction():
            arrivals = read([answered_record(1, 1, "near", Answer.ACCEPTED), came(3)]).arrivals
            settled = await settle(
                connection, arrivals, router.reload(), NOW, keep=frozenset(), travel={}, trust_queues=True
            )
    assert settled.outcomes == {"closed": 1, "waiting": 1}


async def test_the_first_so_many_of_each_queue_are_read_and_the_sites_waited_for(world: World) -> None:
    await world.set_up(ONE, site("b", limit=1))
    async with world.router() as router:
        await router.handle(*(came(number) for number in range(1, 8)))
        async with acquire(router.pool) as connection:
            found = await queues.first(connection, {"near": 2, "b": 1, "nobody": 5}, None)
            assert await queues.sites_waited_for(connection) == ["b", "near"]
    assert not found.are_outdated
    assert {site_id: [UUID(waiter.lead_id).int for waiter in line] for site_id, line in found.lines.items()} == {
        "near": [3, 4],
        "b": [3],
    }


async def test_the_queues_that_matter_are_those_of_sites_with_room(world: World) -> None:
    await world.set_up(ONE, site("b", limit=2))
    async with world.router() as router:
        await router.handle(*(came(number) for number in range(1, 6)))
        snapshot = router.reload().snapshot
        async with acquire(router.pool) as connection:
            full = Held({"near": 1, "b": 2})
            assert await lines_at_free_sites(connection, snapshot, full, {}) == {}
            freed = await lines_at_free_sites(connection, snapshot, full, {"b": 1})
            free = await lines_at_free_sites(connection, snapshot, Held({"b": 2}), {})

    assert {site_id: [UUID(waiter.lead_id).int for waiter in line] for site_id, line in freed.items()} == {"b": [4]}
    assert list(free) == ["near"]


async def test_a_place_that_was_given_back_is_for_whoever_is_next(world: World) -> None:
    """Two routers decide the same lead; one of them gives its place back."""
    await world.set_up(site("near", limit=2))
    asked = Asked()
    await asked.since(world)
    async with world.router() as one, world.router() as other:
        async with about_to_commit(one, came(1)):
            again = asyncio.create_task(other.handle(came(1), came(2), came(3)))
            await until_wait(world, 1)
        await again
        await one.timers.sweep()
        await one.handle(*await asked.since(world))

    assert await given(world) == [1, 2]


async def test_the_ledger_tells_why_a_newer_lead_waited_behind(world: World) -> None:
    await world.set_up(ONE)
    asked = Asked()
    await asked.since(world)
    async with world.router() as router:
        await router.handle(came(1), came(2))
        await router.handle(answered_record(1, 1, "near", Answer.ACCEPTED), came(3))
        await next_are_asked(world, asked, router)
        number, epoch = await holder(world)
        await router.handle(answered_record(number, epoch, "near", Answer.ACCEPTED))
        await next_are_asked(world, asked, router)

    first, second = await recorded(world, 3)
    assert (first["outcome"], second["outcome"], second["site_id"]) == ("waiting", "assigned", "near")
    assert [row["queue_ahead"] for row in first["candidates"]] == [1]
