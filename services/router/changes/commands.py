"""`waypost changes`: what is proposed, what waits for its time, and what became of it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from services.router.changes import printing
from services.router.changes.approving import Word, approve, withdraw
from services.router.changes.change import Change, Kind
from services.router.changes.looking import view
from services.router.changes.proposing import Submitted, Wanted, submit
from services.router.changes.submission_printing import print_waiting, submitted_as_json
from services.router.db import changes as db
from services.router.settings import read_settings
from services.router.terminal import run
from shared.errors import UserError
from shared.moments import coming_moment_of
from shared.postgres import Connection, Pool, present, transact
from shared.terminal.output import Json, Output, print_json

T = TypeVar("T")

At = Annotated[
    str | None, typer.Option("--at", help="When it takes effect: an ISO time with its offset, or 2h (from now).")
]
EvenIfChanged = Annotated[
    bool, typer.Option("--even-if-changed", help="Also when it undoes what took effect since it was made.")
]
YesRemove = Annotated[
    int | None,
    typer.Option(
        "--yes-remove", help="So many open sites shall get no leads any more; asked for when they are many.", min=0
    ),
]
Number = Annotated[int, typer.Argument(help="Number of the change.", min=1)]

changes_app = typer.Typer(help="Changes of the policy and the network: proposed, approved, in effect at their time.")


def write(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do `work` in one transaction."""

    async def within(pool: Pool) -> T:
        return await transact(pool, work)

    return run(within)


def operator_key() -> str:
    """The key of whoever is at the command; empty for none."""
    return read_settings().operator_key.get_secret_value().strip()


def request(
    kind: Kind, content: str, at: str | None = None, *, even_if_changed: bool = False, yes_remove: int | None = None
) -> Submitted:
    """Make a change, or propose it where two people are needed."""
    now = run(present)
    moment = None if at is None else coming_moment_of(at, now, "--at")
    wanted = Wanted(
        kind, content, operator_key(), None if moment == now else moment, even_if_changed, yes_remove=yes_remove
    )
    return write(lambda connection: submit(connection, wanted, now))


@changes_app.callback(invoke_without_command=True)
def list_(
    context: typer.Context,
    show: Annotated[int, typer.Option(help="How many of the newest.", min=1, max=1000)] = 20,
    as_json: Json = False,
) -> None:
    """List the newest changes, whatever became of them."""
    if context.invoked_subcommand is not None:
        return

    async def work(connection: Connection) -> tuple[list[Change], bool]:
        return await db.newest(connection, show), await db.two_person(connection)

    found, two_person = write(work)
    if as_json:
        print_json({"two_person": two_person, "changes": [printing.change_as_json(change) for change in found]})
    else:
        printing.print_list(Output(), found, two_person=two_person)


@changes_app.command("show")
def show_change(number: Number, as_json: Json = False) -> None:
    """Show one change: who wanted it, what it would change, and what became of it."""
    found = write(lambda connection: view(connection, number))
    if as_json:
        print_json(printing.view_as_json(found))
    else:
        printing.print_view(Output(), found)


@changes_app.command("approve")
def approve_change(
    number: Number,
    at: Annotated[
        str | None,
        typer.Option("--at", help="Another time: ISO with its offset, 2h (from now), or now."),
    ] = None,
    even_if_changed: EvenIfChanged = False,
    yes_remove: YesRemove = None,
    as_json: Json = False,
) -> None:
    """Approve a change that another operator proposed; without a time, it takes effect at once."""
    now = run(present)
    moment = None if at is None else coming_moment_of(at, now, "--at")
    word = Word(number, operator_key(), moment, even_if_changed, yes_remove)
    done = write(lambda connection: approve(connection, word, now))
    if as_json:
        print_json(printing.change_as_json(done.change))
    else:
        printing.print_effect(Output(), done.change, done.effect)


@changes_app.command("withdraw")
def withdraw_change(number: Number, as_json: Json = False) -> None:
    """End a change that has not taken effect."""
    now = run(present)
    word = Word(number, operator_key())
    ended = write(lambda connection: withdraw(connection, word, now))
    if as_json:
        print_json(printing.change_as_json(ended))
    else:
        typer.echo(f"Change {ended.change_id} is withdrawn; nothing was changed.")


@changes_app.command("rule")
def rule(
    two_person: Annotated[
        str | None, typer.Option(help="on: every change needs a second operator; off: one person is enough.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or change whether two people are needed. Switching it off needs two people itself."""
    if two_person is None:
        needed = write(db.two_person)
        if as_json:
            print_json({"two_person": needed})
        else:
            typer.echo(_rule(needed))
        return
    if two_person not in ("on", "off"):
        raise UserError(f"--two-person is on or off, not {two_person!r}")
    submitted = request(Kind.TWO_PERSON, two_person)
    if as_json:
        print_json(submitted_as_json(submitted))
        return
    print_waiting(Output(), submitted)
    if submitted.change is None or submitted.is_in_effect:
        typer.echo(_rule(two_person == "on"))


def _rule(two_person: bool) -> str:
    return "Two people make every change here." if two_person else "One person may make a change here."
