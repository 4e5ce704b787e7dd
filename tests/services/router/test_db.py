"""What the statements promise when several routers run them at once."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.db import announcements, loads, room, timers
from services.router.db.announcements import Announcement
from services.router.db.arrays import array_text
from services.router.db.room import Place
from shared.contracts import derived_id
from shared.postgres import Connection, acquire, transact
from tests.services.router.networks import NOW, site
from tests.services.router.world import World, received_record


@given(st.lists(st.none() | st.text("abcxyz019-_.:+| NULL,{}", max_size=12), max_size=8))
def test_array_texts_have_one_quoted_part_per_value(values: list[str | None]) -> None:
    text = array_text(values)
    assert text.startswith("{")
    assert text.endswith("}")
    assert text.count('"') == 2 * len([value for value in values if value is not None])


@pytest.mark.parametrize("value", ['a"b', "a\\b"])
def test_a_value_that_would_need_escaping_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="quote or a backslash"):
        array_text(["fine", value])


async def test_array_texts_are_read_by_postgres_as_they_were_meant(world: World) -> None:
    for values in ([], [None], ["null", "NULL", None, "a,b", "{}", " spaced "], [""]):
        assert await world.db.fetchval("SELECT $1::text::text[]", array_text(values)) == values


async def test_loads_are_changed_together_by_routers_that_name_sites_in_any_order(world: World) -> None:
    await world.set_up(site("a"))

    async def spend(number: int) -> dict[str, int]:
        sites = ["a", "b", "c"] if number % 2 else ["c", "b", "a"]
        return await transact(world.pool, lambda connection: loads.spend(connection, dict.fromkeys(sites, 1)))

    await asyncio.gather(*[spend(number) for number in range(40)])
    assert await world.loads() == {"a": 40, "b": 40, "c": 40}


async def test_a_site_cannot_let_go_of_what_it_does_not_hold(world: World) -> None:
    await world.set_up(site("a"))
    with pytest.raises(ValueError, match="do not hold"):
        await transact(world.pool, lambda connection: loads.spend(connection, {"a": -1}))
    assert await world.loads() == {}


async def test_places_that_others_have_or_that_never_were_taken_are_passed_over_and_others_are_kept(
    world: World,
) -> None:
    await world.set_up(site("a"))
    day = NOW.date()
    names = ("theirs", "free", "new")
    wanted = [Place(name, on) for on in (None, day) for name in names]
    before = {place: 2 for place in wanted if place.site_id != "new"}
    await transact(world.pool, lambda connection: room.spend(connection, before))

    async with acquire(world.pool) as theirs, theirs.transaction(), acquire(world.pool) as ours, ours.transaction():
        await room.keep(theirs, [Place("theirs", None), Place("theirs", day)])
        assert await room.keep_free(ours, wanted) == {Place("free", None): 2, Place("free", day): 2}
        assert await room.keep_free(theirs, [Place("free", None), Place("free", day)]) == {}
        assert await room.keep(ours, [Place("new", None), Place("new", day)]) == {
            Place("new", None): 0,
            Place("new", day): 0,
        }


async def test_claims_of_several_routers_share_what_is_due_without_waiting(world: World) -> None:
    await world.set_up(site("a"))
    async with world.router() as router:
        await router.handle(*[received_record(700 + number) for number in range(30)])
    late = NOW + timedelta(hours=1)

    async def claim() -> list[str]:
        due = await transact(world.pool, lambda connection: timers.claim_silent(connection, late, 10))
        return [str(one.lead_id) for one in due]

    claimed = [lead_id for claims in await asyncio.gather(*[claim() for _ in range(5)]) for lead_id in claims]
    claimed += await claim()
    claimed += await claim()
    assert len(claimed) == 30
    assert set(Counter(claimed).values()) == {1}


async def test_an_announcement_is_kept_once_and_published_by_one_router(world: World) -> None:
    await world.set_up(site("a"))
    fact = Announcement(derived_id("test", 1), "network.changed", b"network", b"{}")

    async def add(connection: Connection) -> None:
        await announcements.add(connection, fact, NOW)

    await transact(world.pool, add)
    await transact(world.pool, add)
    async with world.pool.acquire() as one, world.pool.acquire() as other, one.transaction(), other.transaction():
        first = await announcements.lock_unpublished(one, 10)
        assert [row.fact_id for row in first].count(fact.fact_id) == 1
        assert await announcements.lock_unpublished(other, 10) == []


async def test_audit_may_read_the_ledger_and_nobody_else_may_write_it(world: World) -> None:
    async with world.db.transaction():
        await world.db.execute("SET LOCAL ROLE waypost_audit")
        for table in ("decisions", "leads", "network_revisions", "policies"):
            await world.db.fetch(f"SELECT * FROM router.{table} LIMIT 1")
        assert not await world.db.fetchval("SELECT has_table_privilege('router.decisions', 'UPDATE')")
