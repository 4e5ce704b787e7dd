"""Reading and writing on a real Kafka: nothing is lost when a handler fails, and order is kept within a key."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber
from prometheus_client import CollectorRegistry

from deploy.local import wait_for_coordinator
from shared.contracts import DEAD_LETTERS, LEADS_DUE, LEADS_RECEIVED, RecordDead, Topic
from shared.kafka import (
    DeadLetters,
    Producer,
    Record,
    RecordTooLarge,
    TooManyDead,
    apply_topics,
    check_topics,
    make_broker,
    partition_of,
    publish_or_bury,
    run_broker,
    subscribe,
)
from shared.settings import Settings
from shared.telemetry import Progress

GOLDEN = Path(__file__).parents[1] / "golden"
NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
async def settings(kafka_bootstrap: str, topic_prefix: str) -> Settings:
    settings = Settings(kafka=kafka_bootstrap, topic_prefix=topic_prefix)
    await apply_topics(settings)
    await wait_for_coordinator(kafka_bootstrap)
    return settings


async def consume(
    settings: Settings,
    group: str,
    handle: Callable[[list[Record]], Awaitable[None]],
    until: Callable[[], bool],
    progress: Progress | None = None,
    dead_letters: DeadLetters | None = None,
) -> None:
    """Run a subscriber on leads.due until `until()` holds, for at most 60 s."""
    stop = asyncio.Event()
    broker = make_broker(settings, group)
    subscribe(
        broker,
        [LEADS_DUE],
        group=group,
        handle=handle,
        settings=settings,
        progress=progress or Progress(),
        dead_letters=dead_letters,
        clock=lambda: NOW,
    )
    running = asyncio.create_task(run_broker(broker, stop))
    try:
        async with asyncio.timeout(60):
            while not until():
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await running


async def test_topics_are_created_once_as_declared(settings: Settings) -> None:
    assert await apply_topics(settings) == []
    assert await check_topics(settings) == []


async def test_a_record_comes_back_until_its_handler_returns(settings: Settings) -> None:
    sent = {f"{n:03}".encode() for n in range(200)}
    async with Producer(settings, "test") as producer:
        await producer.publish(LEADS_DUE.name, [(key, b"back-" + key) for key in sorted(sent)])
    handled: list[bytes] = []
    calls = 0

    async def fail_every_other_time(records: list[Record]) -> None:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise ConnectionError("the database went away")
        handled.extend(record.value.removeprefix(b"back-") for record in records if record.value.startswith(b"back-"))

    await consume(settings, "comes-back", fail_every_other_time, lambda: set(handled) >= sent)

    assert sorted(handled) == sorted(sent)
    assert calls >= 2


async def test_a_restarted_consumer_goes_on_where_the_last_finished(settings: Settings) -> None:
    seen: list[bytes] = []

    async def note(records: list[Record]) -> None:
        seen.extend(record.value for record in records)

    async with Producer(settings, "test") as producer:
        await producer.publish(LEADS_DUE.name, [(b"k", b"restart-1")])
        await consume(settings, "restart", note, lambda: b"restart-1" in seen)
        await producer.publish(LEADS_DUE.name, [(b"k", b"restart-2")])
        await consume(settings, "restart", note, lambda: b"restart-2" in seen)

    assert seen.count(b"restart-1") == 1


def assigned(broker: KafkaBroker) -> Counter[str]:
    """Partitions that the process reads, by topic."""
    [subscriber] = broker.subscribers
    assert isinstance(subscriber, BatchSubscriber)
    consumer = subscriber.consumer
    return Counter() if consumer is None else Counter([partition.topic for partition in consumer.assignment()])


async def test_a_process_that_joins_later_gets_its_part_of_every_topic(settings: Settings) -> None:
    topics: list[Topic[Any]] = [LEADS_DUE, LEADS_RECEIVED]
    stop = asyncio.Event()

    async def handle(records: list[Record]) -> None:
        pass

    brokers = []
    for number in range(2):
        broker = make_broker(settings, f"later-{number}")
        subscribe(broker, topics, group="later", handle=handle, settings=settings, progress=Progress())
        brokers.append(broker)
    running = [asyncio.create_task(run_broker(brokers[0], stop))]
    try:
        async with asyncio.timeout(60):
            while assigned(brokers[0]).total() < 2 * LEADS_DUE.partitions:
                await asyncio.sleep(0.05)
            running.append(asyncio.create_task(run_broker(brokers[1], stop)))
            while not assigned(brokers[1]) or assigned(brokers[0]).total() + assigned(brokers[1]).total() != 24:
                await asyncio.sleep(0.05)
    finally:
        shares = [assigned(broker) for broker in brokers]
        stop.set()
        await asyncio.gather(*running)

    assert shares == [dict.fromkeys([settings.topic_prefix + topic.name for topic in topics], 6)] * 2


async def test_any_server_of_the_list_will_do(settings: Settings) -> None:
    several = settings.model_copy(update={"kafka": f"127.0.0.1:1,{settings.kafka}"})
    async with Producer(several, "test") as producer:
        await producer.publish(LEADS_DUE.name, [(b"k", b"several")])
    seen: list[bytes] = []

    async def note(records: list[Record]) -> None:
        seen.extend(record.value for record in records)

    await consume(several, "several", note, lambda: b"several" in seen)

    assert seen.count(b"several") == 1


async def test_a_header_that_is_not_utf8_reaches_the_handler(settings: Settings) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    await producer.send_and_wait(
        settings.topic_prefix + LEADS_DUE.name, b"odd-header", key=b"k", headers=[("name", b"\xff\xfe")]
    )
    await producer.stop()
    seen: list[bytes] = []

    async def note(records: list[Record]) -> None:
        seen.extend(record.value for record in records)

    await consume(settings, "odd-header", note, lambda: b"odd-header" in seen)

    assert seen.count(b"odd-header") == 1


async def test_records_of_one_key_share_a_partition_and_keep_their_order(settings: Settings) -> None:
    keys = [f"key-{n}".encode() for n in range(40)]
    async with Producer(settings, "test") as producer:
        await producer.publish(LEADS_RECEIVED.name, [(key, b"%d" % n) for n in range(20) for key in keys])

    consumer = AIOKafkaConsumer(
        settings.topic_prefix + LEADS_RECEIVED.name, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[bytes, list[tuple[int, int]]] = {key: [] for key in keys}
    try:
        async with asyncio.timeout(60):
            while sum(map(len, found.values())) < 20 * len(keys):
                record = await consumer.getone()
                found[record.key].append((record.partition, int(record.value)))
    finally:
        await consumer.stop()

    for key, places in found.items():
        assert places == [(partition_of(key, LEADS_RECEIVED.partitions), n) for n in range(20)]


async def test_many_publishes_at_once_leave_together_and_in_order(settings: Settings) -> None:
    names = [f"together-{n:03}".encode() for n in range(300)]
    async with Producer(settings, "test") as producer:
        await producer.publish(LEADS_DUE.name, [(b"together", b"first")])  # finding the topic has no order
        await asyncio.gather(*(producer.publish(LEADS_DUE.name, [(b"together", name)]) for name in names))
    assert await values_of(settings, b"together") == [b"first", *names]


async def test_a_publish_that_is_given_up_takes_no_other_with_it(settings: Settings) -> None:
    names = [f"given-up-{n:03}".encode() for n in range(60)]
    async with Producer(settings, "test") as producer:
        await producer.publish(LEADS_DUE.name, [(b"given-up", b"first")])
        publishing = [asyncio.create_task(producer.publish(LEADS_DUE.name, [(b"given-up", name)])) for name in names]
        for given_up in range(0, 60, 7):  # at every stage: handed over, next in turn, gathering
            await asyncio.sleep(0)
            publishing[given_up].cancel()
        results = await asyncio.gather(*publishing, return_exceptions=True)
    kept = [name for name, result in zip(names, results, strict=True) if result is None]
    assert len(kept) >= 60 - 9
    found = await values_of(settings, b"given-up")
    assert [name for name in found if name in kept] == kept


async def values_of(settings: Settings, key: bytes) -> list[bytes]:
    """Everything on leads.due under `key`, in order."""
    reader = AIOKafkaConsumer(
        settings.topic_prefix + LEADS_DUE.name, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await reader.start()
    try:
        ends = await reader.end_offsets(reader.assignment())
        values: list[bytes] = []
        async with asyncio.timeout(60):
            while any([await reader.position(at) < end for at, end in ends.items()]):
                for records in (await reader.getmany(timeout_ms=500)).values():
                    values += [record.value or b"" for record in records if record.key == key]
        return values
    finally:
        await reader.stop()


async def test_a_dead_record_is_kept_whole_with_its_address(settings: Settings) -> None:
    poison = b"\xff" * 1_000_000
    record = Record(LEADS_DUE.name, 3, 17, b"key", poison, 0)
    async with Producer(settings, "test") as producer:
        await DeadLetters(producer, "router").bury([(record, "not JSON")], seen=1, now=NOW)

    topic = DEAD_LETTERS[LEADS_DUE.name]
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic.name,
        bootstrap_servers=settings.kafka,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4_000_000,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            buried = topic.read((await consumer.getone()).value).data
            while buried.consumer != "router":  # another test buries here too
                buried = topic.read((await consumer.getone()).value).data
    finally:
        await consumer.stop()

    assert (buried.source_partition, buried.source_offset, buried.reason) == (3, 17, "not JSON")
    assert len(buried.raw_base64) > 1_300_000


def unreadable(first: int, value: bytes) -> list[tuple[Record, str]]:
    """Ten dead records."""
    return [(Record(LEADS_DUE.name, 0, n, b"k", value, 0), "refused") for n in range(first, first + 10)]


async def test_a_bad_deploy_stops_before_it_empties_a_topic(settings: Settings) -> None:
    ours = (GOLDEN / "leads.due.json").read_bytes()
    async with Producer(settings, "test") as producer:
        letters = DeadLetters(producer, "stops")
        await letters.bury(unreadable(0, ours), seen=500, now=NOW)
        await letters.bury(unreadable(10, ours), seen=500, now=NOW)

        with pytest.raises(TooManyDead, match="30 of 1500 records of stops are dead"):
            await letters.bury(unreadable(20, ours), seen=500, now=NOW)
        with pytest.raises(TooManyDead):
            await letters.bury(unreadable(20, ours), seen=500, now=NOW + timedelta(seconds=1))
        assert "held back" in letters.alarm()

        # After a wait a few may go, and what went is not counted again when its batch comes back.
        await letters.bury(unreadable(20, ours), seen=500, now=NOW + timedelta(seconds=10))
        await letters.bury(unreadable(20, ours), seen=500, now=NOW + timedelta(seconds=11))


async def test_what_no_version_of_waypost_wrote_never_stops_anything(settings: Settings) -> None:
    async with Producer(settings, "test") as producer:
        letters = DeadLetters(producer, "goes-on")
        for first in range(0, 100, 10):
            await letters.bury(unreadable(first, b"x"), seen=10, now=NOW)

        assert letters.alarm() == "100 buried within an hour, the last because: refused"


async def test_a_record_that_its_topic_never_takes_keeps_no_other(settings: Settings) -> None:
    small = await topics_taking(settings, "small", {LEADS_DUE.name: 100_000})
    records = [(b"k%d" % n, bytes(200_000 if n in (1, 3) else 10)) for n in range(5)]

    async with Producer(small, "test") as producer:
        with pytest.raises(RecordTooLarge) as refused:
            await producer.publish(LEADS_DUE.name, records)
        assert refused.value.positions == [1, 3]
        assert await publish_or_bury(producer, LEADS_DUE.name, records, source="router", now=NOW) == 2
        # The producer is as good as new.
        await producer.publish(LEADS_DUE.name, [(b"k", b"after")])

    letters = [dead for dead in await all_dead(small, LEADS_DUE.name) if dead.is_unpublished]
    assert [len(base64.b64decode(dead.raw_base64)) for dead in letters] == [200_000, 200_000]


async def test_dead_letters_that_even_their_topic_refuses_are_in_the_log_and_nothing_stops(settings: Settings) -> None:
    tiny = await topics_taking(settings, "tiny", {LEADS_DUE.dead: 2_000, LEADS_RECEIVED.dead: 100})
    registry = CollectorRegistry()

    async with Producer(tiny, "test") as producer:
        letters = DeadLetters(producer, "router", registry=registry)
        await letters.bury([(Record(LEADS_DUE.name, 0, 0, b"k", bytes(3_000), 0), "refused")], seen=1, now=NOW)
        await letters.bury([(Record(LEADS_RECEIVED.name, 0, 1, b"k", bytes(3_000), 0), "refused")], seen=1, now=NOW)

    [dead] = await all_dead(tiny, LEADS_DUE.name)
    assert dead.reference is not None
    assert (dead.source_offset, dead.reference.value_bytes) == (0, 3_000)
    assert registry.get_sample_value("waypost_dead_letters_total", {"topic": LEADS_RECEIVED.name, "kept": "log"}) == 1


async def test_a_record_that_its_handler_cannot_bear_is_found_and_buried(settings: Settings) -> None:
    handled: list[bytes] = []

    async def handle(records: list[Record]) -> None:
        if any(record.value == b"breaks-17" for record in records):
            raise OverflowError("a time before the calendar")
        handled.extend(record.value for record in records)

    good = {b"bears-%d" % n for n in range(40)}
    async with Producer(settings, "test") as producer:
        values = [*sorted(good)[:20], b"breaks-17", *sorted(good)[20:]]
        await producer.publish(LEADS_DUE.name, [(b"k", value) for value in values])
        letters = DeadLetters(producer, "isolates")
        await consume(settings, "isolates", handle, lambda: set(handled) >= good, dead_letters=letters)

    [dead] = [dead for dead in await all_dead(settings, LEADS_DUE.name) if dead.consumer == "isolates"]
    assert dead.died_at == NOW
    assert base64.b64decode(dead.raw_base64) == b"breaks-17"
    assert dead.reason == "it cannot be handled: OverflowError"


async def test_what_a_transaction_gave_up_and_its_markers_stop_nobody(settings: Settings) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, transactional_id=f"{settings.topic_prefix}foreign")
    await producer.start()
    name = settings.topic_prefix + LEADS_DUE.name
    await producer.begin_transaction()
    await producer.send_and_wait(name, b"given-up", key=b"k")
    await producer.abort_transaction()
    await producer.begin_transaction()
    await producer.send_and_wait(name, b"never-ended", key=b"k")
    seen: list[bytes] = []

    async def note(records: list[Record]) -> None:
        seen.extend(record.value for record in records)

    async with Producer(settings, "test") as ours:
        await ours.publish(LEADS_DUE.name, [(b"k", b"behind-a-transaction")])
    await consume(settings, "transactions", note, lambda: b"behind-a-transaction" in seen)
    await producer.stop()


async def topics_taking(settings: Settings, prefix: str, limits: dict[str, int]) -> Settings:
    """An installation of its own, of which an operator made some topics with a smaller `max.message.bytes`."""
    own = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}{prefix}."})
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.create_topics(
        [
            NewTopic(own.topic_prefix + name, 1, 1, topic_configs={"max.message.bytes": str(limit)})
            for name, limit in limits.items()
        ]
    )
    await admin.close()
    await apply_topics(own)
    return own


async def all_dead(settings: Settings, topic: str) -> list[RecordDead]:
    """Every dead letter of a topic."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, auto_offset_reset="earliest", max_partition_fetch_bytes=4_000_000
    )
    await reader.start()
    try:
        at = TopicPartition(settings.topic_prefix + DEAD_LETTERS[topic].name, 0)
        reader.assign([at])
        [end] = (await reader.end_offsets([at])).values()
        found: list[RecordDead] = []
        async with asyncio.timeout(120):
            while await reader.position(at) < end:
                for records in (await reader.getmany(timeout_ms=500)).values():
                    found += [DEAD_LETTERS[topic].read(record.value).data for record in records]
        return found
    finally:
        await reader.stop()


async def test_without_a_broker_publishing_ends_in_time(tmp_path: Path) -> None:
    nowhere = Settings(kafka="127.0.0.1:1", data_folder=tmp_path)
    async with Producer(nowhere, "test") as producer:
        with pytest.raises((TimeoutError, KafkaError)):
            await producer.publish("leads.due", [(b"k", json.dumps({}).encode())], timeout_s=2)
