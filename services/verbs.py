"""The verbs of the `waypost` command; `services.cli` runs them.

A verb's module is imported when the verb is called: starting the router must not cost the import of the audit.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from shared.typed_numbers import read_strictly


@dataclass(frozen=True)
class Verb:
    """Where a verb lives: `attribute` of `module` is a function, or a typer app with verbs of its own."""

    module: str
    attribute: str
    help: str
    refused: int = 1
    """Exit status when it could not do its work. Audit keeps 1 for "it ran, and found something"."""


VERBS = {
    "up": Verb("deploy.commands", "up", "Start the embedded stack and all services here, until Ctrl-C."),
    "demo": Verb("deploy.commands", "demo", "Start everything and watch real leads reach their sites."),
    "run": Verb("services.operations", "run", "Run one service in this process until SIGTERM."),
    "doctor": Verb("services.doctor", "doctor", "Check everything an installation needs."),
    "send": Verb("services.lead_intake.commands", "send", "Send lead files (JSON, NDJSON, ADF) to the intake."),
    "lead": Verb("services.audit.commands", "lead", "Tell one lead's journey.", refused=2),
    "queue": Verb("services.router.ordering.commands", "queue", "Leads that wait: why, how long, and what helps."),
    "order": Verb("services.order_commands", "order_app", "Decide about one lead by hand."),
    "explain": Verb("services.router.commands", "explain", "Who would get a lead from here, and why."),
    "network": Verb("services.router.commands", "network_app", "Sites and their revisions."),
    "policy": Verb("services.router.commands", "policy_app", "The routing policy and its versions."),
    "changes": Verb("services.router.changes.commands", "changes_app", "Changes: proposed, approved, in effect."),
    "operator": Verb("services.router.operator_commands", "operator_app", "Who may change things."),
    "endpoint": Verb("services.endpoint_commands", "endpoint_app", "Where sites receive their assignments."),
    "source": Verb("services.lead_intake.commands", "source_app", "Who may send leads."),
    "privacy": Verb("services.lead_intake.commands", "privacy_app", "What people may ask for about their data."),
    "audit": Verb("services.audit.commands", "audit_app", "Prove what happened: replay, count, verify.", refused=2),
    "migrate": Verb("services.operations", "migrate", "Apply the pending SQL migrations of every service."),
    "topics": Verb("services.operations", "topics_app", "Kafka topics of the contracts."),
    "keys": Verb("services.operations", "keys_app", "The key file."),
    "contracts": Verb("services.operations", "contracts_app", "JSON Schema and AsyncAPI documents."),
}


class Verbs(TyperGroup):
    """A group whose commands are imported one at a time; its own help imports none of them."""

    _telling = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: D102
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: D102
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        if self._telling:
            return TyperCommand(cmd_name, short_help=verb.help)
        owner = getattr(import_module(verb.module), verb.attribute)
        if isinstance(owner, typer.Typer):
            command: Any = typer.main.get_group(owner)
        else:
            single = typer.Typer(add_completion=False)
            single.command(cmd_name)(owner)
            command = typer.main.get_command(single)
        command.name = cmd_name
        _help_without_boxes(command)
        return read_strictly(command)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: D102
        self._telling = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._telling = False


def _help_without_boxes(command: Any) -> None:
    # In a narrow terminal a box leaves no room for the names of options, and cuts them.
    command.rich_markup_mode = None
    # Said in full: the list of a group's commands would cut it at the width.
    command.short_help = command.short_help or (command.help or "").split("\n\n", 1)[0].replace("\n", " ")
    for child in getattr(command, "commands", {}).values():
        _help_without_boxes(child)


app = typer.Typer(
    cls=Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"waypost {version('waypost')}")
        raise typer.Exit


@app.callback()
def waypost(
    _version: Annotated[
        bool, typer.Option("--version", help="Say the version and exit.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Gives every lead to the nearest site that can do the job: once, provably, never lost."""
