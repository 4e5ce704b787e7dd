"""The stream of an open page: what appears, what a page that was away gets, and when a stream ends."""

import asyncio

import pytest

from services.store_notifier.db import inbox
from shared.postgres import open_pool, transact
from tests.services.store_notifier.pages.visitor import Visitor, shown_state
from tests.services.store_notifier.pages.world import World, until_async


async def test_a_new_assignment_arrives_with_its_card_and_words(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)

    async with visitor.stream(after=await visitor.seq()) as stream:
        await stream.next("clock")
        lead = await world.assign(site)
        event = await stream.next("item")

    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert stream.response.headers["x-accel-buffering"] == "no"
    assert shown_state(event.data["html"], lead) == "new"
    assert event.data["announce"].startswith("New lead: Test drive, 1.2 km.")


async def test_a_lead_that_moves_on_greys_out_in_the_open_page(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    async with visitor.stream(after=await visitor.seq()) as stream:
        await stream.next("clock")
        await world.move_on(lead)
        event = await stream.next("item")

    assert shown_state(event.data["html"], lead) == "moved_on"
    assert "<form" not in event.data["html"]


async def test_a_page_hears_of_its_own_site_only(world: World) -> None:
    mine, other = await world.open_site(), await world.open_site()
    visitor = await Visitor.logged_in(world, mine)

    async with visitor.stream(after=0) as stream:
        await world.assign(other)
        lead = await world.assign(mine)
        event = await stream.next("item")

    assert shown_state(event.data["html"], lead) == "new"
    assert [seen.name for seen in stream.seen].count("item") == 1


async def test_a_page_gets_what_it_missed_while_the_service_was_down(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    async with visitor.stream(after=0) as stream:
        seen = await world.assign(site)
        last = await stream.next("item")

        await world.stop()
        with pytest.raises(EOFError):
            await stream.next("item")
    missed = [await world.assign(site) for _ in range(3)]
    await world.move_on(seen)
    await world.start()

    async with visitor.stream(after=0, last_event_id=last.id) as stream:
        events = [await stream.next("item") for _ in range(4)]

    assert [int(event.id) for event in events] == [int(last.id) + n for n in (1, 2, 3, 4)]
    assert [shown_state(event.data["html"], lead) for event, lead in zip(events, [*missed, seen], strict=True)] == [
        "new",
        "new",
        "new",
        "moved_on",
    ]


async def test_more_than_one_read_holds_is_sent_in_full_and_in_order(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    for _ in range(130):
        await world.assign(site)

    async with visitor.stream(after=0) as stream:
        events = [await stream.next("item") for _ in range(130)]

    assert [int(event.id) for event in events] == list(range(1, 131))


@pytest.mark.parametrize("after", [0, 10_000], ids=["too far behind", "ahead of a restored database"])
async def test_a_page_that_cannot_catch_up_loads_itself_anew(world: World, after: int) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    await world.pool.execute(
        "INSERT INTO inbox_sequences (site_id, last_seq) VALUES ($1, 600)",
        site.site_id,
    )

    async with visitor.stream(after=after) as stream:
        await stream.next("reload")
        with pytest.raises(EOFError):
            await stream.next("item")


async def test_a_page_is_served_by_polling_while_nobody_listens(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)

    async with visitor.stream(after=0) as stream:
        await stream.next("clock")
        killed = await world.as_superuser(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'waypost-store_notifier-inbox' AND datname = current_database()"""
        )
        lead = await world.assign(site)
        event = await stream.next("item")

    assert len(killed) == 1
    assert shown_state(event.data["html"], lead) == "new"


async def test_who_was_logged_out_sees_nothing_newer(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)

    async with visitor.stream(after=0) as stream:
        await stream.next("clock")
        await transact(world.pool, lambda connection: inbox.close_sessions_of(connection, site.site_id))
        await world.assign(site)
        await stream.next("reload")
        with pytest.raises(EOFError):
            await stream.next("item")

    assert [event.name for event in stream.seen] == ["clock", "reload"]


async def test_a_stream_needs_a_log_in(world: World) -> None:
    async with Visitor(world, await world.open_site()).stream(after=0) as stream:
        assert stream.response.status == 401


async def test_a_page_that_is_closed_leaves_nothing_behind(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    tasks_before = len(asyncio.all_tasks())
    for _ in range(5):
        async with visitor.stream(after=0) as stream:
            await stream.next("clock")
            assert world.live.streams == 1

        async def nobody_is_left() -> bool:
            return world.live.streams == 0

        await until_async(nobody_is_left)

    async def tasks_ended() -> bool:
        return len(asyncio.all_tasks()) <= tasks_before + 1  # the kept-alive connection

    await until_async(tasks_ended)


async def test_a_site_has_a_bounded_number_of_open_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.store_notifier.pages.live.MAX_STREAMS_PER_SITE", 1)
    site, other = await world.open_site(), await world.open_site()
    visitor, neighbour = await Visitor.logged_in(world, site), await Visitor.logged_in(world, other)

    async with visitor.stream(after=0) as first:
        await first.next("clock")
        async with visitor.stream(after=0) as second, neighbour.stream(after=0) as elsewhere:
            await elsewhere.next("clock")

            assert second.response.status == 503
            assert "retry-after" in second.response.headers


async def test_an_idle_stream_says_the_servers_time_again_and_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.store_notifier.pages.feed.PING_S", 0.1)
    visitor = await Visitor.logged_in(world, await world.open_site())

    async with visitor.stream(after=0) as stream:
        times = [(await stream.next("clock")).data for _ in range(3)]

    assert times == sorted(set(times))


async def test_a_stream_ends_in_time_so_that_the_browser_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.store_notifier.pages.feed.LIFETIME_S", 0.2)
    visitor = await Visitor.logged_in(world, await world.open_site())

    async with visitor.stream(after=0) as stream:
        with pytest.raises(EOFError):
            await stream.next("item")


async def test_without_postgresql_pages_say_so_and_streams_end(world: World) -> None:
    site = await world.open_site()
    async with open_pool(world.settings, "store_notifier") as pool:
        doomed = World(world.settings, pool, world.client, world.intake)
        await doomed.start()
        visitor = await Visitor.logged_in(doomed, site)
        async with visitor.stream(after=0) as stream:
            await stream.next("clock")
            await pool.close()
            await world.assign(site)
            with pytest.raises(EOFError):
                await stream.next("item")

        answer = await visitor.get()
        await doomed.stop()

    assert answer.status == 503
    assert answer.headers["retry-after"] == "10"
    assert "Nothing was lost" in answer.text
