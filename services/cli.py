"""The `waypost` command: every verb calls its owner; what goes wrong is one line and a non-zero exit."""

import sys
from importlib import import_module

import click
import typer
from deploy.commands import demo, up
from rich.console import Console
from rich.markup import escape

from services.audit.commands import audit_app, lead
from services.doctor import doctor
from services.lead_intake.commands import privacy_app, send, source_app
from services.operations import contracts_app, keys_app, migrate, topics_app
from services.router.commands import explain, network_app, policy_app
from services.store_notifier.commands import endpoint_app
from shared.errors import UserError
from shared.migrate import SERVICES
from shared.process import run as run_process

app = typer.Typer(
    name="waypost",
    help="Gives every lead to the nearest site that can do the job: once, provably, never lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(demo)
app.command()(send)
app.command()(lead)
app.command()(explain)
app.command()(doctor)
app.command()(migrate)
app.add_typer(network_app, name="network", help="Sites and their revisions.")
app.add_typer(policy_app, name="policy", help="The routing policy and its versions.")
app.add_typer(endpoint_app, name="endpoint", help="Where a site receives its assignments.")
app.add_typer(source_app, name="source", help="Who may send leads.")
app.add_typer(audit_app, name="audit", help="Replay, count and verify what happened.")
app.add_typer(privacy_app, name="privacy", help="A person's rights.")
app.add_typer(topics_app, name="topics", help="Kafka topics of the contracts.")
app.add_typer(keys_app, name="keys", help="The key file.")
app.add_typer(contracts_app, name="contracts", help="JSON Schema and AsyncAPI documents.")


@app.command()
def run(service: str = typer.Argument(help=f"One of: {', '.join(SERVICES)}.")) -> None:
    """Run one service in this process until SIGTERM."""
    if service not in SERVICES:
        raise UserError(f"there is no service {service!r}", f"one of: {', '.join(SERVICES)}")
    module = import_module(f"services.{service}.main")
    settings = import_module(f"services.{service}.settings").read_settings()
    raise typer.Exit(run_process(lambda stop: module.main(settings, stop)))


def main() -> None:
    """Entry point of the console script."""
    try:
        status = app(standalone_mode=False)
    except UserError as error:
        complain(error.message, error.hint)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def complain(message: str, hint: str) -> None:
    """One line for a person: what was wrong and what to do."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"[bold red]waypost:[/] {escape(message)}" + (f" ({escape(hint)})" if hint else "")
    )


if __name__ == "__main__":
    main()
