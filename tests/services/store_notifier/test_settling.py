"""What follows from attempts that ended."""

import asyncio
import os
from collections import Counter
from datetime import timedelta
from random import Random

import asyncpg
from aiohttp import web

from services.store_notifier import endpoints as endpoints_made
from services.store_notifier.db.deliveries import DELIVERED, FAILED, LEASED, VOID
from services.store_notifier.domain import Kind, Outcome
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.settling import Ended, settle
from services.store_notifier.sweeping import Sweeper
from shared.contracts import Answer, AttemptResult, Cause
from shared.keys import Keys
from shared.postgres import Connection, Pool, transact
from tests.services.store_notifier.looking import answered, attempted, settled, statuses
from tests.services.store_notifier.sending import QUICK, Send, claim, running, saying, scheduler_of
from tests.services.store_notifier.setting_up import OTHER_SITE, SITE, add_webhook, handle
from tests.services.store_notifier.world import Lead, Received, Store, now, until


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


async def test_an_assignment_that_ends_while_its_request_is_under_way_is_not_sent_again(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead, moved = Lead(), asyncio.Event()

    async def move_the_lead_and_fail(_: web.Request, received: Received) -> web.StreamResponse:
        if received.what == "revoked":
            return web.Response(status=204)
        await handle(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT))
        moved.set()
        return web.Response(status=503)

    async with Store(move_the_lead_and_fail) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, lead.assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await moved.wait()
            await until(lambda: settled(db))
    assert [received.what for received in store.received] == ["created", "revoked"]
    assert await statuses(db) == {VOID: 1, DELIVERED: 1}


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
