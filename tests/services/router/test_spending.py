"""Routers that want the same places, each step of one held still while the other goes as far as it can."""

import asyncio
from typing import Any

import orjson
import pytest

from services.router.domain import Decided, Stale, decide_batch
from services.router.domain.ledger import Held
from services.router.snapshot import Site
from services.router.spending import Spending
from shared.contracts import Answer
from shared.postgres import acquire
from tests.services.router.networks import NOW, lead, received, site
from tests.services.router.rivals import about_to_commit, meet, settled_once, until_wait
from tests.services.router.world import World, answered_record, received_record

OPEN, DAY = site("near", lon=120.6, limit=1), site("near", lon=120.6, daily_limit=1)
NEXT, FAR = site("next", lon=120.62, limit=1), site("far", lon=120.65)


async def candidates(world: World, site_id: str) -> list[dict[str, Any]]:
    """What the record of the only lead of a site says that there was to choose from, without distances."""
    [(record,)] = await world.rows("SELECT record::text FROM router.decisions WHERE site_id = $1", site_id)
    rows = orjson.loads(record)["candidates"]
    return [{name: value for name, value in row.items() if name != "distance_m"} for row in rows]


@pytest.mark.parametrize(
    ("near", "full"),
    [
        (OPEN, {"site_id": "near", "load": 1, "lost": "full"}),
        (DAY, {"site_id": "near", "load": 0, "taken_today": 1, "lost": "full_today"}),
    ],
    ids=["open leads", "a day's leads"],
)
async def test_the_second_for_a_last_place_gives_its_lead_to_the_next_site_and_does_not_begin_again(
    world: World, near: Site, full: dict[str, Any]
) -> None:
    await world.set_up(near, FAR)
    async with world.router() as router:
        await meet(world, router, received_record(3001), received_record(3002))
        assert router.counted("waypost_router_batches_retried_total", reason="no_room") == 0
        assert router.counted("waypost_router_batches_decided_again_total") == 1

    assert await world.loads() == {"near": 1, "far": 1}
    assert await candidates(world, "far") == [full, {"site_id": "far", "load": 0}]


async def test_nothing_is_in_the_ledger_while_a_batch_waits_for_places(world: World) -> None:
    await world.set_up(OPEN, FAR)
    async with world.router() as router:
        async with about_to_commit(router, received_record(3011)):
            second = asyncio.create_task(router.handle(received_record(3012)))
            [pid] = await until_wait(world, 1)
            written = await world.rows(
                "SELECT relation::regclass::text FROM pg_locks WHERE pid = $1 AND mode = 'RowExclusiveLock' "
                "AND relation IN ('router.decisions'::regclass, 'router.leads'::regclass)",
                pid,
            )
        await second

    # A key there is what the other may have to wait for, and the two would wait for one another.
    assert written == []


async def test_batches_that_name_sites_in_opposite_orders_do_not_wait_in_a_circle(world: World) -> None:
    await world.set_up(site("a", lon=120.6, limit=9), site("b", lon=120.9, limit=9))
    at_a, at_b = (31.3, 120.6), (31.3, 120.9)
    async with world.router() as router:
        async with about_to_commit(router, received_record(3021, at_b)):
            one = asyncio.create_task(settled_once(router, received_record(3022, at_b), received_record(3023, at_a)))
            await until_wait(world, 1)
            other = asyncio.create_task(settled_once(router, received_record(3024, at_a), received_record(3025, at_b)))
            await until_wait(world, 2)
        await asyncio.gather(one, other)

    assert await world.loads() == {"a": 2, "b": 3}


async def test_a_batch_whose_second_choice_is_wanted_as_well_begins_again_with_its_places_locked(world: World) -> None:
    await world.set_up(OPEN, NEXT, FAR)
    await world.db.execute("INSERT INTO router.site_loads VALUES ('near', 0), ('next', 0)")
    async with world.router() as router:
        async with about_to_commit(router, received_record(3032, (31.3, 120.62))):
            async with about_to_commit(router, received_record(3031)):
                last = asyncio.create_task(router.handle(received_record(3033)))
                await until_wait(world, 1)
            # It has the first place now, sees that there is none, and may not wait for the second.
            async with asyncio.timeout(60):
                while not router.counted("waypost_router_batches_retried_total", reason="no_room"):
                    await asyncio.sleep(0.01)
            await until_wait(world, 1)
        await last
        assert router.counted("waypost_router_batches_retried_total", reason="no_room") == 1

    assert await world.loads() == {"near": 1, "next": 1, "far": 1}
    assert [(one["site_id"], one["load"], one.get("lost")) for one in await candidates(world, "far")] == [
        ("near", 1, "full"),
        ("next", 1, "full"),
        ("far", 0, None),
    ]


@pytest.mark.parametrize("next_day", [None, 1], ids=["open leads", "a day's leads"])
async def test_a_second_choice_that_never_had_a_lead_is_found_after_one_more_beginning(
    world: World, next_day: int | None
) -> None:
    await world.set_up(OPEN, site("next", lon=120.62, limit=None if next_day else 1, daily_limit=next_day))
    async with world.router() as router:
        await meet(world, router, received_record(3041), received_record(3042))
        assert router.counted("waypost_router_batches_retried_total", reason="no_room") == 1

    assert await world.loads() == {"near": 1, "next": 1}


async def test_places_of_a_lead_that_another_router_had_decided_are_given_back(world: World) -> None:
    await world.set_up(site("near", limit=5, daily_limit=5))
    async with world.router() as router:
        await meet(world, router, received_record(3051), received_record(3051), received_record(3052))
        assert router.counted("waypost_router_decisions_repeated_total") == 1

    assert await world.loads() == {"near": 2}
    assert await world.rows("SELECT taken FROM router.site_days") == [(2,)]


async def test_a_full_site_that_lets_a_lead_go_takes_the_next_one_of_the_same_batch(world: World) -> None:
    await world.set_up(site("near", limit=1, daily_limit=2), FAR)
    async with world.router() as router:
        await router.handle(received_record(3061))
        await router.handle(answered_record(3061, 1, "near", Answer.DECLINED), received_record(3062))

    assert await world.loads() == {"near": 1, "far": 1}
    assert await world.rows("SELECT taken FROM router.site_days") == [(2,)]


async def test_an_engine_that_gives_away_what_it_was_told_is_taken_is_stopped(world: World) -> None:
    await world.set_up(OPEN, FAR)
    await world.db.execute("INSERT INTO router.site_loads VALUES ('near', 1)")
    async with world.router() as router, acquire(router.pool) as connection, connection.transaction():
        in_effect = router.reload()

        def decide(held: Held) -> list[Decided | Stale]:
            return decide_batch([received(lead())], in_effect.snapshot, in_effect.policy, {}, NOW)

        with pytest.raises(RuntimeError, match="known to be taken"):
            await Spending(connection, in_effect, {}).decide(decide, Held({}), frozenset())
