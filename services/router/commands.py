"""`waypost network`, `waypost policy` and `waypost explain`: what operators change and ask of the router."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from services.router import changing, checks, network, policies, printing, share_printing
from services.router.changes.change import Kind
from services.router.changes.commands import At, EvenIfChanged, YesRemove, request
from services.router.changes.submission_printing import print_import, print_preview, print_publication
from services.router.db import network as db
from services.router.explain import Explanation, explain_lead
from services.router.gaps.commands import gaps
from services.router.known_names import known_names
from services.router.settings import read_settings
from services.router.sites import canonical_rows
from services.router.standing import month_named, standing_of
from services.router.terminal import run
from services.router.travel.opening import open_travel_times
from services.router.vehicles import read_vehicle
from shared.errors import UserError
from shared.near_misses import did_you_mean
from shared.postgres import Pool, acquire, present
from shared.terminal.output import Json, Output, print_json
from shared.vocabulary import Datum, Intent

network_app = typer.Typer(help="Sites and their revisions.", no_args_is_help=True)
network_app.command()(gaps)
policy_app = typer.Typer(help="The routing policy and its versions.", no_args_is_help=True)

network_app.command("check")(checks.check_network)
network_app.command("try")(changing.try_network)
network_app.command("rollback")(changing.roll_network_back)
policy_app.command("check")(checks.check_policy)
policy_app.command("try")(changing.try_policy)
policy_app.command("rollback")(changing.roll_policy_back)
policy_app.command()(changing.simulate)


@network_app.command("import")
def import_network(
    file: Annotated[Path, typer.Argument(help="A .csv or .geojson file with every site of the network.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Put it into effect; without this, only show the diff.")
    ] = False,
    at: At = None,
    even_if_changed: EvenIfChanged = False,
    yes_remove: YesRemove = None,
    as_json: Json = False,
) -> None:
    """Show what FILE would change in the network; with --apply, change it. A file with a bad row changes nothing."""
    sites = network.read_network_file(file)
    if not apply:
        if at is not None or even_if_changed or yes_remove is not None:
            raise UserError(
                "--at, --even-if-changed and --yes-remove are for --apply", "add --apply, or leave them out"
            )
        print_preview(run(lambda pool: network.preview(pool, sites)), as_json)
        return
    content = canonical_rows(sites).decode()
    submitted = request(Kind.NETWORK, content, at, even_if_changed=even_if_changed, yes_remove=yes_remove)
    print_import(submitted, str(file), as_json)


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

    found, newest = run(work)
    if found is None:
        raise UserError(
            f"there is no network revision {revision}" if revision else "no network has been imported yet",
            "`waypost network import FILE --apply` imports one",
        )
    sites = [one for one in network.sites_of(found) if site in (None, one.site_id)]
    if not sites:
        every = (known.site_id for known in network.sites_of(found))
        raise UserError(
            f"revision {found.revision} has no site {site}", did_you_mean(site or "", every) or "leave out --site"
        )
    if as_json:
        print_json(printing.network_as_json(found, sites))
    else:
        printing.print_network(Output(), found, sites, newest)


@network_app.command()
def diff(
    older: Annotated[int | None, typer.Argument(help="A revision; default: the one before NEWER.", min=0)] = None,
    newer: Annotated[int | None, typer.Argument(help="A revision; default: the newest.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Show what changed between two revisions."""
    change = run(lambda pool: network.difference(pool, older, newer))
    if as_json:
        print_json(printing.change_as_json(change))
    else:
        printing.print_change(Output(), change)


@policy_app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="A policy file (TOML).")],
    at: At = None,
    even_if_changed: EvenIfChanged = False,
    as_json: Json = False,
) -> None:
    """Check FILE against the network and put it into effect as the next version, at once or at a time."""
    text = policies.read_policy_file(file)
    submitted = request(Kind.POLICY, text, at, even_if_changed=even_if_changed)
    print_publication(submitted, str(file), as_json)


@policy_app.command("show")
def show_policy(
    version: Annotated[int | None, typer.Option(help="A version; default: the newest.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Print a policy as it was published, ready to be changed and published again."""

    async def work(pool: Pool) -> db.PublishedPolicy | None:
        async with acquire(pool) as connection:
            return await db.policy(connection, version)

    found = run(work)
    if found is None:
        raise UserError(
            f"there is no policy version {version}" if version else "no policy has been published yet",
            "`waypost policy publish FILE` publishes one",
        )
    if as_json:
        print_json(printing.policy_as_json(found))
    else:
        who = printing.who(found.by)
        typer.echo(f"# version {found.version}, published {found.published_at:%Y-%m-%d %H:%M:%S %Z}{who}")
        typer.echo(found.toml, nl=False)


@policy_app.command()
def shares(
    month: Annotated[str | None, typer.Option(help="YYYY-MM; default: this month, in Asia/Shanghai.")] = None,
    as_json: Json = False,
) -> None:
    """Show how each partner stands against its share of a city's leads, by the policy in effect."""
    first_day = month_named(month, datetime.now(UTC))
    standing = run(lambda pool: standing_of(pool, first_day))
    if as_json:
        print_json(share_printing.standing_as_json(standing))
    else:
        share_printing.print_standing(Output(), standing)


def explain(
    intent: Annotated[Intent, typer.Argument(help="What the person wants.")],
    lat: Annotated[float, typer.Option(help="Latitude in degrees.")],
    lon: Annotated[float, typer.Option(help="Longitude in degrees.")],
    datum: Annotated[Datum, typer.Option(help="Datum of the point: wgs84 (GPS), gcj02 (Amap, Tencent), bd09 (Baidu).")],
    preferred: Annotated[str | None, typer.Option(help="Site that the person asks for.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="Vehicle of interest: Brand, or Brand/Model.")] = None,
    as_json: Json = False,
) -> None:
    """Show which site would get such a lead now, and why the others would not. Nothing is recorded."""
    name = _vehicle(vehicle)

    async def work(pool: Pool) -> Explanation:
        if preferred is not None:
            (await known_names(pool)).require_site(preferred)
        async with open_travel_times(read_settings(), CollectorRegistry()) as times:
            return await explain_lead(pool, times, intent, lat, lon, datum, preferred, await present(pool), name)

    explanation = run(work)
    if as_json:
        typer.echo(explanation.record)
    else:
        printing.print_explanation(Output(), explanation)


def _vehicle(text: str | None) -> str:
    try:
        return read_vehicle(text) if text else ""
    except ValueError as problem:
        raise UserError(f"{text!r} is no vehicle", str(problem)) from None
