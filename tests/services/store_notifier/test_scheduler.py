"""Schedulers on a real PostgreSQL, sending to stores that really listen: order, limits, fairness."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import asyncpg
from aiohttp import web

from services.store_notifier.db.deliveries import DELIVERED, DUE
from services.store_notifier.domain import BREAKER_THRESHOLD, Outcome
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.looking import settled, statuses
from tests.services.store_notifier.sending import QUICK, Send, claim, deadlocks_of, running, saying, scheduler_of
from tests.services.store_notifier.setting_up import SITE, add_webhook, handle
from tests.services.store_notifier.world import Lead, Received, Store, say_204, until


async def test_two_schedulers_send_everything_once_and_never_wait_for_each_other_in_a_circle(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    sites = [f"site-{number}" for number in range(30)]
    async with Store() as store:
        for site_id in sites:
            await add_webhook(pool, keys, store.url, site_id)
        deadlocks = await deadlocks_of(db)
        async with running(scheduler_of(pool, send), scheduler_of(pool, send)):
            for _round in range(10):
                await handle(pool, *(Lead().assigned(site_id) for site_id in sites))
            await store.wait_for(300)
            await until(lambda: settled(db))
    assert Counter(Counter(r.id for r in store.received).values()) == {1: 300}
    assert await statuses(db) == {DELIVERED: 300}
    assert await deadlocks_of(db) == deadlocks


async def test_a_store_that_hangs_delays_nobody_else(db: Connection, pool: Pool, keys: Keys, send: Send) -> None:
    """The hanging store holds its own cap and no more: every other store is served while it still hangs."""
    release = asyncio.Event()

    async def hang(request: web.Request, received: Received) -> web.StreamResponse:
        await release.wait()
        return await say_204(request, received)

    async with Store(hang) as slow, Store() as fast:
        await add_webhook(pool, keys, slow.url, "site-slow")
        for number in range(5):
            await add_webhook(pool, keys, fast.url, f"site-{number}")
        await handle(pool, *(Lead().assigned("site-slow") for _ in range(40)))
        # Room for six requests in all: one pool for everybody would be full of the hanging store.
        async with running(scheduler_of(pool, send, max_in_flight=6)):
            await slow.wait_for(2)
            await handle(pool, *(Lead().assigned(f"site-{n % 5}") for n in range(50)))
            await fast.wait_for(50)
            assert len(slow.received) == 2
            release.set()
            await slow.wait_for(42 - 2)
            await until(lambda: settled(db))
    assert await statuses(db) == {DELIVERED: 90}


async def test_a_vendor_whose_host_hangs_for_all_its_stores_leaves_room_for_the_others(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    release = asyncio.Event()

    async def hang(request: web.Request, received: Received) -> web.StreamResponse:
        await release.wait()
        return await say_204(request, received)

    async with Store(hang) as vendor, Store() as fast:
        for number in range(20):
            await add_webhook(pool, keys, vendor.url, f"site-of-vendor-{number}")
        await add_webhook(pool, keys, fast.url, SITE)
        await handle(pool, *(Lead().assigned(f"site-of-vendor-{n % 20}") for n in range(60)))
        async with running(scheduler_of(pool, send, max_in_flight=10, max_per_host=6)):
            await vendor.wait_for(6)
            await handle(pool, *(Lead().assigned(SITE) for _ in range(10)))
            await fast.wait_for(10)
            assert len(vendor.received) == 6
            release.set()
            await until(lambda: settled(db))
    assert await statuses(db) == {DELIVERED: 70}


async def test_an_endpoint_never_has_more_under_way_than_its_cap(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    under_way = most = 0

    async def count(_: web.Request, __: Received) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return web.Response(status=204)

    async with Store(count) as store:
        await add_webhook(pool, keys, store.url, cap=3)
        await handle(pool, *(Lead().assigned(SITE) for _ in range(60)))
        async with running(*(scheduler_of(pool, send) for _ in range(3))):
            await store.wait_for(60)
            await until(lambda: settled(db))
    assert most == 3


async def test_a_failing_endpoint_is_left_alone_and_then_probed_with_a_single_request(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    async with Store(saying(*[503] * BREAKER_THRESHOLD, 204)) as store:
        await add_webhook(pool, keys, store.url, cap=1)
        await handle(pool, *(Lead().assigned(SITE) for _ in range(10)))
        patient = replace(QUICK, most_attempts=16)
        async with running(scheduler_of(pool, send, patient)):
            await until(lambda: db.fetchval("SELECT open_until > now() FROM endpoints"))
            assert len(store.received) == BREAKER_THRESHOLD
            await db.execute("UPDATE endpoints SET in_flight_cap = 8, open_until = now()")
            await until(lambda: settled(db))
    assert await db.fetchval("SELECT failures = 0 AND open_until IS NULL FROM endpoints")
    assert await statuses(db) == {DELIVERED: 10}


async def test_a_probe_is_a_single_request(db: Connection, pool: Pool, keys: Keys) -> None:
    endpoint = await add_webhook(pool, keys, "http://127.0.0.1:9/", cap=8)
    await handle(pool, *(Lead().assigned(SITE) for _ in range(10)))
    await db.execute("UPDATE endpoints SET failures = $1", BREAKER_THRESHOLD)
    assert len(await claim(pool, endpoint.endpoint_id)) == 1
    assert await claim(pool, endpoint.endpoint_id) == []


async def test_a_scheduler_that_is_stopped_in_the_middle_leaves_its_deliveries_to_the_next(
    db: Connection, pool: Pool, keys: Keys
) -> None:
    started = asyncio.Event()

    async def never(_: asyncpg.Record, __: asyncpg.Record) -> Outcome:
        started.set()
        await asyncio.sleep(3600)
        raise AssertionError("unreachable")

    await add_webhook(pool, keys, "http://127.0.0.1:9/")
    await handle(pool, Lead().assigned(SITE))
    async with running(scheduler_of(pool, never)):
        await started.wait()
    assert await statuses(db) == {DUE: 1}


async def test_an_assignment_that_is_read_after_its_deadline_is_not_sent(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    """As after an outage: the lead has moved on, and the decision that says so is not read yet."""
    late, in_time = Lead(), Lead()
    async with Store() as store:
        await add_webhook(pool, keys, store.url)
        async with running(scheduler_of(pool, send)):
            await handle(pool, late.assigned(SITE, within=timedelta(seconds=-1)), in_time.assigned(SITE))
            await until(lambda: delivered_and_at_rest(db))
    assert [received.lead_id for received in store.received] == [in_time.lead_id]
    assert await statuses(db) == {DELIVERED: 1, DUE: 1}


async def delivered_and_at_rest(db: Connection) -> bool:
    """Whether a delivery has arrived, and its endpoint waits for nothing more."""
    return (await statuses(db))[DELIVERED] > 0 and bool(await db.fetchval("SELECT next_at IS NULL FROM endpoints"))
