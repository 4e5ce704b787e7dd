"""`waypost network gaps`: where demand is unmet, and where the next site would help most."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from services.router.db import gaps as db
from services.router.gaps import geojson, page
from services.router.gaps.report import Report, make_report
from services.router.gaps.tables import print_report
from services.router.in_effect import setting_in_effect
from services.router.rules import HALF_EARTH_KM
from services.router.terminal import run
from shared.errors import UserError
from shared.moments import before, span_of
from shared.postgres import Pool, acquire
from shared.terminal.output import Json, Output, print_json

MOST_SITES = 20


def gaps(
    sites: Annotated[int, typer.Option(help="How many new sites to suggest.", min=1, max=MOST_SITES)] = 1,
    last: Annotated[
        str | None,
        typer.Option(metavar="WINDOW", help="Count leads of this window, too, that went far: 12h or 30d."),
    ] = None,
    far_km: Annotated[
        float | None, typer.Option(help="What far is, in kilometres; goes with --last.", min=0, max=HALF_EARTH_KM)
    ] = None,
    geojson_file: Annotated[
        Path | None, typer.Option("--geojson", metavar="FILE", help="Write a map layer (GeoJSON).")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with map and tables.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show unmet demand by city and district, and where the next site would help most. Nothing is changed."""
    now = datetime.now(UTC)
    travels = _travels(last, far_km, now)
    report = run(lambda pool: read_report(pool, sites, travels, now))
    if geojson_file is not None:
        _write(geojson_file, orjson.dumps(geojson.as_geojson(report)))
    if html_file is not None:
        _write(html_file, page.render(report).encode())
    if as_json:
        print_json(geojson.as_json(report))
        return
    print_report(Output(), report)
    for file in (geojson_file, html_file):
        if file is not None:
            Output().print(f"Written: {file}", markup=False, highlight=False)


async def read_report(pool: Pool, sites: int, travels: tuple[datetime, int] | None, now: datetime) -> Report:
    """The report of this moment; `travels` is since when, and from how many metres, a lead has gone far."""
    async with acquire(pool) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot, policy = await setting_in_effect(connection)
        unmet = await db.waiting(connection)
        if travels is not None:
            unmet += await db.travelled_far(connection, *travels)
    return make_report(unmet, snapshot, policy, sites, now)


def _travels(last: str | None, far_km: float | None, now: datetime) -> tuple[datetime, int] | None:
    if last is None and far_km is None:
        return None
    if last is None or far_km is None:
        raise UserError("--last and --far-km go together", "write --last 30d --far-km 40")
    return before(now, span_of(last, "--last")), round(far_km * 1000)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}") from error
