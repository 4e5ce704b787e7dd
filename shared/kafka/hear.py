"""Hearing of a change in every process: a consumer of no group, which commits nothing and may miss a word.

It only says "look now"; what is true stands in PostgreSQL. Who must not miss a record uses `subscribe`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.errors import KafkaError

from shared.contracts import Topic
from shared.kafka.consumer import ReadableConsumer
from shared.settings import Settings
from shared.telemetry import get_logger

RETRY_S = 5.0


async def hear(
    topics: Sequence[Topic[Any]], wake: asyncio.Event, stop: asyncio.Event, *, settings: Settings, client_id: str
) -> None:
    """Set `wake` at every new record of `topics` until `stop`; an absent Kafka is waited for."""
    listening = asyncio.create_task(_listen_for_ever(topics, wake, settings, client_id))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
    finally:
        listening.cancel()
        stopping.cancel()
        await asyncio.gather(listening, stopping, return_exceptions=True)


async def _listen_for_ever(
    topics: Sequence[Topic[Any]], wake: asyncio.Event, settings: Settings, client_id: str
) -> None:
    while True:
        consumer = ReadableConsumer(
            *(settings.topic_prefix + topic.name for topic in topics),
            bootstrap_servers=settings.require_kafka(),
            client_id=f"{client_id}-hears",
            group_id=None,
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            async for _ in consumer:
                wake.set()
        except (KafkaError, OSError) as error:
            get_logger().warning("kafka.cannot_hear", error=type(error).__name__, retry_in_s=RETRY_S)
        finally:
            await consumer.stop()
        await asyncio.sleep(RETRY_S)
