"""Verbs of the whole installation: running a service, migrations, topics, keys and the contract documents."""

import asyncio
import os
from importlib import import_module
from pathlib import Path

import typer

from services.failures import unreachable
from shared.contracts.document import documents
from shared.errors import UserError
from shared.kafka import apply_topics, check_topics
from shared.keys import create_keys
from shared.migrate import SERVICES
from shared.migrate import migrate as apply_migrations
from shared.process import run as run_process
from shared.settings import Settings
from shared.terminal.output import Json, Output, print_json
from shared.words import counted

topics_app = typer.Typer(no_args_is_help=True)
keys_app = typer.Typer(no_args_is_help=True)
contracts_app = typer.Typer(no_args_is_help=True)

CONTRACTS = Path("docs/contracts")


def _say(text: str) -> None:
    # Whoever calls the command may have redirected the output since this module was imported.
    Output().print(text, markup=False)


def run(service: str = typer.Argument(help=f"One of: {', '.join(SERVICES)}.")) -> None:
    """Run one service in this process until SIGTERM."""
    if service not in SERVICES:
        raise UserError(f"there is no service {service!r}", f"one of: {', '.join(SERVICES)}")
    module = import_module(f"services.{service}.main")
    settings = import_module(f"services.{service}.settings").read_settings()

    async def main(stop: asyncio.Event) -> None:
        try:
            await module.main(settings, stop)
        except Exception as error:
            if (refusal := unreachable(error)) is None:
                raise
            raise UserError(refusal.message, refusal.hint) from error

    raise typer.Exit(run_process(main))


def migrate() -> None:
    """Apply the pending SQL migrations of every service."""
    done = asyncio.run(apply_migrations(Settings().require_postgres()))
    _say("\n".join(f"applied {name}" for name in done) or "nothing to apply")


@topics_app.command("apply")
def topics_apply(
    replication: int = typer.Option(0, help="Copies of every partition; 0 takes 3, or as many as there are brokers."),
) -> None:
    """Create the topics that are missing."""
    created = asyncio.run(apply_topics(Settings(), replication=replication or None))
    _say("\n".join(f"created {name}" for name in created) or "all topics exist")


@topics_app.command("check")
def topics_check(as_json: Json = False) -> None:
    """Say what is wrong with the topics; exit 1 when something is."""
    problems = asyncio.run(check_topics(Settings()))
    if as_json:
        print_json({"problems": problems})
    else:
        _say("\n".join(problems) or "all topics are as they should be")
    raise typer.Exit(1 if problems else 0)


@keys_app.command("init")
def keys_init() -> None:
    """Create the key file, once. Back it up apart from the database."""
    path = Settings().key_file
    create_keys(path, os.urandom)
    _say(f"created {path}")


@contracts_app.command("write")
def contracts_write() -> None:
    """Write docs/contracts from the models."""
    CONTRACTS.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (CONTRACTS / name).write_text(text, encoding="utf-8")
    _say(f"wrote {counted(len(documents()), 'document')} to {CONTRACTS}")


@contracts_app.command("check")
def contracts_check() -> None:
    """Exit 1 when docs/contracts is not what the models say."""
    stale = [
        name
        for name, text in documents().items()
        if not (CONTRACTS / name).exists() or (CONTRACTS / name).read_text(encoding="utf-8") != text
    ]
    if stale:
        raise UserError(f"out of date: {', '.join(stale)}", "run `waypost contracts write` and commit the result")
    _say("the documents are those of the models")
