"""What every command of the router needs: a pool for its work, JSON for machines, a bar for people."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, TypeVar

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.router.settings import RouterSettings, read_settings
from shared.errors import UserError
from shared.postgres import Pool, PostgresUnavailable, open_pool

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


def run(work: Callable[[Pool], Awaitable[T]], server_settings: Mapping[str, str] | None = None) -> T:
    """Do `work` with a pool of one connection. Raises UserError when PostgreSQL does not answer."""

    async def within(settings: RouterSettings) -> T:
        async with open_pool(settings, "router", max_size=1, server_settings=server_settings) as pool:
            return await work(pool)

    try:
        return asyncio.run(within(read_settings()))
    except (PostgresUnavailable, OSError) as error:
        raise UserError(
            f"PostgreSQL does not answer ({type(error).__name__})", "is the stack running? `waypost doctor` says more"
        ) from error


def print_json(value: object) -> None:
    """One line of JSON on standard output."""
    typer.echo(orjson.dumps(value).decode())


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while people watch; nothing in a pipe, nor when `quiet`.

    It is told how many more are done, and of how many.
    """
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, advance=done, total=total)
