"""Schedulers on a real PostgreSQL, sending to stores that really listen."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.store_notifier import endpoints as endpoints_made
from services.store_notifier.channels import webhook
from services.store_notifier.db import deliveries, endpoints
from services.store_notifier.db.deliveries import DELIVERED, DUE, FAILED, LEASED, VOID
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import BREAKER_THRESHOLD, Kind, Outcome, RetryPlan
from services.store_notifier.endpoints import secrets_of
from services.store_notifier.metrics import Metrics
from services.store_notifier.scheduler import Scheduler
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.settling import Ended, settle
from services.store_notifier.sweeping import Sweeper
from shared.contracts import Answer, AttemptResult, Cause
from shared.keys import Keys
from shared.postgres import Connection, Pool, transact
from tests.services.store_notifier.looking import answered, attempted, settled, statuses
from tests.services.store_notifier.setting_up import OTHER_SITE, SITE, add_webhook, handle
from tests.services.store_notifier.world import Behaviour, Lead, Received, Store, now, say_204, until

Send = Callable[[asyncpg.Record, asyncpg.Record], Awaitable[Outcome]]
QUICK = RetryPlan(
    ceilings_s=(0.05,), shortest_wait_s=0.01, most_attempts=4, misconfigured_wait_s=0.05, time_to_answer_s=0
)


def scheduler_of(
    pool: Pool,
    send: Send,
    plan: RetryPlan = QUICK,
    lease_s: float = 20,
    max_in_flight: int = 50,
    max_per_host: int = 50,
) -> Scheduler:
    return Scheduler(
        pool,
        send,
        plan=plan,
        lease=timedelta(seconds=lease_s),
        max_in_flight=max_in_flight,
        max_per_host=max_per_host,
        metrics=Metrics(CollectorRegistry()),
        rng=Random(7),
        clock=now,
    )


@asynccontextmanager
async def running(*schedulers: Scheduler) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for scheduler in schedulers:
            tasks.create_task(scheduler.run(stop))
        try:
            yield
        finally:
            stop.set()


@pytest.fixture
async def send(keys: Keys, settings: NotifierSettings) -> AsyncIterator[Send]:
    """The real sender."""
    async with webhook.open_session(AddressGuard(settings.notifier_allow_networks), 60) as session:

        async def send(delivery: asyncpg.Record, endpoint: asyncpg.Record) -> Outcome:
            attempt = webhook.Webhook(
                delivery["delivery_id"],
                delivery["endpoint_id"],
                delivery["attempt"],
                endpoint["url"],
                secrets_of(endpoint, keys.endpoint_key, now()),
                webhook.body_of(delivery, settings.public_url),
                delivery["traceparent"],
            )
            return await webhook.send(session, attempt, now())

        yield send


def saying(*codes: int) -> Behaviour:
    """Answers with these, one after the other, and then with the last one for ever."""
    left = list(codes)

    async def behave(_: web.Request, __: Received) -> web.StreamResponse:
        return web.Response(status=left.pop(0) if len(left) > 1 else left[0])

    return behave


async def test_a_delivery_is_repeated_under_one_id_with_the_same_bytes_until_the_store_takes_it(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    async with Store(saying(503, 500, 204)) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, Lead().assigned(SITE))
        async with running(scheduler_of(pool, send)):
            received = await store.wait_for(3)
            await until(lambda: settled(db))
    assert len({r.id for r in received}) == 1
    assert len({r.body for r in received}) == 1
    assert [r.headers["waypost-attempt"] for r in received] == ["1", "2", "3"]
    facts = [f for f in await attempted(db) if f.channel == "webhook"]
    assert [(f.attempt, f.result, f.status_code) for f in facts] == [
        (1, AttemptResult.RETRY, 503),
        (2, AttemptResult.RETRY, 500),
        (3, AttemptResult.DELIVERED, 204),
    ]
    assert all(f.next_attempt_at is not None for f in facts[:2])


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


async def deadlocks_of(db: Connection) -> int:
    await db.execute("SELECT pg_stat_clear_snapshot()")
    count: int = await db.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return count


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


async def test_gone_disables_the_endpoint_and_gives_everything_back_that_has_no_other_way(
    db: Connection, pool: Pool, keys: Keys, send: Send, settings: NotifierSettings
) -> None:
    async with Store(saying(410)) as store:
        endpoint = await add_webhook(pool, keys, store.url, cap=1)
        leads = [Lead() for _ in range(4)]
        await handle(pool, *(lead.assigned(SITE) for lead in leads))
        async with running(scheduler_of(pool, send)):
            await until(lambda: db.fetchval("SELECT status = 'disabled' FROM endpoints"))
        await Sweeper(pool, settings, Random(1), now).sweep(now())
    assert len(store.received) == 1
    assert await statuses(db) == {FAILED: 4}
    reason = "SELECT disabled_reason FROM endpoints WHERE endpoint_id = $1"
    assert await db.fetchval(reason, endpoint.endpoint_id) == "it answered 410 Gone"
    assert {a.lead_id for a in await answered(db)} == {lead.lead_id for lead in leads}
    assert {a.answer for a in await answered(db)} == {Answer.UNDELIVERABLE}
    assert Counter(f.result for f in await attempted(db)) == {AttemptResult.GONE: 1, AttemptResult.FAILED: 3}


async def test_a_site_is_undeliverable_only_when_its_last_webhook_has_failed_for_good(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    async with Store(saying(404)) as wrong, Store(saying(500, 500, 500, 204)) as late:
        await add_webhook(pool, keys, wrong.url)
        await add_webhook(pool, keys, late.url)
        await add_webhook(pool, keys, wrong.url, OTHER_SITE)
        lost = Lead()
        await handle(pool, Lead().assigned(SITE), lost.assigned(OTHER_SITE))
        async with running(scheduler_of(pool, send)):
            await until(lambda: settled(db))
    assert [a.lead_id for a in await answered(db)] == [lost.lead_id]
    assert len(wrong.received) == 4  # each gets one slow retry


async def test_a_site_with_an_inbox_key_is_never_undeliverable(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    await endpoints_made.add_inbox(pool, SITE, os.urandom, now())
    async with Store(saying(410)) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, Lead().assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await until(lambda: settled(db))
    assert await answered(db) == []


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


async def claim(pool: Pool, *expected: UUID) -> list[asyncpg.Record]:
    async def work(connection: Connection) -> list[asyncpg.Record]:
        heads = await endpoints.claim_due(connection, now(), 10, busy={}, host_cap=50)
        assert {head["endpoint_id"] for head in heads} <= set(expected)
        return await deliveries.claim(
            connection,
            [head["endpoint_id"] for head in heads],
            now(),
            lease=uuid4(),
            lease_until=now() + timedelta(seconds=20),
            limit=100,
        )

    return await transact(pool, work)


async def test_an_assignment_that_ends_while_its_request_is_under_way_is_not_sent_again(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead, moved = Lead(), asyncio.Event()

    async def move_the_lead_and_fail(_: web.Request, __: Received) -> web.StreamResponse:
        await handle(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT))
        moved.set()
        return web.Response(status=503)

    async with Store(move_the_lead_and_fail) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, lead.assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await moved.wait()
            await until(lambda: settled(db))
    assert len(store.received) == 1
    assert await statuses(db) == {VOID: 1}


async def test_a_sender_that_was_away_for_longer_than_its_lease_settles_nothing(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    endpoint = await add_webhook(pool, keys, "http://127.0.0.1:9/")
    await handle(pool, Lead().assigned(SITE))
    (lost,) = await claim(pool, endpoint.endpoint_id)
    sweeper = Sweeper(pool, settings, Random(1), now)
    await sweeper.sweep(now() + timedelta(seconds=21))
    await db.execute("UPDATE deliveries SET next_at = now()")
    await db.execute("UPDATE endpoints SET next_at = now()")
    (held,) = await claim(pool, endpoint.endpoint_id)
    assert (lost["delivery_id"], lost["attempt"] + 1) == (held["delivery_id"], held["attempt"])

    async def end(*rows: asyncpg.Record) -> dict[AttemptResult, int]:
        gone = Outcome(Kind.GONE, "HTTP 410", 410)
        batch = [Ended(row, gone, now(), 1) for row in rows]
        return await transact(pool, lambda connection: settle(connection, batch, now(), Random(1), QUICK))

    assert await end(lost) == {}
    assert await statuses(db) == {LEASED: 1}
    assert await end(lost, held) == {AttemptResult.GONE: 1}
    log = await db.fetch("SELECT attempt, result FROM attempts ORDER BY attempt")
    assert [tuple(row) for row in log] == [(1, "retry"), (2, "gone")]


async def test_a_delivery_that_nobody_could_answer_any_more_is_given_back(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    await add_webhook(pool, keys, "http://127.0.0.1:9/")
    lead = Lead()
    await handle(pool, lead.assigned(SITE, within=timedelta(seconds=-1)))
    await Sweeper(pool, settings, Random(1), now).sweep(now())
    assert await statuses(db) == {FAILED: 1}
    assert [a.answer for a in await answered(db)] == [Answer.UNDELIVERABLE]


async def test_an_endpoint_that_lost_its_wake_up_is_found(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    await add_webhook(pool, keys, "http://127.0.0.1:9/")
    await handle(pool, Lead().assigned(SITE))
    await db.execute("UPDATE endpoints SET next_at = NULL")
    await Sweeper(pool, settings, Random(1), now).sweep(now())
    assert await db.fetchval("SELECT next_at IS NOT NULL FROM endpoints")


async def test_what_is_old_is_forgotten_and_what_waits_is_not(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings, send: Send
) -> None:
    async with Store() as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, Lead().assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await until(lambda: settled(db))
    await handle(pool, Lead().assigned(SITE))
    later = now() + timedelta(days=settings.notifier_keep_days, seconds=1)
    await Sweeper(pool, settings, Random(1), now).forget(later)
    assert await statuses(db) == {DUE: 1}
    assert await db.fetchval("SELECT count(*) FROM attempts") == 0


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
