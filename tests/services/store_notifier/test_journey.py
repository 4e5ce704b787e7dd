"""The notifier as it runs: a decision on Kafka becomes a signed webhook, an answer becomes a fact."""

import os
from uuid import uuid4

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer
from standardwebhooks import Webhook as Verifier

from services.store_notifier import endpoints
from services.store_notifier.settings import NotifierSettings
from shared import signatures
from shared.contracts import DELIVERIES_ATTEMPTED, LEADS_ANSWERED, LEADS_DECIDED, Topic
from shared.kafka import Producer
from shared.keys import Keys
from shared.postgres import Pool
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.world import Lead, Store, fact_of, now

SITE = "suzhou-gusu-a"


async def add_webhook(pool: Pool, keys: Keys, url: str, site_id: str = SITE) -> tuple[str, str]:
    endpoint_id = uuid4()
    secret = await endpoints.add_webhook(
        pool, endpoint_id, site_id, url, in_flight_cap=2, key=keys.endpoint_key, random_bytes=os.urandom, now=now()
    )
    return str(endpoint_id), secret


async def read_topic(settings: NotifierSettings, topic: Topic, count: int) -> list[object]:
    consumer = AIOKafkaConsumer(
        settings.topic_prefix + topic.name, bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        found: list[object] = []
        while len(found) < count:
            found += [topic.read(r.value) for rs in (await consumer.getmany(timeout_ms=500)).values() for r in rs]
        return found
    finally:
        await consumer.stop()


async def test_a_decision_reaches_the_store_signed_and_its_answer_reaches_the_router(
    notifier: Notifier, with_kafka: NotifierSettings, producer: Producer, pool: Pool, keys: Keys
) -> None:
    lead = Lead()
    async with Store() as store:
        endpoint_id, secret = await add_webhook(pool, keys, store.url)
        decision = lead.assigned(SITE)
        await producer.publish(LEADS_DECIDED.name, [(str(lead.lead_id).encode(), fact_of(decision).to_bytes())])

        (received,) = await store.wait_for(1)

        print(received)
        event = Verifier(secret).verify(received.body, received.headers)
        assert event["id"] == received.id
        body = orjson.dumps({"answer": "accepted"})
        async with aiohttp.ClientSession() as client:
            headers = signatures.headers([secret], "msg_1", now(), body) | {"waypost-endpoint": endpoint_id}
            url = event["data"]["answer_url"]
            async with client.post(url, data=body, headers=headers) as response:
                print(await response.text())
                assert response.status == 202
    (attempt, *_) = await read_topic(with_kafka, DELIVERIES_ATTEMPTED, 1)
    (answer, *_) = await read_topic(with_kafka, LEADS_ANSWERED, 1)
    print(attempt, answer)
