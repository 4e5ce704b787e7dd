"""Reading: batches of raw records, acknowledged only after the handler returned.

Why these policies (each trap was reproduced, see docs/architecture.md): FastStream's default acknowledges before the
work is done; every policy but NACK_ON_ERROR passes over a record whose handler raised; its own parser skips a record
whose header is not UTF-8; NACK_ON_ERROR seeks back without a pause, so the pause is taken here, inside the handler.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy, StreamMessage
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from shared.clock import own_clock
from shared.contracts import Topic
from shared.kafka.carried_header import unwrap
from shared.kafka.consumer import ReadableConsumer
from shared.kafka.dead import DeadLetters, TooManyDead
from shared.kafka.isolation import OF_A_RECORD, handle_all_but_the_culprits
from shared.kafka.produce import ProducerBroken
from shared.kafka.record import Record, Reference
from shared.pausing import sleep_or_stop
from shared.postgres import PostgresUnavailable
from shared.settings import Settings
from shared.telemetry import Progress, get_logger

BATCH_TIMEOUT_MS = 20
"""How long one poll waits when nothing is there; an idle consumer adds at most this to the first record."""
GRACEFUL_STOP_S = 8.0
"""An in-flight batch may take this long after SIGTERM; the process has 10 s in all."""
GROUP_SESSION_MS = 6_000
"""The least that brokers allow: so long the leads of a process that was killed, or is frozen, wait for another."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


Handler = Callable[[list[Record]], Awaitable[None]]


class _Broker(KafkaBroker):
    """Its consumers read whatever a producer may write."""

    progress: Progress | None = None
    """Of its subscribers; says when the process cannot go on."""

    async def _connect(self) -> Any:
        await super()._connect()
        library = self.config.broker_config.builder
        self.config.broker_config.builder = partial(ReadableConsumer, **getattr(library, "keywords", {}))
        return self.config.broker_config.builder


class GaveUp(Exception):  # noqa: N818 - it names a state
    """This process cannot go on; the next one may."""


def make_broker(settings: Settings, client_id: str) -> KafkaBroker:
    """A FastStream broker used for reading only: its producer is never asked to send."""
    quiet = logging.getLogger("waypost.faststream")
    quiet.setLevel(logging.WARNING)
    return _Broker(
        # A list: FastStream takes a text with commas for the name of one server.
        settings.require_kafka().split(","),
        client_id=client_id,
        allow_auto_create_topics=False,
        acks="all",
        enable_idempotence=True,
        graceful_timeout=GRACEFUL_STOP_S,
        request_timeout_ms=15_000,
        apply_types=False,
        logger=quiet,
        log_level=logging.DEBUG,  # the level of its two lines per message; its warnings keep theirs
    )


def subscribe(
    broker: KafkaBroker,
    topics: Sequence[Topic[Any]],
    *,
    group: str,
    handle: Handler,
    settings: Settings,
    progress: Progress,
    max_records: int = 500,
    dead_letters: DeadLetters | None = None,
    clock: Callable[[], datetime] = own_clock,
) -> None:
    """Give every batch of `topics` to `handle`, at least once, in partition order.

    `handle` returns when its effects are durable. Whatever it raises is logged without the records, paused for and
    raised again: the batch comes back. With `dead_letters`, a record for whose sake its batch fails twice is found and
    buried, at the time of `clock`, which must be the handler's: what may die at once is counted by both. ProducerBroken
    ends the process instead (its producer cannot be used again).
    """
    prefix = settings.topic_prefix
    if isinstance(broker, _Broker):
        broker.progress = progress

    async def parse(message: tuple[ConsumerRecord[Any, Any], ...]) -> StreamMessage[Any]:
        # Headers stay undecoded: one that is not UTF-8 would make the library drop the record.
        return KafkaAckableMessage(
            body=b"",
            headers={},
            raw_message=message,
            message_id=f"{message[0].topic}-{message[0].partition}-{message[0].offset}",
            consumer=subscriber.consumer,
        )

    async def decode(message: StreamMessage[Any]) -> list[Record]:
        consumer = subscriber.consumer
        marker = consumer.marker if isinstance(consumer, ReadableConsumer) else ""
        return [_record(r, prefix, marker) for r in message.raw_message]

    subscriber = broker.subscriber(
        *(prefix + topic.name for topic in topics),
        group_id=prefix + group,
        batch=True,
        max_records=max_records,
        batch_timeout_ms=BATCH_TIMEOUT_MS,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        # Topic by topic: every process reads its part of each. The sticky one evens out the sum of all partitions only,
        # and gives a process that joins later whole topics, of which leads.received is mostly none.
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=GROUP_SESSION_MS,
        heartbeat_interval_ms=2_000,
        rebalance_timeout_ms=30_000,
        fetch_max_wait_ms=500,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        parser=parse,
        decoder=decode,
    )
    progress.watch(lambda: subscriber.consumer, prefix)
    subscriber(_with_pause(handle, group, progress, dead_letters, clock))


