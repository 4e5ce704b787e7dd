"""From decisions to rows, on a real PostgreSQL."""

import asyncpg
import pytest

from services.store_notifier import endpoints
from services.store_notifier.db.deliveries import DUE, VOID
from services.store_notifier.handlers import read, record_batch
from shared.contracts import (
    Answer,
    AttemptResult,
    Cause,
    Result,
)
from shared.kafka import Record
from shared.keys import Keys
from shared.postgres import Connection, Pool, transact
from tests.services.store_notifier.looking import answered, attempted
from tests.services.store_notifier.setting_up import NOWHERE, OTHER_SITE, SITE, add_webhook, handle
from tests.services.store_notifier.world import Lead, now, record_of


async def item_states(db: Connection, lead: Lead) -> list[tuple[int, str, str]]:
    rows = await db.fetch(
        "SELECT epoch, site_id, state FROM inbox_items WHERE lead_id = $1 ORDER BY epoch", lead.lead_id
    )
    return [(row["epoch"], row["site_id"], row["state"]) for row in rows]


async def test_an_assignment_is_due_at_every_active_webhook_of_its_site(db: Connection, pool: Pool, keys: Keys) -> None:
    first = await add_webhook(pool, keys, NOWHERE)
    second = await add_webhook(pool, keys, NOWHERE)
    await endpoints.disable(pool, (await add_webhook(pool, keys, NOWHERE)).endpoint_id, "test")
    await add_webhook(pool, keys, NOWHERE, OTHER_SITE)
    lead = Lead()

    await handle(pool, lead.assigned(SITE))

    rows = await db.fetch("SELECT endpoint_id, status FROM deliveries")
    assert {row["endpoint_id"] for row in rows} == {first.endpoint_id, second.endpoint_id}
    assert {row["status"] for row in rows} == {DUE}
    waiting = await db.fetch("SELECT endpoint_id FROM endpoints WHERE next_at IS NOT NULL")
    assert {row["endpoint_id"] for row in waiting} == {first.endpoint_id, second.endpoint_id}


async def test_the_same_records_again_change_nothing(db: Connection, pool: Pool, keys: Keys) -> None:
    await add_webhook(pool, keys, NOWHERE)
    lead = Lead()
    decisions = [lead.assigned(SITE), lead.assigned(OTHER_SITE)]
    await handle(pool, *decisions)
    tables = ("assignments", "deliveries", "inbox_items", "outbox", "answers")

    async def contents() -> list[list[asyncpg.Record]]:
        return [await db.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]

    before = await contents()
    await handle(pool, *decisions)
    await handle(pool, decisions[0])
    assert await contents() == before


async def test_a_newer_decision_voids_what_still_waits_and_says_so(db: Connection, pool: Pool, keys: Keys) -> None:
    await add_webhook(pool, keys, NOWHERE)
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    await handle(pool, lead.assigned(OTHER_SITE, cause=Cause.SILENT))

    assert await db.fetchval("SELECT status FROM deliveries WHERE epoch = 1") == VOID
    (void,) = [fact for fact in await attempted(db) if fact.channel == "webhook"]
    assert (void.result, void.epoch, void.attempt) == (AttemptResult.VOID, 1, 1)
    assert await item_states(db, lead) == [(1, SITE, "moved_on"), (2, OTHER_SITE, "open")]


async def test_a_lead_that_moved_on_within_one_batch_is_never_sent_to_its_first_site(
    db: Connection, pool: Pool, keys: Keys
) -> None:
    await add_webhook(pool, keys, NOWHERE)
    lead = Lead()
    await handle(pool, lead.assigned(SITE), lead.assigned(OTHER_SITE))

    assert await db.fetchval("SELECT status FROM deliveries WHERE epoch = 1") == VOID
    assert await item_states(db, lead) == [(1, SITE, "declined"), (2, OTHER_SITE, "open")]
    assert [(f.epoch, f.channel, f.result) for f in await attempted(db)] == [
        (1, "webhook", AttemptResult.VOID),
        (2, "inbox", AttemptResult.DELIVERED),
    ]


