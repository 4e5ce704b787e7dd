"""Hears of new networks and policies, in every router process: a consumer of no group, which commits nothing.

It only says "look now": what is in effect stands in PostgreSQL. A word that is missed costs `router_poll_network_s`.
"""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.router.settings import RouterSettings
from shared.contracts import NETWORK_CHANGED, POLICIES_PUBLISHED
from shared.telemetry import get_logger

RETRY_S = 5.0


async def listen(settings: RouterSettings, wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Set `wake` at every network.changed and policies.published until `stop`; an absent Kafka is waited for."""
    listening = asyncio.create_task(_listen_for_ever(settings, wake))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
    finally:
        listening.cancel()
        stopping.cancel()
        await asyncio.gather(listening, stopping, return_exceptions=True)


async def _listen_for_ever(settings: RouterSettings, wake: asyncio.Event) -> None:
    while True:
        consumer = AIOKafkaConsumer(
            *(settings.topic_prefix + topic.name for topic in (NETWORK_CHANGED, POLICIES_PUBLISHED)),
            bootstrap_servers=settings.require_kafka(),
            client_id="router-listening",
            group_id=None,
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            async for _ in consumer:
                wake.set()
        except (KafkaError, OSError) as error:
            get_logger().warning("router.cannot_listen", error=type(error).__name__, retry_in_s=RETRY_S)
        finally:
            await consumer.stop()
        await asyncio.sleep(RETRY_S)
