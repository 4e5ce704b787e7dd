"""Kafka as a test sees it: decisions in, facts out."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer

from services.store_notifier.settings import NotifierSettings
from shared.contracts import (
    LEADS_DECIDED,
    Fact,
    LeadDecided,
    Topic,
)
from shared.kafka import Producer
from tests.services.store_notifier.world import Lead, fact_of


async def publish(producer: Producer, decisions: Sequence[LeadDecided]) -> None:
    records = [(str(decision.lead_id).encode(), fact_of(decision).to_bytes()) for decision in decisions]
    await producer.publish(LEADS_DECIDED.name, records)


async def published(
    settings: NotifierSettings, topic: Topic[Any], about: Sequence[Lead], count: int
) -> list[Fact[Any]]:
    """Facts of the topic about these leads, once there are `count`; then a moment longer, for those too many."""
    leads = {lead.lead_id for lead in about}
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic.name, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        facts: list[Fact[Any]] = []
        async with asyncio.timeout(60):
            while len(facts) < count:
                batches = await consumer.getmany(timeout_ms=500)
                read = [topic.read(record.value) for batch in batches.values() for record in batch]
                facts += [fact for fact in read if fact.data.lead_id in leads]
        return facts
    finally:
        await consumer.stop()
