"""`waypost doctor`: looks at everything an installation needs and says what is wrong and what to do."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Annotated

import asyncpg
import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.console import Console

from services import system_state
from services.lead_intake.geocoding.opening import try_geocoder
from services.lead_intake.postal_files import load_postal_codes
from services.lead_intake.repeated_ids import check_source_ids
from services.lead_intake.settings import IntakeSettings, read_settings
from services.router.db import changes
from services.router.settings import RouterSettings
from services.router.settings import read_settings as read_router_settings
from services.router.travel.checking import check_travel
from services.store_notifier.settings import read_settings as read_notifier_settings
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
    """This machine's clock and PostgreSQL's agree; each service says the same of its own in its readiness."""
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
    "source ids": check_source_ids,
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


async def examine(
    settings: IntakeSettings, router: RouterSettings, since: timedelta = timedelta(days=1)
) -> dict[str, system_state.Finding]:
    """What was found by check, in the order of `checks_of`, then of the running system; a check that cannot run is
    itself a problem. All look at the same time, so the slowest decides how long it takes."""
    notifier = read_notifier_settings()
    looks: dict[str, Callable[[], Awaitable[system_state.Finding]]] = {
        name: partial(_problems, check, settings) for name, check in checks_of(settings, router).items()
    }
    looks["services"] = partial(system_state.services, settings, router, notifier)
    looks["lag"] = partial(system_state.lag, settings, router, notifier)
    looks["dead letters"] = partial(system_state.dead_letters, settings, since)
    found = await asyncio.gather(*map(_run, looks.values()))
    return dict(zip(looks, found, strict=True))


async def _problems(check: Check, settings: IntakeSettings) -> system_state.Finding:
    return system_state.Finding(await check(settings))


async def _run(look: Callable[[], Awaitable[system_state.Finding]]) -> system_state.Finding:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await look()
    except UserError as error:
        return system_state.Finding([error.message + (f": {error.hint}" if error.hint else "")])
    except TimeoutError:
        return system_state.Finding(["no answer in time: is it reachable from here?"])
    except (KafkaError, OSError, PostgresUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return system_state.Finding([f"not usable ({type(error).__name__}): is it running, and is its address right?"])


_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def span_of(text: str) -> timedelta:
    """`90m`, `6h`, `1d`. Raises UserError."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise UserError(f"{text!r} is no span of time", "write 90m, 6h or 1d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def doctor(
    dead_since: Annotated[
        str, typer.Option("--dead-since", help="How far back to look for dead letters: 90m, 6h, 1d.")
    ] = "1d",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Check Kafka, topics, PostgreSQL, clock, every service, lag and dead letters; exit 1 when something is wrong."""
    since = span_of(dead_since)
    # Its log would tell of each broker that does not answer; the command says it once, in words.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    found = asyncio.run(examine(read_settings(), read_router_settings(), since))
    if as_json:
        checks = {name: {"ok": not one.problems, **one.as_json()} for name, one in found.items()}
        typer.echo(json.dumps({"ok": not any(one.problems for one in found.values()), "checks": checks}, indent=2))
    else:
        _print(found)
    raise typer.Exit(1 if any(one.problems for one in found.values()) else 0)


def _print(found: dict[str, system_state.Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for name, one in found.items():
        console.print(f"[green]ok[/]     {name}" if not one.problems else f"[bold red]wrong[/]  {name}")
        for line in [*one.problems, *one.notes]:
            console.print(f"       {line}", markup=False)
