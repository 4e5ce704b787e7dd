"""Reading: batches of raw records, acknowledged only after the handler returned.

Why these policies (each trap was reproduced, see docs/architecture.md): FastStream's default acknowledges before the
work is done; every policy but NACK_ON_ERROR passes over a record whose handler raised; its own parser skips a record
whose header is not UTF-8; NACK_ON_ERROR seeks back without a pause, so the pause is taken here, inside the handler.
"""

import asyncio
import logging
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy, StreamMessage
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from shared.contracts import Topic
from shared.kafka.produce import ProducerBroken
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


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as it came; `topic` is the contract's name, without the installation's prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp_ms: int


Handler = Callable[[list[Record]], Awaitable[None]]


def make_broker(settings: Settings, client_id: str) -> KafkaBroker:
    """A FastStream broker used for reading only: its producer is never asked to send."""
    quiet = logging.getLogger("waypost.faststream")
    quiet.setLevel(logging.WARNING)
    return KafkaBroker(
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
) -> None:
    """Give every batch of `topics` to `handle`, at least once, in partition order.

    `handle` returns when its effects are durable. Whatever it raises is logged without the records, paused for and
    raised again: the batch comes back. ProducerBroken ends the process instead (its producer cannot be used again).
    """
    prefix = settings.topic_prefix

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
        return [
            Record(r.topic.removeprefix(prefix), r.partition, r.offset, r.key or b"", r.value or b"", r.timestamp)
            for r in message.raw_message
        ]

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
    subscriber(_with_pause(handle, group, progress))


def _with_pause(handle: Handler, group: str, progress: Progress) -> Callable[[list[Record]], Awaitable[None]]:
    log = get_logger()
    failures = 0

    async def on_batch(records: list[Record]) -> None:
        nonlocal failures
        progress.polled(records)
        try:
            await handle(records)
        except ProducerBroken as error:
            log.exception("consumer.producer_broken", group=group)
            progress.give_up(f"producer broken: {error}")
            signal.raise_signal(signal.SIGTERM)
            raise
        except Exception as error:
            failures += 1
            pause_s = random.uniform(0.5, 1) * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures, 10))  # noqa: S311
            log.warning(
                "consumer.batch_failed",
                group=group,
                records=len(records),
                failures_in_a_row=failures,
                # The type only: a message may quote the record.
                error=type(error).__name__,
                retry_in_s=round(pause_s, 2),
                exc_info=not isinstance(error, TimeoutError | OSError | KafkaError | PostgresUnavailable),
            )
            progress.failed(type(error).__name__)
            await asyncio.sleep(pause_s)
            raise
        failures = 0
        progress.handled(records)

    return on_batch


async def run_broker(broker: KafkaBroker, stop: asyncio.Event) -> None:
    """Consume until `stop` is set; then finish the batch in flight, commit and leave the group within 10 s.

    A broker that is not there yet is waited for.
    """
    log = get_logger()
    while not stop.is_set():
        try:
            await broker.start()
            break
        except Exception as error:  # noqa: BLE001 - whatever it was, Kafka is not usable yet: say so and try again
            log.warning("kafka.not_reachable", error=type(error).__name__)
            await _bounded(broker.stop(), 3)
            await sleep_or_stop(stop, 2)
    await stop.wait()
    await _bounded(broker.stop(), GRACEFUL_STOP_S + 1)


async def _bounded(work: Awaitable[None], seconds: float) -> None:
    # An idempotent producer without its broker never finishes stopping.
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        get_logger().warning("kafka.stop_timed_out", seconds=seconds)