def _record(raw: ConsumerRecord[Any, Any], prefix: str, marker: str) -> Record:
    topic, key, value = raw.topic.removeprefix(prefix), raw.key or b"", raw.value
    if not raw.headers:  # as all of ours are
        return Record(topic, raw.partition, raw.offset, key, value or b"", raw.timestamp, (), value is None)
    reference: Reference | None = None
    if raw.headers[0][0] == marker:
        headers, reference = unwrap(raw.headers[0][1] or b"")
    else:
        headers = tuple((name.encode(), text) for name, text in raw.headers)
    is_null = value is None and reference is None
    return Record(topic, raw.partition, raw.offset, key, value or b"", raw.timestamp, headers, is_null, reference)


def _with_pause(
    handle: Handler,
    group: str,
    progress: Progress,
    dead_letters: DeadLetters | None,
    clock: Callable[[], datetime],
) -> Callable[[list[Record]], Awaitable[None]]:
    log = get_logger()
    failures = 0
    is_suspect = False

    async def attempt(records: list[Record]) -> None:
        if dead_letters is None or not is_suspect:
            await handle(records)
            return
        culprits = await handle_all_but_the_culprits(handle, records)
        await dead_letters.bury(culprits, seen=0, now=clock())

    async def on_batch(records: list[Record]) -> None:
        nonlocal failures, is_suspect
        progress.polled(records)
        try:
            await attempt(records)
        except ProducerBroken as error:
            log.exception("consumer.producer_broken", group=group)
            progress.give_up(f"producer broken: {error}")
            raise
        except Exception as error:
            failures += 1
            is_suspect = is_suspect or isinstance(error, OF_A_RECORD)
            pause_s = random.uniform(0.5, 1) * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, 10))  # noqa: S311
            log.warning(
                "consumer.batch_failed",
                group=group,
                records=len(records),
                failures_in_a_row=failures,
                # The type only: a message may quote the record.
                error=type(error).__name__,
                retry_in_s=round(pause_s, 2),
                exc_info=not isinstance(error, TimeoutError | OSError | KafkaError | PostgresUnavailable | TooManyDead),
            )
            progress.failed(type(error).__name__)
            await asyncio.sleep(pause_s)
            raise
        failures, is_suspect = 0, False
        progress.handled(records)

    return on_batch


async def run_broker(broker: KafkaBroker, stop: asyncio.Event) -> None:
    """Consume until `stop` is set; then finish the batch in flight, commit and leave the group within 10 s.

    A broker that is not there yet is waited for. Raises GaveUp when a handler found that this process cannot go on.
    """
    log = get_logger()
    progress = broker.progress if isinstance(broker, _Broker) and broker.progress else Progress()
    while not stop.is_set():
        try:
            await broker.start()
            break
        except Exception as error:  # noqa: BLE001 - whatever it was, Kafka is not usable yet: say so and try again
            log.warning("kafka.not_reachable", error=type(error).__name__)
            await _bounded(broker.stop(), 3)
            await sleep_or_stop(stop, 2)
    stopping, giving_up = asyncio.create_task(stop.wait()), asyncio.create_task(progress.gave_up.wait())
    try:
        await asyncio.wait({stopping, giving_up}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        giving_up.cancel()
        await _bounded(broker.stop(), GRACEFUL_STOP_S + 1)
    if progress.fatal:
        raise GaveUp(progress.fatal)


async def _bounded(work: Awaitable[None], seconds: float) -> None:
    # An idempotent producer without its broker never finishes stopping.
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        get_logger().warning("kafka.stop_timed_out", seconds=seconds)
