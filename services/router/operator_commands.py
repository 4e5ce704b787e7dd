"""`waypost operator`: who may change what routers decide by."""

from typing import Annotated

import orjson
import typer

from services.router import operators
from services.router.changes.change import Kind
from services.router.changes.commands import operator_key, request, write
from services.router.changes.submission_printing import print_waiting
from services.router.db import changes as db_changes
from services.router.db import operators as db
from services.router.terminal import run
from shared.errors import UserError
from shared.postgres import present
from shared.terminal.output import Json, Output, print_json
from shared.terminal.table import print_table, table_of

operator_app = typer.Typer(help="Who may change the policy and the network.", no_args_is_help=True)


@operator_app.command("key")
def key() -> None:
    """Make a key for yourself, and its fingerprint for whoever adds you. Nothing is kept of it."""
    made = operators.new_key()
    typer.echo(
        f"Keep this key to yourself, as WAYPOST_OPERATOR_KEY; it is not shown again:\n\n    {made}\n\n"
        f"Give this fingerprint to an operator, for `waypost operator add NAME --fingerprint`:\n\n"
        f"    {operators.fingerprint_of(made)}\n"
    )


@operator_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Short lower-case name; it is on the topics of the installation.")],
    fingerprint: Annotated[
        str, typer.Option(help="Of the key that the new operator made with `waypost operator key`.")
    ] = "",
    key_only: Annotated[bool, typer.Option("--key-only", help="Print the key alone, for scripts.")] = False,
) -> None:
    """Add an operator. Without --fingerprint the key is made here and shown once."""
    name = operators.read_name(name)
    if fingerprint:
        made, known = "", operators.read_fingerprint(fingerprint.strip().lower())
    elif write(db_changes.two_person):
        # Whoever sees the key of another could approve what he himself proposes.
        raise UserError(
            "where two people are needed nobody may see the key of another",
            "the new operator runs `waypost operator key`; give its fingerprint with --fingerprint",
        )
    else:
        made = operators.new_key()
        known = operators.fingerprint_of(made)
    submitted = request(Kind.OPERATOR, orjson.dumps({"operator": name, "key": known}).decode())
    if key_only and made:
        typer.echo(made)
    elif made:
        typer.echo(f"Operator {name} has this key, which is not shown again:\n\n    {made}\n")
    elif submitted.is_in_effect:
        typer.echo(f"Operator {name} is added.")
    print_waiting(Output(), submitted)


@operator_app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every operator; never the keys."""
    found = write(db.listed)
    if as_json:
        print_json({"operators": [one._asdict() for one in found]})
        return
    if not found:
        Output().print("No operator yet: add one with `waypost operator add NAME`.")
        return
    table = table_of("", ("operator", "since", "added by", "disabled"), ())
    for one in found:
        disabled = f"{one.disabled_at:%F %H:%M} by {one.disabled_by or '?'}" if one.disabled_at else ""
        table.add_row(one.operator, f"{one.added_at:%F %H:%M}", one.added_by or "", disabled)
    print_table(Output(), table)


@operator_app.command("disable")
def disable(name: Annotated[str, typer.Argument(help="The operator.")]) -> None:
    """Accept an operator's key no more, at once. What the operator proposed or approved stays as it is."""
    now = run(present)
    key = operator_key()
    write(lambda connection: operators.disable(connection, name, key, now))
    typer.echo(f"The key of {name} is accepted no more.")
