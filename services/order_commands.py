"""`waypost order`: what a person decides about one lead. The intake knows places, the router knows leads."""

from typing import Annotated

import typer
from pydantic import ValidationError

from services.lead_intake.candidates import shown
from services.lead_intake.draft import DraftLocation
from services.lead_intake.faults import Fault
from services.lead_intake.location import locate
from services.lead_intake.places import load_places
from services.lead_intake.postal_codes import NO_POSTAL_CODES
from services.router.ordering.commands import order_lead
from services.router.ordering.orders import Wish
from shared.contracts import Place, Result
from shared.errors import UserError
from shared.terminal.output import Json
from shared.vocabulary import Datum

order_app = typer.Typer(help="Decide about one lead by hand.", no_args_is_help=True)

Lead = Annotated[str, typer.Argument(help="The lead's id.", metavar="ID")]
By = Annotated[
    str | None,
    typer.Option(help="Your short name, which the decision keeps; default: whose WAYPOST_OPERATOR_KEY it is."),
]
Epoch = Annotated[
    int | None, typer.Option(help="Only if the lead is still at this epoch, as `waypost queue` shows it.", min=1)
]
Wait = Annotated[float, typer.Option(help="Seconds to wait for the router's decision.", min=0)]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Order nothing; say what the router would decide if it were ordered now.")
]
Lat = Annotated[float | None, typer.Option(help="Latitude in degrees.")]
Lon = Annotated[float | None, typer.Option(help="Longitude in degrees.")]
GivenDatum = Annotated[
    Datum | None, typer.Option(help="Datum of the point: wgs84 (GPS), gcj02 (Amap, Tencent) or bd09 (Baidu).")
]
Adcode = Annotated[str | None, typer.Option(help="Official code of the city or district, such as 320505.")]
At = Annotated[str | None, typer.Option(help="City and district in words, without a street: 'Wuzhong, Suzhou'.")]


@order_app.command()
def give(
    lead_id: Lead,
    site_id: Annotated[str, typer.Argument(help="The site that is to have it.", metavar="SITE")],
    by: By = None,
    lat: Lat = None,
    lon: Lon = None,
    datum: GivenDatum = None,
    adcode: Adcode = None,
    at: At = None,
    epoch: Epoch = None,
    wait: Wait = 15,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give the lead to SITE, however far it is and whatever it answered before.

    The site must be open, able to do what is asked, and have room.
    """
    place = _place(lat, lon, datum, adcode, at)
    order_lead(lead_id, by, Wish(site_id, place), epoch=epoch, wait_s=wait, dry_run=dry_run, as_json=as_json)


@order_app.command()
def place(
    lead_id: Lead,
    by: By = None,
    lat: Lat = None,
    lon: Lon = None,
    datum: GivenDatum = None,
    adcode: Adcode = None,
    at: At = None,
    epoch: Epoch = None,
    wait: Wait = 15,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Say where the lead is, and have it decided anew from there."""
    found = _place(lat, lon, datum, adcode, at)
    if found is None:
        raise UserError("no place is given", "say where: --at, --adcode, or --lat, --lon and --datum")
    order_lead(lead_id, by, Wish(place=found), epoch=epoch, wait_s=wait, dry_run=dry_run, as_json=as_json)


@order_app.command()
def retry(
    lead_id: Lead, by: By = None, epoch: Epoch = None, wait: Wait = 15, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Try a waiting lead again now, whatever it waits for."""
    order_lead(lead_id, by, Wish(), epoch=epoch, wait_s=wait, dry_run=dry_run, as_json=as_json)


@order_app.command()
def close(
    lead_id: Lead,
    result: Annotated[Result, typer.Option(help="What became of it.")],
    by: By = None,
    epoch: Epoch = None,
    wait: Wait = 15,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """End the lead with a result: nobody needs to act on it any more."""
    order_lead(lead_id, by, Wish(result=result), epoch=epoch, wait_s=wait, dry_run=dry_run, as_json=as_json)


def _place(
    lat: float | None, lon: float | None, datum: Datum | None, adcode: str | None, text: str | None
) -> Place | None:
    given = {"lat": lat, "lon": lon, "datum": datum, "adcode": adcode, "text": text}
    if all(value is None for value in given.values()):
        return None
    faults: list[Fault] = []
    remarks: list[Fault] = []
    places = load_places()
    try:
        located = locate(DraftLocation.model_validate(given), places, NO_POSTAL_CODES, faults, remarks)
    except ValidationError as error:
        wrong = ", ".join(f"--{_option(str(fault['loc'][0]))}" for fault in error.errors(include_input=False))
        raise UserError(
            f"{wrong} cannot be read as a place", "`waypost order place --help` says what may stand there"
        ) from error
    if located.place is None:
        why = "; ".join(f"--{_option(fault.pointer)} {_plain(fault.detail)}" for fault in (*faults, *remarks))
        names = [str(shown(kept, places)["name"]) for kept in located.candidates]
        meant = f"; it may mean {', '.join(filter(None, names))}" if names else ""
        raise UserError(f"the place is not clear: {why}{meant}", "be more exact: name city and district, or a point")
    return located.place


def _option(pointer: str) -> str:
    return pointer.rsplit("/", 1)[-1].replace("text", "at").replace("location", "at")


def _plain(detail: str) -> str:
    # What a sender of leads is told; here nothing was taken, so nothing waits.
    return detail.removesuffix("; the lead waits until its place is clear")
