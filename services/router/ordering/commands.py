"""`waypost queue`, and what `waypost order` does once it knows the place."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter, ValidationError

from services.router.changes.commands import operator_key
from services.router.known_names import known_names
from services.router.ordering import printing
from services.router.ordering.orders import Given, Giver, Wish, give_order, outcome_of, try_order
from services.router.ordering.queue import Queue, read_queue
from services.router.settings import read_settings
from services.router.terminal import run
from services.router.travel.opening import open_travel_times
from shared.contracts import LeadDecided, WaitingReason
from shared.errors import UserError
from shared.personal import PublishableSlug
from shared.postgres import Pool, acquire, clock_time, present
from shared.terminal.output import Json, Output, print_json

_SLUG: TypeAdapter[str] = TypeAdapter(PublishableSlug)


def queue(
    reason: Annotated[WaitingReason | None, typer.Option(help="Only leads that wait for this reason.")] = None,
    limit: Annotated[int, typer.Option(help="How many leads to show.", min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """Show the leads that wait: why, how long, where, and when they are tried again. Those for a person come first."""

    async def work(pool: Pool) -> Queue:
        async with acquire(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            return await read_queue(connection, reason, limit, await clock_time(connection))

    found = run(work)
    if as_json:
        print_json(printing.queue_as_json(found))
    else:
        printing.print_queue(Output(), found)


def order_lead(
    lead_id: str,
    by: str | None,
    wish: Wish,
    *,
    epoch: int | None,
    wait_s: float,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Give the order, wait for what comes of it, and say so. Raises UserError when it cannot be given.

    With `dry_run` nothing is given, and it is said what would come of it.
    """
    try:
        wanted = UUID(lead_id)
    except ValueError as error:
        raise UserError(f"{lead_id!r} is no lead id", "an id has 36 characters, 8-4-4-4-12") from error
    _check(by, "--by", "write your short name: --by mei")
    _check(wish.site_id, "a site's id", "`waypost network show` lists the sites")

    giver, now = Giver(by, operator_key()), run(present)
    if dry_run:
        _try(wanted, giver, wish, epoch, now, as_json=as_json)
        return

    async def work(pool: Pool) -> tuple[Given, LeadDecided | None]:
        if wish.site_id is not None:
            (await known_names(pool)).require_site(wish.site_id)
        given = await give_order(pool, wanted, giver, wish, epoch=epoch, now=now)
        return given, await outcome_of(pool, given, wait_s)

    given, decided = run(work)
    if as_json:
        outcome = decided and decided.model_dump(mode="json", exclude_none=True)
        print_json({"order_id": str(given.fact_id), "decided": outcome})
    elif decided is not None:
        Output().print(printing.outcome_in_words(decided), markup=False, highlight=False, soft_wrap=True)
    elif wait_s == 0:
        Output().print("The order is on its way; `waypost lead ID` tells what comes of it.", highlight=False)
    if decided is None and wait_s > 0:
        raise UserError(
            f"the order is given, but no router has acted on it in {wait_s:g} s",
            "is one running? If the lead moved on meanwhile, the order came too late: `waypost lead ID` tells",
        )


def _try(lead_id: UUID, giver: Giver, wish: Wish, epoch: int | None, now: datetime, *, as_json: bool) -> None:
    async def work(pool: Pool) -> LeadDecided:
        async with open_travel_times(read_settings(), CollectorRegistry()) as times:
            return await try_order(pool, times, lead_id, giver, wish, epoch=epoch, now=now)

    expected = run(work)
    if as_json:
        print_json({"order_id": None, "expected": expected.model_dump(mode="json", exclude_none=True)})
    else:
        told = f"Nothing was ordered. If it were ordered now: {printing.outcome_in_words(expected)}"
        Output().print(told, markup=False, highlight=False, soft_wrap=True)


def _check(name: str | None, what: str, hint: str) -> None:
    try:
        _SLUG.validate_python("none" if name is None else name)
    except ValidationError as error:
        rule = "has 1 to 63 lower-case letters, digits, dashes and underscores, and is nobody's number"
        raise UserError(f"{what} {rule}", hint) from error
