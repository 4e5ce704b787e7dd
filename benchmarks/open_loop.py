"""Latency at a steady rate: leads are produced on a clock that never waits, decisions are read as they appear."""

import asyncio
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer

from benchmarks.contest import percentile, process
from benchmarks.ground import Grounds
from benchmarks.workload import Lead
from services.router.sites import Site
from shared.contracts import LEADS_DECIDED, LEADS_RECEIVED
from shared.kafka import Producer

TICK_S = 0.005
WARM_UP_S = 5.0
"""The first seconds load the broker's code and fill the router's pools; they are sent and not counted."""


async def waypost(grounds: Grounds, sites: list[Site], leads: Sequence[Lead], per_s: int) -> tuple[float, float, float]:
    """(p50, p99, p99.9) in milliseconds from the moment a lead was due to be produced to its decision being read.

    Raises TimeoutError when not every lead was decided within a minute after the last was sent.
    """
    ground = await grounds.fresh()
    await ground.install(sites)
    consumer = AIOKafkaConsumer(
        ground.settings.topic_prefix + LEADS_DECIDED.name,
        bootstrap_servers=ground.settings.kafka,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=500,
    )
    await consumer.start()
    due: dict[bytes, float] = {}
    seen: dict[bytes, float] = {}
    with process(["services.cli", "run", "router"], ground.environment, ground.folder / "router.log"):
        reading = asyncio.create_task(_read(consumer, seen))
        async with Producer(ground.settings, "bench") as producer:
            # One lead first: the router is up, has its partitions and the connections are made.
            await producer.publish(LEADS_RECEIVED.name, [(leads[0].key, leads[0].record)])
            await _until(seen, 1)
            await _send(producer, leads[1:], per_s, due)
        await _until(seen, len(leads))
        reading.cancel()
    await consumer.stop()
    counted = [(seen[key] - sent) * 1e3 for key, sent in list(due.items())[int(WARM_UP_S * per_s) :]]
    return percentile(counted, 0.5), percentile(counted, 0.99), percentile(counted, 0.999)


async def _send(producer: Producer, leads: Sequence[Lead], per_s: int, due: dict[bytes, float]) -> None:
    begun = time.perf_counter()
    sending: set[asyncio.Task[None]] = set()
    sent = 0
    while sent < len(leads):
        now = time.perf_counter()
        until = min(len(leads), int((now - begun) * per_s))
        part = leads[sent:until]
        for number, lead in enumerate(part, start=sent):
            due[lead.key] = begun + number / per_s
        if part:
            task = asyncio.create_task(
                producer.publish(LEADS_RECEIVED.name, [(lead.key, lead.record) for lead in part])
            )
            sending.add(task)
            task.add_done_callback(sending.discard)
        sent = until
        await asyncio.sleep(TICK_S)
    await asyncio.gather(*sending)


async def _read(consumer: AIOKafkaConsumer, seen: dict[bytes, float]) -> None:
    while True:
        batches = await consumer.getmany(timeout_ms=500)
        now = time.perf_counter()
        for records in batches.values():
            for record in records:
                seen.setdefault(record.key, now)


async def _until(seen: dict[bytes, float], count: int) -> None:
    async with asyncio.timeout(60):
        while len(seen) < count:
            await asyncio.sleep(0.01)
