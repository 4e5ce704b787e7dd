"""`waypost endpoint`: where a site receives its assignments. A secret or key is printed once and can never be read."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from uuid import UUID, uuid4

import asyncpg
import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from services.store_notifier import endpoints
from services.store_notifier.channels import webhook
from services.store_notifier.db import endpoints as rows
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind, Outcome
from services.store_notifier.endpoint_url import check_url
from services.store_notifier.settings import NotifierSettings, read_settings
from shared.errors import UserError
from shared.keys import load_keys
from shared.postgres import Pool, PostgresUnavailable, acquire, open_pool, present
from shared.vocabulary import Slug

T = TypeVar("T")
_SLUG = TypeAdapter(Slug)

endpoint_app = typer.Typer(
    help="Where sites receive their assignments, and partners hear of silent ones.", no_args_is_help=True
)

EndpointId = Annotated[UUID, typer.Argument(help="Id of the endpoint, from `waypost endpoint list`.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


@endpoint_app.command()
def add(
    site: Annotated[str | None, typer.Option(help="Id of the site.")] = None,
    partner: Annotated[
        str | None, typer.Option(help="Instead of a site: who runs sites, and is told when one does not answer.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Address of the system that takes signed webhooks.")] = None,
    inbox: Annotated[bool, typer.Option("--inbox", help="Give the site a key for its live inbox page.")] = False,
    in_flight: Annotated[
        int, typer.Option(help="Requests to the webhook under way at once, at most.", min=1, max=64)
    ] = 2,
    as_json: Json = False,
) -> None:
    """Add a webhook or the live inbox, and print its secret or key: the only time it is shown."""
    if (site is None) == (partner is None):
        raise UserError("an endpoint belongs to one site, or to a partner", "give --site or --partner")
    if partner is not None and inbox:
        raise UserError("a partner has no inbox page", "give --url, or add the inbox to each --site")
    if (url is None) == (not inbox):
        raise UserError("an endpoint is either a webhook or the inbox", "give --url or --inbox")
    owner = rows.Owner(site and _slug(site, "site"), partner and _slug(partner, "partner"))

    async def work(settings: NotifierSettings, pool: Pool) -> dict[str, str]:
        now = await present(pool)
        if url is None and owner.site_id is not None:
            key = await endpoints.add_inbox(pool, owner.site_id, os.urandom, now)
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

    async def work(_: NotifierSettings, pool: Pool) -> list[dict[str, object]]:
        async with acquire(pool) as connection:
            return [dict(row) for row in await rows.listed(connection, site, partner)]

    found = _run(work)
    if as_json:
        typer.echo(json.dumps(found, default=str, indent=2))
        return
    table = Table("endpoint", "of", "kind", "address", "state", "waiting", "delivered", "failed")
    for row in found:
        numbers = [str(row[name]) for name in ("waiting", "delivered", "failed")]
        address = str(row["url"] or "live inbox")
        owner = str(row["site_id"] or f"partner {row['partner']}")
        table.add_row(str(row["endpoint_id"]), owner, str(row["kind"]), address, _state(row), *numbers)
    Console().print(table)


@endpoint_app.command()
def rotate(endpoint_id: EndpointId, as_json: Json = False) -> None:
    """Give an endpoint a new secret (the old one signs for 24 h more) or inbox key (the old one ends now)."""

    async def work(settings: NotifierSettings, pool: Pool) -> dict[str, str]:
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
    endpoint_id: EndpointId, last: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 20
) -> None:
    """Show the newest attempts to reach a webhook, and how each ended."""

    async def work(_: NotifierSettings, pool: Pool) -> list[asyncpg.Record]:
        async with acquire(pool) as connection:
            return await rows.latest_attempts(connection, endpoint_id, last)

    table = Table("at (UTC)", "lead", "epoch", "event", "attempt", "result", "took ms", "what happened")
    for row in _run(work):
        at = row["attempted_at"].strftime("%Y-%m-%d %H:%M:%S")
        numbers = [str(row[name]) for name in ("lead_id", "epoch", "event", "attempt", "result", "took_ms")]
        table.add_row(at, *numbers, row["detail"])
    Console().print(table)


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


def _show(values: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(values))
        return
    for name, value in values.items():
        typer.echo(f"{name.replace('_', ' '):<12} {value}")
    typer.echo("The secret or key is not shown again.")


def _run(work: Callable[[NotifierSettings, Pool], Awaitable[T]]) -> T:
    async def run() -> T:
        settings = read_settings()
        async with open_pool(settings, "store_notifier", max_size=2) as pool:
            return await work(settings, pool)

    try:
        return asyncio.run(run())
    except (PostgresUnavailable, OSError) as error:
        raise UserError("PostgreSQL cannot be reached", f"run `waypost doctor` ({type(error).__name__})") from error
    except asyncpg.PostgresError as error:
        raise UserError(f"PostgreSQL refused: {error}", "run `waypost doctor`") from error
