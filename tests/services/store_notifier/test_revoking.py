"""A site that lost a lead without having said so is told, once, after whatever it was told before."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from aiohttp import web

from shared.contracts import Cause, LeadDecided, Result
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.looking import attempted, settled
from tests.services.store_notifier.sending import Send, claim, running, saying, scheduler_of
from tests.services.store_notifier.setting_up import NOWHERE, OTHER_SITE, SITE, add_webhook, handle
from tests.services.store_notifier.world import Lead, Received, Store, until


async def revoked(db: Connection) -> list[str]:
    """Why sites were told of a loss, one per telling."""
    return [row["reason"] for row in await db.fetch("SELECT reason FROM deliveries WHERE event = 'revoked'")]


async def test_a_site_that_was_silent_is_told_that_the_lead_went_on(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead = Lead()
    async with Store() as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, lead.assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await store.wait_for(1)
            await until(lambda: settled(db))
            moved = lead.assigned(OTHER_SITE, cause=Cause.SILENT)
            await handle(pool, moved)
            await handle(pool, moved)
            await store.wait_for(2)
            await until(lambda: settled(db))
    created, told = store.received
    assert told.event["type"] == "waypost.assignment.revoked.v1"
    assert told.event["id"] == told.id != created.id
    assert told.event["time"] == moved.decided_at.isoformat().replace("+00:00", "Z")
    assert told.event["data"] == {
        "assignment": {
            "lead_id": str(lead.lead_id),
            "epoch": 1,
            "site_id": SITE,
            "intent": "test_drive",
            "distance_m": 1234,
        },
        "reason": "silent",
    }
    assert OTHER_SITE not in told.body.decode()
    assert [(f.event, f.result, f.epoch) for f in await attempted(db) if f.event] == [("revoked", "delivered", 1)]


def moved_after_acceptance(lead: Lead) -> list[LeadDecided]:
    return [lead.accepted(SITE, 1), lead.assigned(OTHER_SITE, cause=Cause.ORDERED)]


@pytest.mark.parametrize(
    ("then", "reasons"),
    [
        (lambda lead: [lead.assigned(OTHER_SITE, cause=Cause.DECLINED)], []),
        (lambda lead: [lead.accepted(SITE, 1)], []),
        (lambda lead: [lead.accepted(SITE, 1), lead.ended(SITE, 1, Result.WON)], []),
        (lambda lead: [lead.assigned(OTHER_SITE, cause=Cause.UNDELIVERABLE)], ["undeliverable"]),
        (lambda lead: [lead.waiting(Cause.SILENT)], ["silent"]),
        (lambda lead: [lead.erased()], ["erased"]),
        (lambda lead: [lead.accepted(SITE, 1), lead.erased()], ["erased"]),
        (moved_after_acceptance, ["moved"]),
        (lambda lead: [lead.assigned(OTHER_SITE, cause=Cause.ORDERED)], ["moved"]),
        (lambda lead: [lead.waiting(Cause.ORDERED)], ["moved"]),
        (lambda lead: [lead.ended(SITE, 1, Result.INVALID, cause=Cause.ORDERED)], ["closed"]),
    ],
    ids=["declined", "accepted", "won", "undeliverable", "silent", "erased", "accepted-erased", "accepted-moved",
         "moved", "held-back", "closed"],
)  # fmt: skip
@pytest.mark.parametrize("at_once", [True, False], ids=["one-batch", "one-by-one"])
async def test_only_what_a_site_does_not_know_by_itself_is_told(
    db: Connection,
    pool: Pool,
    keys: Keys,
    then: Callable[[Lead], list[LeadDecided]],
    reasons: list[str],
    *,
    at_once: bool,
) -> None:
    endpoint = await add_webhook(pool, keys, NOWHERE)
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    await claim(pool, endpoint.endpoint_id)
    decisions = then(lead)
    for batch in [decisions] if at_once else [[decision] for decision in decisions]:
        await handle(pool, *batch)

    assert await revoked(db) == reasons


async def test_a_site_that_was_never_told_of_a_lead_is_not_told_of_its_loss(
    db: Connection, pool: Pool, keys: Keys
) -> None:
    await add_webhook(pool, keys, NOWHERE)
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    await handle(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT))

    assert await revoked(db) == []


async def test_the_end_is_told_after_the_beginning_that_is_under_way(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead, moved, answered = Lead(), asyncio.Event(), asyncio.Event()

    async def take_it_slowly(_: web.Request, received: Received) -> web.StreamResponse:
        if received.what == "created":
            await moved.wait()
            answered.set()
        else:
            assert answered.is_set()
        return web.Response(status=204)

    async with Store(take_it_slowly) as store:
        await add_webhook(pool, keys, store.url, cap=8)
        await handle(pool, lead.assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await store.wait_for(1)
            await handle(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT))
            # Something else of the same site goes ahead meanwhile.
            await handle(pool, Lead().assigned(SITE, within=timedelta(hours=3)))
            await until(lambda: db.fetchval("SELECT status = 0 FROM deliveries WHERE event = 'revoked'"))
            moved.set()
            await until(lambda: settled(db))
    assert [r.what for r in store.received if r.lead_id == lead.lead_id] == ["created", "revoked"]


async def test_a_loss_is_told_again_until_it_is_heard_although_the_lead_is_elsewhere(
    db: Connection, pool: Pool, keys: Keys, send: Send
) -> None:
    lead = Lead()
    async with Store(saying(204, 503, 204)) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, lead.assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await store.wait_for(1)
            await until(lambda: settled(db))
            await handle(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT))
            await handle(pool, lead.accepted(OTHER_SITE, 2))
            await store.wait_for(3)
            await until(lambda: settled(db))
    assert [r.what for r in store.received] == ["created", "revoked", "revoked"]
    assert len({r.id for r in store.received}) == 2
