"""Where a command writes: its result to standard output, and nothing else there with `--json`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, Protocol

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Json = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


class Advance(Protocol):
    """Told how many more are done, and of how many if that is known by now."""

    def __call__(self, done: int, of: int | None = None, /) -> None:  # noqa: D102 - said by the class
        ...


class Output(Console):
    """A console that cuts and folds no line: a terminal folds it where it likes, and a pipe keeps it whole."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"soft_wrap": True, "highlight": False, "emoji": False, **options})

    def on_broken_pipe(self) -> NoReturn:
        """Let `services.cli` end the command: rich would exit with the status of a failure."""
        raise BrokenPipeError


def print_json(value: object) -> None:
    """One line of JSON on standard output. Ids and exact numbers become texts."""
    sys.stdout.write(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode() + "\n")


@contextmanager
def progress(what: str, total: int | None = None, *, quiet: bool) -> Iterator[Advance]:
    """A bar on standard error while people watch; nothing in a pipe, nor when `quiet`."""
    console = Output(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)

        def advance(done: int, of: int | None = None, /) -> None:
            bar.update(task, advance=done, total=total if of is None else of)

        yield advance