async def test_records_of_one_lead_in_the_wrong_order_end_in_the_newest_state(db: Connection, pool: Pool) -> None:
    lead = Lead()
    first, second = lead.assigned(SITE), lead.assigned(OTHER_SITE)
    await handle(pool, second)
    await handle(pool, first)
    assert await db.fetchval("SELECT epoch FROM assignments") == 2
    assert await db.fetchval("SELECT site_id FROM assignments") == OTHER_SITE


async def test_an_accepted_lead_and_its_outcome_show_in_the_inbox(db: Connection, pool: Pool) -> None:
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    await handle(pool, lead.accepted(SITE, 1))
    assert await item_states(db, lead) == [(1, SITE, "accepted")]
    await handle(pool, lead.ended(SITE, 1, Result.WON))
    assert await item_states(db, lead) == [(1, SITE, "outcome")]
    assert await db.fetchval("SELECT result FROM inbox_items") == "won"


async def test_an_erased_lead_is_closed_in_the_inbox(db: Connection, pool: Pool) -> None:
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    await handle(pool, lead.erased())
    assert await item_states(db, lead) == [(1, SITE, "erased")]


async def test_a_site_that_never_got_an_endpoint_is_told_by_its_inbox(db: Connection, pool: Pool) -> None:
    await handle(pool, Lead().assigned(SITE))
    (told,) = await attempted(db)
    assert (told.channel, told.result, told.site_id) == ("inbox", AttemptResult.DELIVERED, SITE)
    assert told.endpoint_id == endpoints.inbox_endpoint_id(SITE)
    assert await answered(db) == []


async def test_a_site_whose_every_endpoint_is_disabled_is_undeliverable_at_once(
    db: Connection, pool: Pool, keys: Keys
) -> None:
    await endpoints.disable(pool, (await add_webhook(pool, keys, NOWHERE)).endpoint_id, "test")
    lead = Lead()
    decision = lead.assigned(SITE)
    await handle(pool, decision)
    await handle(pool, decision)
    (answer,) = await answered(db)
    assert (answer.answer, answer.via, answer.lead_id, answer.epoch, answer.site_id) == (
        Answer.UNDELIVERABLE,
        "notifier",
        lead.lead_id,
        1,
        SITE,
    )


async def test_every_inbox_change_of_a_site_has_a_number_of_its_own_in_the_order_of_the_commits(
    db: Connection, pool: Pool
) -> None:
    leads = [Lead() for _ in range(5)]
    await handle(pool, *(lead.assigned(SITE) for lead in leads))
    seqs = {row["lead_id"]: row["seq"] for row in await db.fetch("SELECT lead_id, seq FROM inbox_items")}
    assert sorted(seqs.values()) == [1, 2, 3, 4, 5]

    await handle(pool, leads[2].accepted(SITE, 1))
    changed = {row["lead_id"]: row["seq"] for row in await db.fetch("SELECT lead_id, seq FROM inbox_items")}
    assert changed == seqs | {leads[2].lead_id: 6}
    assert await db.fetchval("SELECT last_seq FROM inbox_sequences") == 6


@pytest.mark.parametrize(
    "value", [b"", b"{", b"\xff\xfe", b'{"specversion": "1.0"}', b"null", b"x" * 1_000_000], ids=len
)
async def test_a_record_that_is_no_fact_is_dead_without_being_quoted(pool: Pool, value: bytes) -> None:
    good = record_of(Lead().assigned(SITE))
    batch = read([Record(good.topic, 0, 7, b"key", value, 0), good])
    ((record, reason),) = batch.dead
    assert record.offset == 7
    assert "x" * 20 not in reason
    assert await transact(pool, lambda connection: record_batch(connection, batch, now())) == {
        "leads_moved": 1,
        "assigned": 1,
        "deliveries": 0,
        "voided": 0,
        "revoked": 0,
        "escalations_ended": 0,
    }
