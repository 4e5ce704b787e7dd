"""The notifier as it runs: its process, Kafka, PostgreSQL and stores that really listen."""

import os
import re
from uuid import uuid4

import aiohttp
from standardwebhooks import Webhook as Verifier

from services.store_notifier import endpoints
from services.store_notifier.settings import NotifierSettings
from shared.contracts import (
    DELIVERIES_ATTEMPTED,
    LEADS_ANSWERED,
    LEADS_RECEIVED,
    Answer,
    AttemptResult,
    LeadAnswered,
    LeadReceived,
    Vehicle,
)
from shared.kafka import Producer
from shared.keys import Keys
from shared.postgres import Connection, Pool
from shared.vocabulary import Channel, Intent
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.serving import CONTACT, Client, intake_of
from tests.services.store_notifier.setting_up import OTHER_SITE, SITE, add_webhook
from tests.services.store_notifier.topics import publish, published
from tests.services.store_notifier.world import TRACEPARENT, Lead, Store, now, until


async def test_a_decision_reaches_the_store_signed_and_its_answer_reaches_the_router(
    notifier: Notifier,
    with_kafka: NotifierSettings,
    producer: Producer,
    pool: Pool,
    keys: Keys,
    session: aiohttp.ClientSession,
) -> None:
    lead = Lead()
    async with Store() as store:
        endpoint = await add_webhook(pool, keys, store.url)
        decision = lead.assigned(SITE)
        await publish(producer, [decision])
        (received,) = await store.wait_for(1)

    event = Verifier(endpoint.secret).verify(received.body, received.headers)
    assert event["type"] == "waypost.assignment.created.v1"
    assert event["id"] == received.id
    assert event["subject"] == str(lead.lead_id)
    assert event["traceparent"] == TRACEPARENT
    assert received.headers["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1]
    assert event["data"] == {
        "assignment": {
            "lead_id": str(lead.lead_id),
            "epoch": 1,
            "site_id": SITE,
            "intent": "test_drive",
            "distance_m": 1234,
            "respond_by": decision.respond_by.isoformat().replace("+00:00", "Z"),
        },
        "answer_url": f"{notifier.url}/v1/assignments/{lead.lead_id}/1/answer",
        "contact_url": f"{notifier.url}/v1/assignments/{lead.lead_id}/1/contact",
    }

    client = Client(session, notifier.url)
    assert (await client.answer(endpoint, lead.lead_id, 1, {"answer": "accepted"}))[0] == 202

    (attempt,) = await published(with_kafka, DELIVERIES_ATTEMPTED, [lead], 1)
    assert (attempt.data.result, attempt.data.status_code, attempt.data.attempt) == (AttemptResult.DELIVERED, 204, 1)
    (answer,) = await published(with_kafka, LEADS_ANSWERED, [lead], 1)
    data: LeadAnswered = answer.data
    assert (data.epoch, data.site_id, data.answer, data.via) == (1, SITE, Answer.ACCEPTED, "webhook")
    assert answer.traceparent is not None
    assert answer.traceparent.split("-")[1] == TRACEPARENT.split("-")[1]
    assert 'waypost_notifier_delivery_attempts_total{result="delivered"} 1.0' in await notifier.metrics()


async def test_a_person_accepts_at_the_inbox_page_and_sees_the_contact(
    with_kafka: NotifierSettings, producer: Producer, db: Connection, pool: Pool, keys: Keys
) -> None:
    lead = Lead()
    key = await endpoints.add_inbox(pool, SITE, os.urandom, now())
    async with (
        intake_of(keys) as intake,
        Notifier(with_kafka.model_copy(update={"intake_url": intake.url})) as notifier,
        aiohttp.ClientSession(notifier.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        await publish(producer, [lead.assigned(SITE)])
        await until(lambda: db.fetchval("SELECT count(*) FROM inbox_items"))
        async with browser.post(f"/inbox/{SITE}/login", data={"key": key}) as response:
            page = await response.text()
        assert str(lead.lead_id) in page
        (token,) = set(re.findall(r'name="csrf" value="(\w+)"', page))
        form = f"/inbox/{SITE}/leads/{lead.lead_id}/1"
        async with browser.post(f"{form}/contact", data={"csrf": token}) as response:
            assert CONTACT["email"] in await response.text()
        async with browser.post(f"{form}/answer", data={"csrf": token, "answer": "accepted"}) as response:
            assert response.status == 200
        (told,) = await published(with_kafka, DELIVERIES_ATTEMPTED, [lead], 1)
        (answer,) = await published(with_kafka, LEADS_ANSWERED, [lead], 1)
    assert (told.data.channel, told.data.result) == ("inbox", AttemptResult.DELIVERED)
    assert (answer.data.answer, answer.data.via) == (Answer.ACCEPTED, "inbox")
    assert [asked["via"] for asked in intake.asked] == ["inbox"]


async def test_a_store_learns_the_vehicle_of_interest(
    notifier: Notifier, producer: Producer, db: Connection, pool: Pool, keys: Keys
) -> None:
    lead = Lead()
    fact = LEADS_RECEIVED.fact(
        LeadReceived(
            lead_id=lead.lead_id,
            person_id=uuid4(),
            intent=Intent.TEST_DRIVE,
            vehicle=Vehicle(brand="Waypost", model="Model One", year=2026),
            source="test-form",
            channel=Channel.FORM,
            consent_version="1",
            consent_at=now(),
            received_at=now(),
        ),
        id=uuid4(),
        source="lead_intake",
        subject=str(lead.lead_id),
        time=now(),
    )
    async with Store() as store:
        await add_webhook(pool, keys, store.url)
        await producer.publish(LEADS_RECEIVED.name, [(str(lead.lead_id).encode(), fact.to_bytes())])
        await until(lambda: db.fetchval("SELECT count(*) FROM vehicles"))
        await publish(producer, [lead.assigned(SITE)])
        (received,) = await store.wait_for(1)
    vehicle = received.event["data"]["assignment"]["vehicle"]
    assert vehicle == {"brand": "Waypost", "model": "Model One", "year": 2026}


async def test_two_notifiers_share_the_work_and_tell_every_store_once(
    notifier: Notifier, with_kafka: NotifierSettings, producer: Producer, db: Connection, pool: Pool, keys: Keys
) -> None:
    leads = [Lead() for _ in range(200)]
    async with Store() as store, Notifier(with_kafka):
        await add_webhook(pool, keys, store.url, SITE, cap=8)
        await add_webhook(pool, keys, store.url, OTHER_SITE, cap=8)
        await publish(producer, [lead.assigned((SITE, OTHER_SITE)[n % 2]) for n, lead in enumerate(leads)])
        await until(lambda: db.fetchval("SELECT count(*) = 200 FROM deliveries WHERE status = 2"), within_s=90)
    ids = [received.id for received in store.received]
    assert len(ids) == len(set(ids)) == 200
