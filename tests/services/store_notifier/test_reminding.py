"""While a site is silent: it is reminded once, then its partner is told, and an answer ends both."""

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook as Verifier

from services.store_notifier import answers, endpoints
from services.store_notifier.db.deliveries import DELIVERED, DUE, VOID
from services.store_notifier.domain import Said
from services.store_notifier.metrics import Metrics
from services.store_notifier.reminding import Reminders
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.sweeping import Sweeper
from shared.contracts import Answer
from shared.kafka import Producer
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.looking import answered, attempted, settled, statuses
from tests.services.store_notifier.process import Notifier
from tests.services.store_notifier.sending import Send, running, saying, scheduler_of
from tests.services.store_notifier.serving import Client
from tests.services.store_notifier.setting_up import (
    NOWHERE,
    OTHER_SITE,
    PARTNER,
    SITE,
    add_partner,
    add_webhook,
    handle,
)
from tests.services.store_notifier.topics import publish
from tests.services.store_notifier.world import Lead, Received, Store, now, until

DUE_NOW, LATER = timedelta(0), timedelta(hours=1)


async def look(pool: Pool) -> dict[str, float]:
    """One look of the reminders; how many sites were reminded, and what became of the escalations."""
    registry = CollectorRegistry()
    await Reminders(pool, Metrics(registry), now).look(now())
    found = {"reminded": registry.get_sample_value("waypost_notifier_reminders_total") or 0}
    for result in ("queued", "no_partner", "no_endpoint"):
        count = registry.get_sample_value("waypost_notifier_escalations_total", {"result": result})
        if count:
            found[result] = count
    return found


async def answer(pool: Pool, lead: Lead, said: Answer = Answer.ACCEPTED) -> None:
    """The site says so, and the router has not heard of it yet."""
    await answers.record(pool, Said(lead.lead_id, lead.epoch, SITE, said, "webhook"), now())


