"""Facts on their way from the tables to Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from services.store_notifier.db import outbox
from services.store_notifier.db.outbox import Waiting
from services.store_notifier.metrics import Metrics
from services.store_notifier.outbox import LONGEST_PAUSE_S, PUBLISH_TIMEOUT_S, Relay
from services.store_notifier.settings import NotifierSettings
from shared.contracts import DEAD_LETTERS, LEADS_ANSWERED
from shared.kafka import Producer
from shared.postgres import Connection, Pool, acquire, transact
from shared.settings import Settings
from shared.tracing import Tracing
from tests.services.store_notifier.world import now, until


@asynccontextmanager
async def relaying(pool: Pool, *producers: Producer) -> AsyncIterator[None]:
    stop = asyncio.Event()
    untraced = Tracing(Settings(), "store_notifier")
    async with asyncio.TaskGroup() as tasks:
        for producer in producers:
            tasks.create_task(Relay(pool, producer, Metrics(CollectorRegistry()), untraced, now).run(stop))
        try:
            yield
        finally:
            stop.set()


LEADS_ANSWERED_DEAD = DEAD_LETTERS[LEADS_ANSWERED.name]


async def values(settings: NotifierSettings, *keys: bytes, count: int, topic: str = LEADS_ANSWERED.name) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic,
        bootstrap_servers=settings.kafka,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4_000_000,
    )
    await consumer.start()
    try:
        found: list[bytes] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                records = [r for rs in (await consumer.getmany(timeout_ms=500)).values() for r in rs]
                found += [record.value for record in records if record.key in keys]
        return found
    finally:
        await consumer.stop()


async def test_facts_of_one_key_arrive_in_the_order_of_their_commits_and_leave_no_row(
    db: Connection, pool: Pool, with_kafka: NotifierSettings, producer: Producer
) -> None:
    async with relaying(pool, producer, producer):
        for number in range(50):
            facts = [Waiting(LEADS_ANSWERED.name, b"one lead", b"%d" % (2 * number + n)) for n in (0, 1)]
            await transact(pool, partial(outbox.put, facts=facts))
        await until(is_empty(db))
    assert await values(with_kafka, b"one lead", count=100) == [b"%d" % n for n in range(100)]


def is_empty(db: Connection) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await outbox.size(db) == 0

    return look


async def test_a_row_that_was_committed_late_under_a_low_number_is_sent_too(
    db: Connection, pool: Pool, with_kafka: NotifierSettings, producer: Producer
) -> None:
    async with pool.acquire() as slow, relaying(pool, producer):
        transaction = slow.transaction()
        await transaction.start()
        await outbox.put(slow, [Waiting(LEADS_ANSWERED.name, b"slow", b"low number")])
        await transact(pool, lambda c: outbox.put(c, [Waiting(LEADS_ANSWERED.name, b"quick", b"high number")]))
        await until(is_empty(db))
        await transaction.commit()
        await until(is_empty(db))
    assert set(await values(with_kafka, b"slow", b"quick", count=2)) == {b"low number", b"high number"}


async def test_only_one_of_two_relays_sends(db: Connection, pool: Pool) -> None:
    async with pool.acquire() as first, pool.acquire() as second:
        assert await outbox.become_relay(first)
        assert not await outbox.become_relay(second)
        await outbox.resign_relay(first)
        assert await outbox.become_relay(second)
        await outbox.resign_relay(second)


async def test_a_fact_that_kafka_never_takes_is_buried_and_keeps_no_row_behind_it(
    db: Connection, pool: Pool, with_kafka: NotifierSettings, producer: Producer
) -> None:
    facts = [
        Waiting(LEADS_ANSWERED.name, b"too large", b"x" * 1_100_000),
        Waiting(LEADS_ANSWERED.name, b"behind", b"the next"),
        Waiting(LEADS_ANSWERED.name, b"too large", b"x" * 3_000_000),
        Waiting(LEADS_ANSWERED.name, b"behind", b"the last"),
    ]
    await transact(pool, partial(outbox.put, facts=facts))
    async with relaying(pool, producer):
        await until(is_empty(db))

    assert await values(with_kafka, b"behind", count=2) == [b"the next", b"the last"]
    dead = [LEADS_ANSWERED_DEAD.read(value).data for value in await values(
        with_kafka, b"too large", count=2, topic=LEADS_ANSWERED.dead
    )]  # fmt: skip
    assert all(one.is_unpublished for one in dead)
    assert [len(one.raw_base64) for one in dead] == [1_466_668, 0]
    assert [one.reference and one.reference.value_bytes for one in dead] == [None, 3_000_000]


async def test_a_relay_that_freezes_gives_its_place_up(pool: Pool) -> None:
    """PostgreSQL ends a session that is idle for longer than a relay at work ever is."""
    limit = "SELECT setting::int FROM pg_settings WHERE name = 'idle_session_timeout'"
    async with acquire(pool) as relay, acquire(pool) as other:
        assert await outbox.become_relay(relay)
        longest_nap_ms = 1_000 * (PUBLISH_TIMEOUT_S + LONGEST_PAUSE_S)
        assert longest_nap_ms < await relay.fetchval(limit) <= 2 * longest_nap_ms
        assert not await outbox.become_relay(other)
        assert await other.fetchval(limit) == 0

        await outbox.resign_relay(relay)
        assert await relay.fetchval(limit) == 0
        assert await outbox.become_relay(other)
        await outbox.resign_relay(other)
