"""What the sweeper puts right."""

from datetime import timedelta
from random import Random

from services.store_notifier.db.deliveries import DUE, FAILED
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.sweeping import Sweeper
from shared.contracts import Answer
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.looking import answered, settled, statuses
from tests.services.store_notifier.sending import Send, running, scheduler_of
from tests.services.store_notifier.setting_up import SITE, add_webhook, handle
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
