"""A partner that was told of a silence is told how it ended: once, after that, and whatever the end is."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook as Verifier

from services.store_notifier import endpoints
from services.store_notifier.db.deliveries import VOID
from services.store_notifier.handlers import read, record_batch
from services.store_notifier.metrics import Metrics
from services.store_notifier.reminding import Reminders
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.sweeping import Sweeper
from shared.contracts import Cause, LeadAssigned, LeadDecided, Result
from shared.keys import Keys
from shared.postgres import Connection, Pool, transact
from tests.services.store_notifier.looking import attempted, settled
from tests.services.store_notifier.sending import Send, claim, running, saying, scheduler_of
from tests.services.store_notifier.setting_up import (
    NOWHERE,
    OTHER_SITE,
    PARTNER,
    SITE,
    Endpoint,
    add_partner,
    add_webhook,
    handle,
)
from tests.services.store_notifier.world import Lead, Received, Store, now, record_of, until

DUE_NOW = timedelta(0)
Then = Callable[[Lead], list[LeadDecided]]


def silent(lead: Lead, site_id: str = SITE, partner: str = PARTNER) -> LeadAssigned:
    """The lead goes to the site, whose silence is to be told at once."""
    return lead.assigned(site_id, escalate_in=DUE_NOW, partner=partner)


async def escalate(pool: Pool, *decisions: LeadDecided) -> None:
    """Record the decisions, and look whose partners are to be told."""
    await handle(pool, *decisions)
    await Reminders(pool, Metrics(CollectorRegistry()), now).look(now())


async def ends(db: Connection) -> list[tuple[int, str]]:
    """Epochs and reasons of the ends that partners were told of, in their order."""
    rows = await db.fetch(
        "SELECT epoch, reason FROM deliveries WHERE event = 'escalation_ended' AND status <> $1 ORDER BY epoch", VOID
    )
    return [(row["epoch"], row["reason"]) for row in rows]


async def test_a_partner_that_heard_of_a_silence_hears_that_the_site_accepted(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead = Lead()
    async with Store() as manager, Store() as store:
        endpoint = await add_partner(pool, keys, manager.url)
        await add_webhook(pool, keys, store.url)
        await escalate(pool, silent(lead))
        async with running(scheduler_of(pool, send)):
            await manager.wait_for(1)
            await until(lambda: settled(db))
            accepted = lead.accepted(SITE, 1)
            await handle(pool, accepted)
            await handle(pool, accepted)
            await handle(pool, lead.ended(SITE, 1, Result.WON))
            await manager.wait_for(2)
            await until(lambda: settled(db))
    escalated, ended = manager.received
    event = Verifier(endpoint.secret).verify(ended.body, ended.headers)
    assert event["type"] == "waypost.escalation.ended.v1"
    assert event["id"] == ended.id != escalated.id
    assert event["time"] == accepted.decided_at.isoformat().replace("+00:00", "Z")
    assert event["data"] == {"assignment": escalated.event["data"]["assignment"], "reason": "accepted"}
    assert [r.what for r in store.received] == ["created"]
    facts = [f for f in await attempted(db) if f.event]
    assert [(f.event, f.endpoint_id, f.result) for f in facts] == [
        ("escalated", endpoint.endpoint_id, "delivered"),
        ("escalation_ended", endpoint.endpoint_id, "delivered"),
    ]


@pytest.mark.parametrize(
    ("then", "at_once", "one_by_one"),
    [
        (lambda lead: [lead.accepted(SITE, 1)], "accepted", "accepted"),
        (lambda lead: [lead.accepted(SITE, 1), lead.assigned(OTHER_SITE, cause=Cause.ORDERED)], "accepted", "accepted"),
        (lambda lead: [lead.accepted(SITE, 1), lead.erased()], "erased", "accepted"),
        (lambda lead: [lead.assigned(OTHER_SITE, cause=Cause.DECLINED)], "declined", "declined"),
        (lambda lead: [lead.waiting(Cause.SILENT)], "silent", "silent"),
        (lambda lead: [lead.waiting(Cause.SILENT), lead.assigned(SITE, cause=Cause.RETRIED)], "silent", "silent"),
        (lambda lead: [lead.assigned(OTHER_SITE, cause=Cause.UNDELIVERABLE)], "undeliverable", "undeliverable"),
        (lambda lead: [lead.assigned(OTHER_SITE, cause=Cause.ORDERED)], "moved", "moved"),
        (lambda lead: [lead.ended(SITE, 1, Result.INVALID, cause=Cause.ORDERED)], "closed", "closed"),
        (lambda lead: [lead.erased()], "erased", "erased"),
    ],
    ids=["accepted", "accepted-moved", "accepted-erased", "declined", "silent", "silent-again", "undeliverable",
         "moved", "closed", "erased"],
)  # fmt: skip
@pytest.mark.parametrize("in_one_batch", [True, False], ids=["one-batch", "one-by-one"])
async def test_every_end_is_told_once_with_its_reason(
    db: Connection, pool: Pool, keys: Keys, then: Then, at_once: str, one_by_one: str, *, in_one_batch: bool
) -> None:
    endpoint = await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await escalate(pool, silent(lead))
    await claim(pool, endpoint.endpoint_id)
    decisions = then(lead)
    for batch in [decisions] if in_one_batch else [[decision] for decision in decisions]:
        await handle(pool, *batch)
    await handle(pool, *decisions)

    assert await ends(db) == [(1, at_once if in_one_batch else one_by_one)]


async def test_each_silence_of_a_lead_has_an_end_of_its_own(db: Connection, pool: Pool, keys: Keys) -> None:
    endpoint = await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await escalate(pool, silent(lead))
    await claim(pool, endpoint.endpoint_id)
    await escalate(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT, escalate_in=DUE_NOW, partner=PARTNER))
    assert await ends(db) == [(1, "silent")]
    await claim(pool, endpoint.endpoint_id)
    await handle(pool, lead.accepted(OTHER_SITE, 2))

    assert await ends(db) == [(1, "silent"), (2, "accepted")]


async def test_who_was_told_of_no_silence_is_told_of_no_end(db: Connection, pool: Pool, keys: Keys) -> None:
    async def sent_to(endpoint: Endpoint) -> None:
        assert {row["endpoint_id"] for row in await claim(pool, endpoint.endpoint_id)} == {endpoint.endpoint_id}

    told = await add_partner(pool, keys, NOWHERE)
    in_time, escalated, not_sent = Lead(), Lead(), Lead()
    await escalate(pool, in_time.assigned(SITE, partner=PARTNER), silent(escalated))
    await sent_to(told)
    await add_partner(pool, keys, NOWHERE)  # after the silence
    await add_partner(pool, keys, NOWHERE, "others")
    await escalate(pool, silent(not_sent, OTHER_SITE, "others"))
    for lead in (in_time, escalated):
        await handle(pool, lead.accepted(SITE, 1))
    await handle(pool, not_sent.accepted(OTHER_SITE, 1))

    rows = await db.fetch("SELECT endpoint_id, lead_id FROM deliveries WHERE event = 'escalation_ended'")
    assert [tuple(row) for row in rows] == [(told.endpoint_id, escalated.lead_id)]


async def test_an_endpoint_that_is_off_by_then_is_not_told(db: Connection, pool: Pool, keys: Keys) -> None:
    endpoint = await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await escalate(pool, silent(lead))
    await claim(pool, endpoint.endpoint_id)
    await endpoints.disable(pool, endpoint.endpoint_id, "test")
    await handle(pool, lead.accepted(SITE, 1))

    assert await ends(db) == []


async def test_an_end_that_was_not_committed_is_told_when_its_decision_comes_again(
    db: Connection, pool: Pool, keys: Keys
) -> None:
    class CrashError(Exception):
        pass

    endpoint = await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await escalate(pool, silent(lead))
    await claim(pool, endpoint.endpoint_id)
    accepted = lead.accepted(SITE, 1)

    async def crash(connection: Connection) -> None:
        counts = await record_batch(connection, read([record_of(accepted)]), now())
        assert counts["escalations_ended"] == 1
        raise CrashError

    with pytest.raises(CrashError):
        await transact(pool, crash)
    assert await ends(db) == []
    await handle(pool, accepted)
    await handle(pool, accepted)
    assert await ends(db) == [(1, "accepted")]


async def test_an_end_whose_sender_vanished_is_told_again_under_the_same_id(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    endpoint = await add_partner(pool, keys, NOWHERE)
    lead = Lead()
    await escalate(pool, silent(lead))
    await claim(pool, endpoint.endpoint_id)
    await Sweeper(pool, settings, Random(1), now).sweep(now() + timedelta(seconds=21))
    await handle(pool, lead.erased())
    [lost] = await claim(pool, endpoint.endpoint_id)
    await Sweeper(pool, settings, Random(1), now).sweep(now() + timedelta(seconds=21))
    await db.execute("UPDATE deliveries SET next_at = now()")
    await db.execute("UPDATE endpoints SET next_at = now()")
    [again] = await claim(pool, endpoint.endpoint_id)

    assert (again["event"], again["reason"], again["attempt"]) == ("escalation_ended", "erased", 2)
    assert again["delivery_id"] == lost["delivery_id"]


async def test_a_partner_hears_of_the_end_after_the_silence_that_it_is_just_being_told_of(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead, over, answered = Lead(), asyncio.Event(), asyncio.Event()

    async def take_it_slowly(_: web.Request, received: Received) -> web.StreamResponse:
        if received.what == "escalated":
            await over.wait()
            answered.set()
            return web.Response(status=503)
        assert answered.is_set()
        return web.Response(status=204)

    async with Store(take_it_slowly) as manager:
        await add_partner(pool, keys, manager.url)
        await escalate(pool, silent(lead))
        # Far longer than the test waits: the end of the request lets it go, not that of its lease.
        async with running(scheduler_of(pool, send, lease_s=600)):
            await manager.wait_for(1)
            await handle(pool, lead.accepted(SITE, 1))
            await until(lambda: db.fetchval("SELECT status = 0 FROM deliveries WHERE event = 'escalation_ended'"))
            over.set()
            await until(lambda: settled(db))
    assert [r.what for r in manager.received] == ["escalated", "ended"]


async def test_that_a_person_was_erased_is_told_until_it_is_heard(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead = Lead()
    async with Store(saying(204, 503, 204)) as manager:
        await add_partner(pool, keys, manager.url)
        await escalate(pool, silent(lead))
        async with running(scheduler_of(pool, send)):
            await manager.wait_for(1)
            await until(lambda: settled(db))
            await handle(pool, lead.erased())
            await manager.wait_for(3)
            await until(lambda: settled(db))
    assert [r.event["data"].get("reason") for r in manager.received] == [None, "erased", "erased"]
    assert len({r.id for r in manager.received}) == 2
