"""`waypost endpoint`: where a site receives its assignments. A secret or key is printed once and can never be read.

`add` is in `services.endpoint_commands`, which also knows the network.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from uuid import UUID, uuid4

import asyncpg
import typer
from pydantic import TypeAdapter, ValidationError

from services.store_notifier import endpoints
from services.store_notifier.channels import webhook
from services.store_notifier.db import endpoints as rows
from services.store_notifier.db.endpoints import Owner
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind, Outcome
from services.store_notifier.endpoint_url import check_url
from services.store_notifier.settings import NotifierSettings, read_settings
from shared.errors import UserError
from shared.keys import load_keys
from shared.near_misses import did_you_mean
from shared.postgres import Pool, acquire, open_pool, present
from shared.terminal.output import Json, Output, print_json
from shared.terminal.table import print_table, table_of
from shared.vocabulary import Slug

T = TypeVar("T")
_SLUG = TypeAdapter(Slug)

endpoint_app = typer.Typer(
    help="Where sites receive their assignments, and partners hear of silent ones.", no_args_is_help=True
)

EndpointId = Annotated[UUID, typer.Argument(help="Id of the endpoint, from `waypost endpoint list`.")]


def owner_of(site: str | None, partner: str | None) -> Owner:
    """Whose endpoint it is, by what was typed. Raises UserError for what cannot be an id."""
    return Owner(None if site is None else _slug(site, "site"), None if partner is None else _slug(partner, "partner"))


def add_endpoint(owner: Owner, url: str | None, *, in_flight: int, as_json: bool) -> None:
    """Add a webhook, or without `url` the site's inbox, and print its secret or key: the only time it is shown.

    A site that has its inbox keeps it and its key: then it is said where the page is, and how to make a new key.
    """

    async def work(settings: NotifierSettings, pool: Pool) -> dict[str, str | None]:
        now = await present(pool)
        if url is None and owner.site_id is not None:
            try:
                key: str | None = await endpoints.add_inbox(pool, owner.site_id, os.urandom, now)
            except endpoints.HasInbox:
                key = None
            page = f"{settings.public_url}/inbox/{owner.site_id}"
            return {"endpoint_id": str(endpoints.inbox_endpoint_id(owner.site_id)), "key": key, "page": page}
        checked = await check_url(url or "", AddressGuard(settings.notifier_allow_networks))
        endpoint_id, sealing_key = uuid4(), load_keys(settings.key_file).endpoint_key
        secret = await endpoints.add_webhook(
            pool,
            endpoint_id,
            owner,
            checked,
            in_flight_cap=in_flight,
            key=sealing_key,
            random_bytes=os.urandom,
            now=now,
        )
        return {"endpoint_id": str(endpoint_id), "secret": secret}

    _show(_run(work), as_json=as_json)


@endpoint_app.command("list")
def list_(
    site: Annotated[str | None, typer.Option(help="Only this site's.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only this partner's.")] = None,
    as_json: Json = False,
) -> None:
    """List endpoints with what waits for them, what arrived and what failed."""

    async def work(_: NotifierSettings, pool: Pool) -> tuple[list[dict[str, object]], list[str]]:
        async with acquire(pool) as connection:
            every = [dict(row) for row in await rows.listed(connection, None)]
        owners = [str(row["site_id"] or row["partner"]) for row in every]
        return [row for row in every if site in (None, row["site_id"]) and partner in (None, row["partner"])], owners

    found, owners = _run(work)
    wanted = site or partner
    if wanted is not None and not found:
        raise UserError(f"{wanted} has no endpoint", did_you_mean(wanted, owners) or "`waypost endpoint list` has all")
    if as_json:
        print_json(found)
        return
    numbers = ("waiting", "delivered", "failed")
    table = table_of("", ("endpoint", "of", "kind", "address", "state"), numbers)
    for row in found:
        address = str(row["url"] or "live inbox")
        owner = str(row["site_id"] or f"partner {row['partner']}")
        counts = [str(row[name]) for name in numbers]
        table.add_row(str(row["endpoint_id"]), owner, str(row["kind"]), address, _state(row), *counts)
    print_table(Output(), table)


@endpoint_app.command()
def rotate(endpoint_id: EndpointId, as_json: Json = False) -> None:
    """Give an endpoint a new secret (the old one signs for 24 h more) or inbox key (the old one ends now)."""

    async def work(settings: NotifierSettings, pool: Pool) -> dict[str, str | None]:
        sealing_key = load_keys(settings.key_file).endpoint_key
        secret = await endpoints.rotate(
            pool, endpoint_id, key=sealing_key, random_bytes=os.urandom, now=await present(pool)
        )
        return {"endpoint_id": str(endpoint_id), "secret": secret}

    _show(_run(work), as_json=as_json)


@endpoint_app.command()
def disable(
    endpoint_id: EndpointId,
    reason: Annotated[str, typer.Option(help="Shown in `waypost endpoint list`.")] = "by an operator",
) -> None:
    """Send nothing to an endpoint and refuse its answers, until it is enabled."""
    _run(lambda _, pool: endpoints.disable(pool, endpoint_id, reason))
    typer.echo(f"disabled {endpoint_id}")


@endpoint_app.command()
def enable(endpoint_id: EndpointId) -> None:
    """Send to an endpoint again, from the next assignment on."""

    async def work(_: NotifierSettings, pool: Pool) -> None:
        await endpoints.enable(pool, endpoint_id, await present(pool))

    _run(work)
    typer.echo(f"enabled {endpoint_id}")


@endpoint_app.command()
def ping(endpoint_id: EndpointId) -> None:
    """Send a signed test event to a webhook and say what it answered; exit status 1 unless that was 2xx."""

    async def work(settings: NotifierSettings, pool: Pool) -> Outcome:
        async with acquire(pool) as connection:
            endpoint = await rows.find(connection, endpoint_id)
        if endpoint is None or endpoint["kind"] != "webhook":
            raise UserError(f"{endpoint_id} is no webhook", "see `waypost endpoint list`")
        now = await present(pool)
        secrets = endpoints.secrets_of(endpoint, load_keys(settings.key_file).endpoint_key, now)
        guard = AddressGuard(settings.notifier_allow_networks)
        async with webhook.open_session(guard, settings.notifier_request_timeout_s) as session:
            return await webhook.send(session, webhook.ping(endpoint_id, endpoint["url"], secrets, uuid4(), now), now)

    outcome = _run(work)
    typer.echo(f"{outcome.kind.value}: {outcome.detail}")
    if outcome.kind is not Kind.DELIVERED:
        raise typer.Exit(1)


@endpoint_app.command()
def attempts(
    endpoint_id: EndpointId,
    last: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """Show the newest attempts to reach a webhook, and how each ended."""

    async def work(_: NotifierSettings, pool: Pool) -> list[asyncpg.Record]:
        async with acquire(pool) as connection:
            if await rows.find(connection, endpoint_id) is None:
                raise UserError(f"there is no endpoint {endpoint_id}", "see `waypost endpoint list`")
            return await rows.latest_attempts(connection, endpoint_id, last)

    found = _run(work)
    if as_json:
        print_json({"attempts": [dict(row) for row in found]})
        return
    texts = ("lead", "at (UTC)", "event", "result", "what happened")
    table = table_of("", texts, ("epoch", "attempt", "took ms"))
    for row in found:
        at = row["attempted_at"].strftime("%Y-%m-%d %H:%M:%S")
        numbers = [str(row[name]) for name in ("epoch", "attempt", "took_ms")]
        table.add_row(str(row["lead_id"]), at, row["event"], str(row["result"]), row["detail"] or "", *numbers)
    print_table(Output(), table)


def _slug(text: str, whose: str) -> str:
    try:
        return _SLUG.validate_python(text)
    except ValidationError:
        raise UserError(
            f"the id of a {whose} has lower-case letters, digits, - and _ only", "see `waypost network show`"
        ) from None


def _state(row: dict[str, object]) -> str:
    if row["status"] == "disabled":
        return f"disabled: {row['disabled_reason']}"
    return f"failing ({row['failures']} in a row)" if row["failures"] else "active"


def _show(values: dict[str, str | None], *, as_json: bool) -> None:
    if as_json:
        print_json(values)
        return
    for name, value in values.items():
        if value is not None:
            typer.echo(f"{name.replace('_', ' '):<12} {value}")
    if None in values.values():
        typer.echo(
            "The site had its inbox, and its key stays as it is; "
            f"`waypost endpoint rotate {values['endpoint_id']}` makes a new one."
        )
    else:
        typer.echo("The secret or key is not shown again.")


def _run(work: Callable[[NotifierSettings, Pool], Awaitable[T]]) -> T:
    async def run() -> T:
        settings = read_settings()
        async with open_pool(settings, "store_notifier", max_size=2) as pool:
            return await work(settings, pool)

    return asyncio.run(run())
