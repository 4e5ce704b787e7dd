"""`waypost audit replay|count|verify` and `waypost lead`. Exit status: 0 clean, 1 not clean, 2 could not run.

With the ledger still behind Kafka, what looks missing may be on its way: then a window that is not clean is status 2.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

import typer

from services.audit import machine, printing
from services.audit.count import CountReport
from services.audit.count import count as count_window
from services.audit.db.deciding import count_published
from services.audit.db.reader import Window, open_reader
from services.audit.domain.judgement import causing_topic
from services.audit.domain.report import ReplayReport, VerifyReport
from services.audit.freshness import Patience, records_behind
from services.audit.journey import journey_of
from services.audit.moments import window_of
from services.audit.replay_jobs import replay_window
from services.audit.settings import AuditSettings, read_settings
from services.audit.verify import verify as verify_ledger
from shared.errors import UserError
from shared.postgres import clock_time
from shared.terminal.output import Json, Output, print_json, progress

T = TypeVar("T")
CLEAN, NOT_CLEAN, COULD_NOT_RUN = 0, 1, 2

audit_app = typer.Typer(help="Prove what happened: decide again, count, verify the ledger.", no_args_is_help=True)

Since = Annotated[str | None, typer.Option("--from", help="2h, 2026-03-01 or an ISO time; default: everything.")]
Until = Annotated[str | None, typer.Option("--to", help="As --from; default: now.")]
Jobs = Annotated[int, typer.Option(help="Processes that share the work; 0 takes what the machine has.", min=0, max=256)]
Wait = Annotated[float, typer.Option(help="Seconds to wait for what is still under way.", min=0)]


@audit_app.command()
def replay(
    since: Since = None,
    until: Until = None,
    topic: Annotated[
        str | None, typer.Option(help="Only decisions caused by this topic: leads.received, .answered, .due.")
    ] = None,
    wait: Wait = 30,
    jobs: Annotated[
        int, typer.Option(help="Processes that share the work; 0 takes what the machine has.", min=0, max=256)
    ] = 0,
    json: Json = False,
) -> None:
    """Decide every decision of the window again and compare byte for byte."""

    async def run(settings: AuditSettings) -> tuple[ReplayReport, Window, int | None]:
        caused_by = causing_topic(topic)
        async with open_reader(settings) as connection:
            window = window_of(since, until, await clock_time(connection))
            behind = await records_behind(settings, connection, Patience(wait))
            total = await count_published(connection, window)
        with progress("deciding again", total, quiet=json) as advance:
            began = time.monotonic()
            report = await replay_window(
                settings, window, topic=caused_by, total=total, jobs=jobs, wait_s=wait, on_progress=advance
            )
            report.seconds = time.monotonic() - began
        return report, window, behind

    report, window, behind = _run(run)
    if json:
        print_json(machine.replay_object(report, window, behind))
    else:
        printing.print_replay(Output(), report, window, behind)
    _exit(report.clean, behind)


@audit_app.command()
def count(since: Since = None, until: Until = None, wait: Wait = 30, json: Json = False) -> None:
    """Prove that no lead of the window is missing, and name those that are."""

    async def run(settings: AuditSettings) -> CountReport:
        async with open_reader(settings) as connection:
            window = window_of(since, until, await clock_time(connection))
            with progress("counting", quiet=json) as advance:
                return await count_window(settings, connection, window, Patience(wait), advance)

    report = _run(run)
    if json:
        print_json(machine.count_object(report))
    else:
        printing.print_count(Output(), report)
    _exit(report.clean, report.behind)


@audit_app.command()
def verify(json: Json = False) -> None:
    """Compute every hash chain of the ledger again and name the first record that was touched."""

    async def run(settings: AuditSettings) -> VerifyReport:
        async with open_reader(settings) as connection:
            with progress("verifying", quiet=json) as advance:
                return await verify_ledger(connection, advance)

    report = _run(run)
    if json:
        print_json(machine.verify_object(report))
    else:
        printing.print_verify(Output(), report)
    _exit(report.clean, 0)


def lead(lead_id: Annotated[str, typer.Argument(help="The lead's id.", metavar="ID")], json: Json = False) -> None:
    """Tell the journey of one lead: who got it, why, and what became of it."""

    async def run(settings: AuditSettings) -> None:
        try:
            wanted = UUID(lead_id)
        except ValueError as error:
            raise UserError(f"{lead_id!r} is no lead id", "an id has 36 characters, 8-4-4-4-12") from error
        async with open_reader(settings) as connection:
            journey = await journey_of(connection, wanted, await clock_time(connection))
        if json:
            print_json(journey)
        else:
            printing.print_journey(Output(), journey)

    _run(run)


def _run(work: Callable[[AuditSettings], Awaitable[T]]) -> T:
    # Its log would tell of each broker that does not answer; the command says it once, in words.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return asyncio.run(_with_settings(work))


async def _with_settings(work: Callable[[AuditSettings], Awaitable[T]]) -> T:
    return await work(read_settings())


def _exit(clean: bool, behind: int | None) -> NoReturn:
    raise typer.Exit(CLEAN if clean else COULD_NOT_RUN if behind else NOT_CLEAN)
