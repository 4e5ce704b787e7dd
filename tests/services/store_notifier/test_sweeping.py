"""What the sweeper puts right."""

from datetime import timedelta
from random import Random

import asyncpg
import pytest

from services.store_notifier import sweeping
from services.store_notifier.db import assignments
from services.store_notifier.db.deliveries import DUE, FAILED
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.sweeping import Sweeper
from shared.contracts import Answer, LeadDecided, Result
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.looking import answered, settled, statuses
from tests.services.store_notifier.sending import Send, running, scheduler_of
from tests.services.store_notifier.serving import Client
from tests.services.store_notifier.setting_up import OTHER_SITE, SITE, Endpoint, add_webhook, handle
from tests.services.store_notifier.world import Lead, Store, now, until


async def test_a_delivery_that_nobody_could_answer_any_more_is_given_back(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    await add_webhook(pool, keys, "http://127.0.0.1:9/")
    lead = Lead()
    await handle(pool, lead.assigned(SITE, within=timedelta(seconds=-1)))
    await Sweeper(pool, settings, Random(1), now).sweep(now())
    assert await statuses(db) == {FAILED: 1}
    assert [a.answer for a in await answered(db)] == [Answer.UNDELIVERABLE]


async def test_an_endpoint_that_lost_its_wake_up_is_found(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    await add_webhook(pool, keys, "http://127.0.0.1:9/")
    await handle(pool, Lead().assigned(SITE))
    await db.execute("UPDATE endpoints SET next_at = NULL")
    await Sweeper(pool, settings, Random(1), now).sweep(now())
    assert await db.fetchval("SELECT next_at IS NOT NULL FROM endpoints")


async def test_what_is_old_is_forgotten_and_what_waits_is_not(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings, send: Send
) -> None:
    async with Store() as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, Lead().assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await until(lambda: settled(db))
    await handle(pool, Lead().assigned(SITE))
    later = now() + timedelta(days=settings.notifier_keep_days, seconds=1)
    await Sweeper(pool, settings, Random(1), now).forget(later)
    assert await statuses(db) == {DUE: 1}
    assert await db.fetchval("SELECT count(*) FROM attempts") == 0


ACCEPT, WON = {"answer": "accepted"}, {"answer": "outcome", "result": "won"}


async def forget_after(pool: Pool, settings: NotifierSettings, days: float) -> bool:
    """One round of forgetting, that many days from now."""
    return await Sweeper(pool, settings, Random(1), now).forget(now() + timedelta(days=days, seconds=1))


async def kept(db: Connection, lead: Lead) -> set[str]:
    """The tables that still know of the lead."""
    tables = ("assignments", "answers", "inbox_items", "contact_fetches", "vehicles")
    return {
        table
        for table in tables
        if await db.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE lead_id = $1)", lead.lead_id)
    }


async def won(pool: Pool, client: Client, endpoint: Endpoint) -> Lead:
    """A lead with everything: declined by one site, then accepted, its contact fetched, and won."""
    lead = Lead()
    await handle(pool, lead.assigned(OTHER_SITE))
    await handle(pool, lead.assigned(SITE))
    assert (await client.contact(endpoint, lead.lead_id, 2))[0] == 200
    assert (await client.answer(endpoint, lead.lead_id, 2, ACCEPT))[0] == 202
    await handle(pool, lead.accepted(SITE, 2))
    assert (await client.answer(endpoint, lead.lead_id, 2, WON))[0] == 202
    await handle(pool, lead.ended(SITE, 2, Result.WON))
    return lead


async def test_a_lead_that_is_over_is_forgotten_whole_and_not_a_day_too_soon(
    db: Connection, pool: Pool, settings: NotifierSettings, client: Client, endpoint: Endpoint
) -> None:
    lead = await won(pool, client, endpoint)
    await db.execute("INSERT INTO vehicles VALUES ($1, '{}', now())", lead.lead_id)
    everything = {"assignments", "answers", "inbox_items", "contact_fetches", "vehicles"}
    await forget_after(pool, settings, settings.notifier_keep_days - 1)
    assert await kept(db, lead) == everything
    await forget_after(pool, settings, settings.notifier_keep_days)
    assert await kept(db, lead) == set()


async def test_a_lead_that_was_joined_or_erased_is_over_too(
    db: Connection, pool: Pool, settings: NotifierSettings
) -> None:
    joined, erased, other = Lead(), Lead(), Lead()
    await handle(pool, joined.joined(other.lead_id))
    await handle(pool, erased.assigned(SITE))
    await handle(pool, erased.erased())
    await forget_after(pool, settings, settings.notifier_keep_days)
    assert await kept(db, joined) | await kept(db, erased) == set()


async def test_a_lead_that_waits_for_a_site_or_for_its_word_is_never_forgotten(
    db: Connection, pool: Pool, settings: NotifierSettings, client: Client, endpoint: Endpoint
) -> None:
    waiting, assigned = Lead(), Lead()
    await handle(pool, waiting.assigned(SITE))
    await handle(pool, waiting.waiting())
    await handle(pool, assigned.assigned(SITE))
    await forget_after(pool, settings, 10_000)
    assert await kept(db, waiting) == await kept(db, assigned) == {"assignments", "inbox_items"}
    assert (await client.answer(endpoint, assigned.lead_id, 1, ACCEPT))[0] == 202


async def test_an_outcome_may_come_long_after_the_lead_was_accepted(
    db: Connection, pool: Pool, settings: NotifierSettings, client: Client, endpoint: Endpoint
) -> None:
    lead = Lead()
    await handle(pool, lead.assigned(SITE))
    assert (await client.answer(endpoint, lead.lead_id, 1, ACCEPT))[0] == 202
    await handle(pool, lead.accepted(SITE, 1))
    await forget_after(pool, settings, settings.notifier_keep_held_days - 1)
    assert (await client.answer(endpoint, lead.lead_id, 1, WON))[0] == 202
    await forget_after(pool, settings, settings.notifier_keep_held_days)
    assert await kept(db, lead) == set()


async def test_an_answer_to_a_forgotten_assignment_is_refused_in_words_that_are_true(
    db: Connection, pool: Pool, settings: NotifierSettings, client: Client, endpoint: Endpoint
) -> None:
    lead = await won(pool, client, endpoint)
    await forget_after(pool, settings, settings.notifier_keep_days)
    facts = len(await answered(db))
    for status, problem in (
        await client.answer(endpoint, lead.lead_id, 2, WON),
        await client.contact(endpoint, lead.lead_id, 2),
        await client.state(endpoint, lead.lead_id, 2),
    ):
        assert (status, "no longer kept" in problem["detail"]) == (404, True)
    assert len(await answered(db)) == facts
    assert await kept(db, lead) == set()


async def test_decisions_read_again_after_the_forgetting_end_where_they_ended(
    db: Connection, pool: Pool, settings: NotifierSettings, client: Client, endpoint: Endpoint
) -> None:
    lead = Lead()
    decisions: list[LeadDecided] = [lead.assigned(SITE), lead.accepted(SITE, 1), lead.ended(SITE, 1, Result.LOST)]
    await handle(pool, *decisions)
    await forget_after(pool, settings, settings.notifier_keep_days)
    for decision in decisions:
        await handle(pool, decision)
    assert await db.fetchval("SELECT state FROM assignments") == "outcome"
    assert await db.fetchval("SELECT state FROM inbox_items") == "outcome"
    status, problem = await client.answer(endpoint, lead.lead_id, 1, ACCEPT)
    assert (status, problem["current"]["held_by_you"]) == (409, False)
    await forget_after(pool, settings, settings.notifier_keep_days)
    assert await kept(db, lead) == set()


async def test_much_is_forgotten_in_chunks_the_oldest_first(
    db: Connection, pool: Pool, settings: NotifierSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "ROWS", 2)
    leads = [Lead() for _ in range(5)]
    for lead in leads:
        await handle(pool, lead.joined(Lead().lead_id))
    left = []
    while await forget_after(pool, settings, settings.notifier_keep_days):
        left.append([lead for lead in leads if await kept(db, lead)])
    assert left == [leads[2:], leads[4:]]
    assert await db.fetchval("SELECT count(*) FROM assignments") == 0


async def test_a_lead_that_somebody_is_busy_with_is_left_for_another_time(
    db: Connection, pool: Pool, settings: NotifierSettings, migrated_dsn: str
) -> None:
    busy, idle = Lead(), Lead()
    for lead in (busy, idle):
        await handle(pool, lead.joined(Lead().lead_id))
    other = await asyncpg.connect(migrated_dsn)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM store_notifier.assignments WHERE lead_id = $1 FOR UPDATE", busy.lead_id)
            await forget_after(pool, settings, settings.notifier_keep_days)
            assert (await kept(db, busy), await kept(db, idle)) == ({"assignments"}, set())
    finally:
        await other.close()
    await forget_after(pool, settings, settings.notifier_keep_days)
    assert await kept(db, busy) == set()


async def test_what_is_over_is_found_without_reading_what_is_held(db: Connection) -> None:
    await db.execute(
        """INSERT INTO assignments (lead_id, epoch, decision_id, state, site_id, assignment_epoch, decided_at)
           SELECT gen_random_uuid(), 2, gen_random_uuid(), CASE n WHEN 20000 THEN 'outcome' ELSE 'accepted' END, $1, 1,
                  now() - interval '100 days' FROM generate_series(1, 20000) n""",
        SITE,
    )
    await db.execute("VACUUM ANALYZE assignments")
    before = await rows_read(db)
    assert len(await assignments.lock_over(db, now() - timedelta(days=90), 500)) == 1
    assert await assignments.lock_held_since(db, now() - timedelta(days=400), 500) == []
    assert await rows_read(db) - before < 10


async def rows_read(db: Connection) -> int:
    """Rows of assignments that this connection's statements have read so far, by an index or not."""
    await db.execute("SELECT pg_stat_force_next_flush()")
    await db.execute("SELECT pg_stat_clear_snapshot()")
    count: int = await db.fetchval(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_all_tables WHERE relid = 'assignments'::regclass"
    )
    return count
