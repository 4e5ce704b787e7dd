"""`waypost network`, `waypost policy` and `waypost explain`: what operators change and ask of the router."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer
from rich.console import Console

from services.router import network, policies, printing
from services.router.db import network as db
from services.router.explain import explain_lead
from services.router.settings import RouterSettings, read_settings
from shared.errors import UserError
from shared.postgres import Pool, PostgresUnavailable, acquire, open_pool
from shared.vocabulary import Datum, Intent

T = TypeVar("T")

network_app = typer.Typer(help="Sites and their revisions.", no_args_is_help=True)
policy_app = typer.Typer(help="The routing policy and its versions.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


@network_app.command("import")
def import_network(
    file: Annotated[Path, typer.Argument(help="A .csv or .geojson file with every site of the network.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Put it into effect; without this, only show the diff.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what FILE would change in the network; with --apply, change it. A file with a bad row changes nothing."""
    sites = network.read_network_file(file)

    async def work(pool: Pool) -> network.Change:
        return await (network.apply(pool, sites, datetime.now(UTC)) if apply else network.preview(pool, sites))

    change = _run(work)
    if as_json:
        _print_json({"applied": apply and change.revision != change.before, **printing.change_as_json(change)})
    else:
        printing.print_change(Console(), change)
        if change.revision == change.before:
            Console().print(f"Nothing to change: this is revision {change.before}.")
        elif apply:
            Console().print(f"Revision {change.revision} is in effect.")
        else:
            Console().print("Nothing was changed: add --apply to put it into effect.")


@network_app.command()
def show(
    revision: Annotated[int | None, typer.Option(help="A revision; default: the newest.", min=1)] = None,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    as_json: Json = False,
) -> None:
    """Show the sites of a revision, and the newest revisions."""

    async def work(pool: Pool) -> tuple[db.Revision | None, list[db.RevisionLine]]:
        async with acquire(pool) as connection:
            return await db.revision(connection, revision), await db.revisions(connection, limit=10)

    found, newest = _run(work)
    if found is None:
        raise UserError(
            f"there is no network revision {revision}" if revision else "no network has been imported yet",
            "`waypost network import FILE --apply` imports one",
        )
    sites = [one for one in network.sites_of(found) if site in (None, one.site_id)]
    if not sites:
        raise UserError(f"revision {found.revision} has no site {site}")
    if as_json:
        _print_json({"revision": found.revision, "digest": found.digest, "sites": [one.to_row() for one in sites]})
    else:
        printing.print_network(Console(), found, sites, newest)


@network_app.command()
def diff(
    older: Annotated[int | None, typer.Argument(help="A revision; default: the one before NEWER.", min=0)] = None,
    newer: Annotated[int | None, typer.Argument(help="A revision; default: the newest.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Show what changed between two revisions."""
    change = _run(lambda pool: network.difference(pool, older, newer))
    if as_json:
        _print_json(printing.change_as_json(change))
    else:
        printing.print_change(Console(), change)


@policy_app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="A policy file (TOML).")],
    as_json: Json = False,
) -> None:
    """Check FILE against the network and put it into effect as the next version."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error
    published = _run(lambda pool: policies.publish(pool, text, datetime.now(UTC)))
    if as_json:
        findings = [str(finding) for finding in published.findings]
        _print_json({"version": published.version, "is_new": published.is_new, "findings": findings})
        return
    for finding in published.findings:
        Console().print(str(finding), style="yellow", markup=False, highlight=False)
    state = "is in effect" if published.is_new else "was in effect already"
    Console().print(f"Policy version {published.version} {state}.")


@policy_app.command("show")
def show_policy(
    version: Annotated[int | None, typer.Option(help="A version; default: the newest.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Print a policy as it was published, ready to be changed and published again."""

    async def work(pool: Pool) -> db.PublishedPolicy | None:
        async with acquire(pool) as connection:
            return await db.policy(connection, version)

    found = _run(work)
    if found is None:
        raise UserError(
            f"there is no policy version {version}" if version else "no policy has been published yet",
            "`waypost policy publish FILE` publishes one",
        )
    if as_json:
        _print_json(found._asdict())
    else:
        typer.echo(f"# version {found.version}, published {found.published_at:%Y-%m-%d %H:%M:%S %Z}")
        typer.echo(found.toml, nl=False)


def explain(
    intent: Annotated[Intent, typer.Argument(help="What the person wants.")],
    lat: Annotated[float, typer.Option(help="Latitude in degrees.", min=-90, max=90)],
    lon: Annotated[float, typer.Option(help="Longitude in degrees.", min=-180, max=180)],
    datum: Annotated[Datum, typer.Option(help="Datum of the point: wgs84 (GPS), gcj02 (Amap, Tencent), bd09 (Baidu).")],
    preferred: Annotated[str | None, typer.Option(help="Site that the person asks for.")] = None,
    as_json: Json = False,
) -> None:
    """Show which site would get such a lead now, and why the others would not. Nothing is recorded."""
    explanation = _run(lambda pool: explain_lead(pool, intent, lat, lon, datum, preferred, datetime.now(UTC)))
    if as_json:
        typer.echo(explanation.record)
    else:
        printing.print_explanation(Console(), explanation)


def _run(work: Callable[[Pool], Awaitable[T]]) -> T:
    async def within(settings: RouterSettings) -> T:
        async with open_pool(settings, "router", max_size=1) as pool:
            return await work(pool)

    try:
        return asyncio.run(within(read_settings()))
    except (PostgresUnavailable, OSError) as error:
        raise UserError(
            f"PostgreSQL does not answer ({type(error).__name__})", "is the stack running? `waypost doctor` says more"
        ) from error


def _print_json(value: object) -> None:
    typer.echo(orjson.dumps(value).decode())