async def test_a_silent_site_is_reminded_once_and_not_before_its_moment(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    silent, early = Lead(), Lead()
    async with Store() as store:
        endpoint = await add_webhook(pool, keys, store.url)
        decision = silent.assigned(SITE, remind_in=DUE_NOW)
        await handle(pool, decision, early.assigned(SITE, remind_in=LATER))
        async with running(scheduler_of(pool, send)):
            await store.wait_for(2)
            await until(lambda: settled(db))  # a look passes over what is being settled, until the next
            first, *again = [await look(pool), *await asyncio.gather(look(pool), look(pool))]
            await store.wait_for(3)
            await until(lambda: settled(db))
        await handle(pool, decision)
        again.append(await look(pool))
    assert (first, again) == ({"reminded": 1}, [{"reminded": 0}] * 3)
    assert Counter(r.what for r in store.received) == {"created": 2, "reminder": 1}
    created = next(r for r in store.received if r.lead_id == silent.lead_id and r.what == "created")
    reminder = store.received[-1]
    event = Verifier(endpoint.secret).verify(reminder.body, reminder.headers)
    assert event["type"] == "waypost.assignment.reminder.v1"
    assert event["data"] == created.event["data"]
    assert event["id"] == reminder.id != created.id
    assert [(f.event, f.result) for f in await attempted(db) if f.event] == [("reminder", "delivered")]


async def test_who_has_answered_is_not_reminded(db: Connection, pool: Pool, keys: Keys) -> None:
    await add_webhook(pool, keys, NOWHERE)
    said, known, moved = Lead(), Lead(), Lead()
    for lead in (said, known, moved):
        await handle(pool, lead.assigned(SITE, remind_in=DUE_NOW, escalate_in=DUE_NOW))
    await answer(pool, said)
    await handle(pool, known.accepted(SITE, 1))
    await handle(pool, moved.assigned(OTHER_SITE))

    assert await look(pool) == {"reminded": 0}
    assert await db.fetchval("SELECT count(*) FROM deliveries WHERE event = 'reminder'") == 0


async def test_a_reminder_that_would_come_after_the_deadline_is_left_out(pool: Pool, keys: Keys) -> None:
    await add_webhook(pool, keys, NOWHERE)
    await handle(pool, Lead().assigned(SITE, within=DUE_NOW, remind_in=DUE_NOW, escalate_in=DUE_NOW))

    assert await look(pool) == {"reminded": 0}


@pytest.mark.parametrize("said", [Answer.ACCEPTED, Answer.DECLINED])
async def test_an_answer_voids_a_reminder_that_still_waits_and_nobody_is_bothered_with_that(
    db: Connection, pool: Pool, keys: Keys, said: Answer
) -> None:
    await add_webhook(pool, keys, NOWHERE)
    await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await handle(pool, lead.assigned(SITE, remind_in=DUE_NOW, escalate_in=DUE_NOW, partner=PARTNER))
    await look(pool)
    await answer(pool, lead, said)

    rows = await db.fetch("SELECT event, status FROM deliveries")
    assert {row["event"]: row["status"] for row in rows} == {"created": DUE, "reminder": VOID, "escalated": VOID}
    assert await attempted(db) == []


async def test_a_reminder_that_failed_is_not_repeated_once_the_site_has_answered(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead = Lead()

    async def answer_meanwhile(_: web.Request, received: Received) -> web.StreamResponse:
        if received.what == "created":
            return web.Response(status=204)
        await answer(pool, lead)
        return web.Response(status=503)

    async with Store(answer_meanwhile) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, lead.assigned(SITE, remind_in=DUE_NOW))
        async with running(scheduler_of(pool, send)):
            await store.wait_for(1)
            await until(lambda: settled(db))
            await look(pool)
            await store.wait_for(2)
            await until(lambda: settled(db))
    assert [r.what for r in store.received] == ["created", "reminder"]
    assert await statuses(db) == {DELIVERED: 1, VOID: 1}


async def test_a_partner_hears_of_the_silence_of_all_its_sites_and_of_no_others(
    db: Connection, pool: Pool, keys: Keys, send: Send, settings: NotifierSettings
) -> None:
    mine, other, foreign = Lead(), Lead(), Lead()
    async with Store() as manager:
        endpoint = await add_partner(pool, keys, manager.url)
        decision = mine.assigned(SITE, escalate_in=DUE_NOW, partner=PARTNER)
        await handle(
            pool,
            decision,
            other.assigned(OTHER_SITE, escalate_in=DUE_NOW, partner=PARTNER),
            foreign.assigned("site-of-others", escalate_in=DUE_NOW, partner="others"),
        )
        async with running(scheduler_of(pool, send)):
            assert await look(pool) == {"reminded": 0, "queued": 2, "no_endpoint": 1}
            await manager.wait_for(2)
            await until(lambda: settled(db))
        assert await look(pool) == {"reminded": 0}
    assert {r.lead_id for r in manager.received} == {mine.lead_id, other.lead_id}
    told = next(r for r in manager.received if r.lead_id == mine.lead_id)
    event = Verifier(endpoint.secret).verify(told.body, told.headers)
    assert event["type"] == "waypost.assignment.escalated.v1"
    assert event["data"] == {
        "assignment": {
            "lead_id": str(mine.lead_id),
            "epoch": 1,
            "site_id": SITE,
            "intent": "test_drive",
            "distance_m": 1234,
            "respond_by": decision.respond_by.isoformat().replace("+00:00", "Z"),
        }
    }
    facts = [f for f in await attempted(db) if f.event]
    assert {(f.event, f.site_id, f.endpoint_id) for f in facts} == {
        ("escalated", SITE, endpoint.endpoint_id),
        ("escalated", OTHER_SITE, endpoint.endpoint_id),
    }


async def test_an_escalation_that_nobody_can_be_told_of_is_counted_with_the_reason(pool: Pool, keys: Keys) -> None:
    off = await add_partner(pool, keys, NOWHERE)
    await endpoints.disable(pool, off.endpoint_id, "test")
    await handle(
        pool,
        Lead().assigned(SITE, escalate_in=DUE_NOW, partner=PARTNER),
        Lead().assigned(SITE, escalate_in=DUE_NOW),
    )

    assert await look(pool) == {"reminded": 0, "no_endpoint": 1, "no_partner": 1}


async def test_a_partner_that_cannot_be_told_takes_no_lead_from_its_site(
    db: Connection, pool: Pool, keys: Keys, send: Send, settings: NotifierSettings
) -> None:
    async with Store(saying(410)) as manager:
        await add_partner(pool, keys, manager.url)
        await handle(pool, Lead().assigned(SITE, escalate_in=DUE_NOW, partner=PARTNER))
        await look(pool)
        async with running(scheduler_of(pool, send)):
            await until(lambda: settled(db))
        await handle(pool, Lead().assigned(SITE, escalate_in=LATER, partner=PARTNER))
        await Sweeper(pool, settings, Random(1), now).sweep(now())
    assert await answered(db) == []


async def test_a_partner_that_hangs_delays_neither_a_site_nor_another_partner(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    hung = asyncio.Event()

    async def hang(_: web.Request, __: Received) -> web.StreamResponse:
        await hung.wait()
        return web.Response(status=204)

    async with Store(hang) as dead, Store() as manager, Store() as store:
        await add_partner(pool, keys, dead.url)
        await add_partner(pool, keys, manager.url, "others")
        await add_webhook(pool, keys, store.url)
        await handle(
            pool, *(Lead().assigned(SITE, escalate_in=DUE_NOW, partner=(PARTNER, "others")[n % 2]) for n in range(20))
        )
        await look(pool)
        async with running(scheduler_of(pool, send)):
            await asyncio.gather(store.wait_for(20), manager.wait_for(10))
            assert len(dead.received) <= 2  # its cap
            hung.set()
            await until(lambda: settled(db))
    assert len({r.id for r in dead.received}) == 10


async def test_an_endpoint_of_a_partner_may_neither_answer_nor_see_a_contact(
    pool: Pool, keys: Keys, client: Client
) -> None:
    manager = await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await handle(pool, lead.assigned(SITE, partner=PARTNER))

    for status, problem in (
        await client.answer(manager, lead.lead_id, 1, {"answer": "accepted"}),
        await client.contact(manager, lead.lead_id, 1),
    ):
        assert status == 403
        assert "partner" in problem["detail"]


async def test_a_notifier_that_is_killed_in_between_loses_no_reminder_and_doubles_none(
    with_kafka: NotifierSettings,
    producer: Producer,
    db: Connection,
    pool: Pool,
    keys: Keys,
    session: aiohttp.ClientSession,
) -> None:
    leads = [Lead() for _ in range(30)]
    async with Store() as store, Store() as manager:
        await add_webhook(pool, keys, store.url)
        await add_partner(pool, keys, manager.url)
        async with Notifier(with_kafka) as first:
            soon = timedelta(seconds=0.5)
            decisions = [lead.assigned(SITE, remind_in=soon, escalate_in=soon, partner=PARTNER) for lead in leads]
            await publish(producer, decisions)
            await store.wait_for(31)  # every assignment, or reminders of some already
            await first.kill()
        async with Notifier(with_kafka):
            await until(lambda: db.fetchval("SELECT count(*) = 90 FROM deliveries WHERE status = 2"), within_s=90)
            await publish(producer, [lead.accepted(SITE, 1) for lead in leads])
            await until(lambda: db.fetchval("SELECT count(*) = 120 FROM deliveries WHERE status = 2"), within_s=90)
    assert Counter(what for what, _ in {(r.what, r.id) for r in store.received}) == {"created": 30, "reminder": 30}
    assert {(r.what, r.lead_id) for r in store.received} == {
        (what, lead.lead_id) for what in ("created", "reminder") for lead in leads
    }
    assert Counter(what for what, _ in {(r.what, r.id) for r in manager.received}) == {"escalated": 30, "ended": 30}
    assert {(r.what, r.lead_id) for r in manager.received} == {
        (what, lead.lead_id) for what in ("escalated", "ended") for lead in leads
    }
