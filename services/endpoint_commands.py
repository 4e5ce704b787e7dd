"""`waypost endpoint add`: the notifier keeps endpoints, the router knows which sites and partners there are."""

from typing import Annotated

import typer

from services.router.known_names import ask_known_names
from services.store_notifier.commands import add_endpoint, endpoint_app, owner_of
from services.store_notifier.db.endpoints import Owner
from shared.errors import UserError
from shared.terminal.output import Json

__all__ = ["endpoint_app"]


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
    new: Annotated[
        bool, typer.Option("--new", help="Also when the network does not name the site or partner yet.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add a webhook or the live inbox, and print its secret or key: the only time it is shown."""
    if (site is None) == (partner is None):
        raise UserError("an endpoint belongs to one site, or to a partner", "give --site or --partner")
    if partner is not None and inbox:
        raise UserError("a partner has no inbox page", "give --url, or add the inbox to each --site")
    if (url is None) == (not inbox):
        raise UserError("an endpoint is either a webhook or the inbox", "give --url or --inbox")
    owner = owner_of(site, partner)
    if not new:
        _require_known(owner)
    add_endpoint(owner, url, in_flight=in_flight, as_json=as_json)


def _require_known(owner: Owner) -> None:
    known, instead = ask_known_names(), "--new adds it before it is in the network"
    if owner.site_id is not None:
        known.require_site(owner.site_id, instead)
    if owner.partner is not None:
        known.require_partner(owner.partner, instead)
