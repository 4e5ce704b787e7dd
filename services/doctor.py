"""`waypost doctor`: looks at everything an installation needs and says what is wrong and what to do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.console import Console

from services.lead_intake.geocoding.opening import try_geocoder
from services.lead_intake.postal_files import load_postal_codes
from services.lead_intake.settings import IntakeSettings, read_settings
from services.router.db import changes
from services.router.settings import RouterSettings
from services.router.settings import read_settings as read_router_settings
from services.router.travel.checking import check_travel
from shared.clock import Comparison, own_clock, since_boot_s, told
from shared.errors import UserError
from shared.kafka import check_topics
from shared.keys import load_keys
from shared.migrate import pending
from shared.postgres import CONNECT_TIMEOUT_S, PostgresUnavailable, acquire, clock_time, open_pool
from shared.settings import Settings

CHECK_TIMEOUT_S = 20.0
# A router looks every second, and one that decides many leads a little later.
OVERDUE_AFTER = timedelta(minutes=1)

Check = Callable[[IntakeSettings], Awaitable[list[str]]]


async def check_kafka(settings: Settings) -> list[str]:
    """Kafka answers, and has enough brokers to survive the loss of one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.require_kafka(), request_timeout_ms=5_000)
    try:
        await admin.start()
        await admin.describe_cluster()
    except (KafkaError, OSError) as error:
        return [
            f"Kafka at {settings.kafka} does not answer ({type(error).__name__}): start it, or correct WAYPOST_KAFKA"
        ]
    finally:
        await admin.close()
    return []


async def check_postgres(settings: Settings) -> list[str]:
    """PostgreSQL answers and is the primary."""
    connection = await asyncpg.connect(settings.require_postgres(), timeout=CONNECT_TIMEOUT_S)
    try:
        if await connection.fetchval("SELECT pg_is_in_recovery()"):
            return ["PostgreSQL is a replica: decisions are taken on the primary only; correct WAYPOST_POSTGRES"]
        version: int = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        return [] if version >= 160_000 else [f"PostgreSQL {version // 10_000} is too old: 16 or newer is needed"]
    finally:
        await connection.close()


async def check_migrations(settings: Settings) -> list[str]:
    """Every migration is applied."""
    waiting = await pending(settings.require_postgres())
    return [f"{len(waiting)} migrations are pending ({waiting[0]}, ...): run `waypost migrate`"] if waiting else []


async def check_clock(settings: Settings) -> list[str]:
    """Our clock and PostgreSQL's agree."""
    connection = await asyncpg.connect(settings.require_postgres(), timeout=CONNECT_TIMEOUT_S)
    try:
        asked_s = since_boot_s()
        theirs = await clock_time(connection)
        seen = Comparison(asked_s, since_boot_s(), theirs, own_clock())
    finally:
        await connection.close()
    return [told(seen.offset)] if seen.is_off else []


async def check_changes(settings: Settings) -> list[str]:
    """Approved changes take effect when their time comes."""
    if await pending(settings.require_postgres()):
        return []
    async with open_pool(settings, "router", max_size=1) as pool, acquire(pool) as connection:
        overdue = await changes.due(connection, await clock_time(connection) - OVERDUE_AFTER)
    if not overdue:
        return []
    numbers = ", ".join(map(str, overdue))
    return [f"the time of these approved changes has come and they are not in effect: {numbers}: does a router run?"]


async def check_keys(settings: Settings) -> list[str]:
    """The key file opens."""
    load_keys(settings.key_file)
    return []


async def check_postal_codes(settings: IntakeSettings) -> list[str]:
    """The operator's list of postal codes is good as a whole."""
    await asyncio.to_thread(load_postal_codes, settings.postal_codes)
    return []


CHECKS: dict[str, Check] = {
    "kafka": check_kafka,
    "topics": check_topics,
    "postgres": check_postgres,
    "migrations": check_migrations,
    "clock": check_clock,
    "changes": check_changes,
    "keys": check_keys,
}


def checks_of(intake: IntakeSettings, router: RouterSettings) -> dict[str, Check]:
    """What this installation needs: CHECKS, and one for each thing that it has switched on."""
    chosen = dict(CHECKS)
    if intake.postal_codes:
        chosen["postal codes"] = check_postal_codes
    if intake.geocoder:
        chosen["geocoder"] = try_geocoder
    if router.travel_url:
        chosen["travel times"] = lambda _: check_travel(router)
    return chosen


async def examine(settings: IntakeSettings, router: RouterSettings) -> dict[str, list[str]]:
    """Problems by check, in the order of `checks_of`; a check that cannot run is itself a problem."""
    return {name: await _run(check, settings) for name, check in checks_of(settings, router).items()}


async def _run(check: Check, settings: IntakeSettings) -> list[str]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check(settings)
    except UserError as error:
        return [error.message + (f": {error.hint}" if error.hint else "")]
    except TimeoutError:
        return ["no answer in time: is it reachable from here?"]
    except (KafkaError, OSError, PostgresUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [f"not usable ({type(error).__name__}): is it running, and is its address right?"]


def doctor() -> None:
    """Check Kafka, topics, PostgreSQL, clock, changes, keys and what is switched on; exit 1 when one is wrong."""
    console = Console(highlight=False, soft_wrap=True)
    found = asyncio.run(examine(read_settings(), read_router_settings()))
    for name, problems in found.items():
        console.print(f"[green]ok[/]     {name}" if not problems else f"[bold red]wrong[/]  {name}")
        for problem in problems:
            console.print(f"       {problem}", markup=False)
    raise typer.Exit(1 if any(found.values()) else 0)
