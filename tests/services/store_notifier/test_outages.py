"""The notifier's process on bad days: killed, without Kafka, with PostgreSQL restarted, stopped while a store hangs."""

import asyncio

import aiohttp
from aiohttp import web

from deploy.local import Stack
from services.store_notifier.settings import NotifierSettings
from shared.contracts import (
    LEADS_ANSWERED,
    Answer,
)
from shared.kafka import Producer
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.serving import Client
from tests.services.store_notifier.setting_up import SITE, add_webhook
from tests.services.store_notifier.topics import publish, published
from tests.services.store_notifier.world import Lead, Received, Store, until


async def test_a_notifier_killed_in_the_middle_of_sending_sends_again_under_the_same_ids_and_loses_nothing(
    with_kafka: NotifierSettings, producer: Producer, db: Connection, pool: Pool, keys: Keys, stack: Stack
) -> None:
    hanging, hang = asyncio.Event(), True

    async def hang_at_first(request: web.Request, _: Received) -> web.StreamResponse:
        if hang:
            hanging.set()
            await asyncio.sleep(3600)
        return web.Response(status=204)

    settings = with_kafka.model_copy(update={"notifier_request_timeout_s": 1.0})
    leads = [Lead() for _ in range(20)]
    async with Store(hang_at_first) as store:
        await add_webhook(pool, keys, store.url, cap=4)
        notifier = Notifier(settings)
        await notifier.start()
        await notifier.wait_until_ready()
        await publish(producer, [lead.assigned(SITE) for lead in leads])
        await hanging.wait()
        await notifier.kill()
        interrupted = {received.id for received in store.received}
        hang = False
        async with Notifier(settings):
            await until(lambda: db.fetchval("SELECT count(*) = 20 FROM deliveries WHERE status = 2"), within_s=90)
    again = [received.id for received in store.received]
    assert interrupted
    assert all(again.count(message_id) >= 2 for message_id in interrupted)
    assert {received.lead_id for received in store.received} == {lead.lead_id for lead in leads}
    assert len({received.id for received in store.received}) == 20


async def test_an_answer_is_taken_while_kafka_is_down_and_reaches_the_router_afterwards(
    notifier: Notifier,
    with_kafka: NotifierSettings,
    producer: Producer,
    pool: Pool,
    keys: Keys,
    stack: Stack,
    session: aiohttp.ClientSession,
) -> None:
    lead = Lead()
    client = Client(session, notifier.url)
    async with Store() as store:
        endpoint = await add_webhook(pool, keys, store.url)
        await publish(producer, [lead.assigned(SITE)])
        await store.wait_for(1)
    await asyncio.to_thread(stack.kafka.stop)
    try:
        assert (await client.answer(endpoint, lead.lead_id, 1, {"answer": "accepted"}))[0] == 202
        assert (await client.answer(endpoint, lead.lead_id, 1, {"answer": "accepted"}))[0] == 200
        outcome = {"answer": "outcome", "result": "won"}
        assert (await client.answer(endpoint, lead.lead_id, 1, outcome))[0] == 202
    finally:
        await asyncio.to_thread(stack.kafka.start)
    first, *_, last = await published(with_kafka, LEADS_ANSWERED, [lead], 2)
    assert (first.data.answer, last.data.answer) == (Answer.ACCEPTED, Answer.OUTCOME)


async def test_a_notifier_outlives_a_restart_of_postgresql(
    notifier: Notifier, producer: Producer, pool: Pool, keys: Keys, stack: Stack
) -> None:
    first, second = Lead(), Lead()
    async with Store() as store:
        await add_webhook(pool, keys, store.url)
        await publish(producer, [first.assigned(SITE)])
        await store.wait_for(1)
        await asyncio.to_thread(stack.postgres.restart)
        await publish(producer, [second.assigned(SITE)])
        received = await store.wait_for(2, within_s=90)
    assert [r.lead_id for r in received] == [first.lead_id, second.lead_id]


async def test_a_notifier_ends_in_time_while_a_store_hangs(
    with_kafka: NotifierSettings, producer: Producer, db: Connection, pool: Pool, keys: Keys
) -> None:
    async def hang(_: web.Request, __: Received) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response()

    async with Store(hang) as store:
        await add_webhook(pool, keys, store.url)
        async with Notifier(with_kafka) as notifier:
            await publish(producer, [Lead().assigned(SITE)])
            await store.wait_for(1)
            assert await notifier.stop() == 0
    # It said itself that nobody knows: the next process need not wait for a lease to run out.
    assert await db.fetchval("SELECT status FROM deliveries") == 0
