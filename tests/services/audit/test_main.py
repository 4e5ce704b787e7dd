"""The service on a real Kafka: what is published is in the ledger, once, and commands know when it is not yet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from deploy.local import Stack
from services.audit.count import count
from services.audit.db.reader import Window, open_reader
from services.audit.freshness import Patience, records_behind
from services.audit.main import main
from services.audit.settings import AuditSettings
from services.audit.verify import verify
from shared.contracts import DEAD_LETTERS, LEADS_DUE, TOPICS
from shared.kafka import Producer, apply_topics
from shared.postgres import Connection
from tests.services.audit.places import DAY, START
from tests.services.audit.world import World

IN_TIME_S = 90.0


@pytest.fixture
async def live(stack: Stack, migrated_dsn: str, topic_prefix: str, request: pytest.FixtureRequest) -> AuditSettings:
    """Topics of this test alone: the ledger is emptied before each test, and Kafka is not."""
    settings = AuditSettings(
        kafka=stack.kafka_bootstrap,
        postgres=SecretStr(migrated_dsn),
        topic_prefix=f"{topic_prefix}{len(request.node.name)}.",
        log_level="error",
    )
    await apply_topics(settings)
    return settings


@asynccontextmanager
async def running(settings: AuditSettings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    service = asyncio.create_task(main(settings, stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await service


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(IN_TIME_S):
        while not await true():
            await asyncio.sleep(0.1)


async def kept(db: Connection, topic: str) -> list[bytes]:
    rows = await db.fetch("SELECT value FROM audit.records WHERE topic = $1 ORDER BY partition, record_offset", topic)
    return [row["value"] for row in rows]


async def test_every_topic_is_recorded_raw_once_over_restarts_with_poison_in_between(
    live: AuditSettings, db: Connection
) -> None:
    every = [*TOPICS, *DEAD_LETTERS.values()]
    poison = [b"\xff\x00", b"{", bytes(900_000)]

    async def all_there() -> bool:
        return int(await db.fetchval("SELECT count(*) FROM audit.records")) >= len(every) + len(poison)

    async with Producer(live, "test") as producer:
        async with running(live):
            for topic in every:
                await producer.publish(topic.name, [(b"k", f"first on {topic.name}".encode())])
            await producer.publish(LEADS_DUE.name, [(b"k", value) for value in poison])
            await until(all_there)
        async with running(live):
            await producer.publish(LEADS_DUE.name, [(b"k", b"after the restart")])
            await until(lambda: _has(db, b"after the restart"))

    assert await kept(db, "leads.due") == [b"first on leads.due", *poison, b"after the restart"]
    for topic in every:
        assert (await kept(db, topic.name))[0] == f"first on {topic.name}".encode()
    async with open_reader(live) as connection:
        assert (await verify(connection, lambda _: None)).clean


async def test_the_commands_know_how_far_the_ledger_is_behind(live: AuditSettings, db: Connection) -> None:
    async with Producer(live, "test") as producer, open_reader(live) as connection:
        await producer.publish(LEADS_DUE.name, [(b"late", b"x"), (b"late", b"y")])
        before = await records_behind(live, connection, Patience(0))

        assert before is not None
        assert before >= 2


async def test_count_waits_for_leads_that_are_still_on_their_way(
    migrated_dsn: str, world: World, settings: AuditSettings
) -> None:
    lead_id = await world.accept()
    window = Window(START - DAY, START + DAY)

    async def arrive_late() -> None:
        await asyncio.sleep(0.5)
        await world.publish_received(lead_id)

    async with open_reader(settings) as connection:
        late = asyncio.create_task(arrive_late())
        report = await count(settings, connection, window, Patience(60), lambda _: None)
        await late

    assert report.equation.kafka.count == 1


async def _has(db: Connection, value: bytes) -> bool:
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM audit.records WHERE value = $1)", value))
