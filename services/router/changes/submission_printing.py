"""What publishing, importing and going back say: done, waiting for its time, or waiting for a second operator."""

from typing import Any

from rich.console import Console

from services.router import network, printing
from services.router.changes.change import Kind, State
from services.router.changes.printing import print_open, print_overtaken, say
from services.router.changes.proposing import Submitted
from services.router.tables import print_findings
from shared.terminal.output import Output, print_json


def submitted_as_json(submitted: Submitted) -> dict[str, Any]:
    """Number and state of the change; null when there is nothing to change."""
    change = submitted.change
    return {
        "change_id": change and change.change_id,
        "state": change and change.state.value,
        "takes_effect_at": change and change.takes_effect_at,
        "findings": list(submitted.effect.findings),
        "overtaken": [change.change_id for change in submitted.effect.overtaken],
    }


def publication_as_json(submitted: Submitted) -> dict[str, Any]:
    """The version in effect now, and whether this made it."""
    effect = submitted.effect
    version = effect.after if submitted.is_in_effect else effect.before
    return {"version": version, "is_new": submitted.is_in_effect, **submitted_as_json(submitted)}


def import_as_json(submitted: Submitted) -> dict[str, Any]:
    """The difference with whole rows, and whether it is in effect; `revision` is the one that it is or would be."""
    difference = submitted.effect.difference
    rows = {} if difference is None else printing.change_as_json(difference)
    return {"applied": submitted.is_in_effect, **rows, **submitted_as_json(submitted)}


def print_preview(change: network.Change, as_json: bool) -> None:
    """What an import would change."""
    if as_json:
        print_json({"applied": False, **printing.change_as_json(change)})
        return
    console = Output()
    printing.print_change(console, change)
    if change.revision == change.before:
        console.print(f"Nothing to change: this is revision {change.before}.")
    else:
        if change.loss.is_large:
            say(console, f"Is this the whole network? {change.loss}.")
        said = f" --yes-remove {len(change.loss.site_ids)}" if change.loss.is_large else ""
        console.print(f"Nothing was changed: add --apply{said} to put it into effect.", highlight=False)


def print_import(submitted: Submitted, file: str, as_json: bool) -> None:
    """What an import did."""
    if as_json:
        print_json(import_as_json(submitted))
        return
    console = Output()
    print_difference(console, submitted)
    if submitted.is_in_effect:
        console.print(f"Revision {submitted.effect.after} is in effect.")
        print_overtaken(console, submitted.effect.overtaken)
    elif submitted.change is None:
        console.print(f"Nothing to change: this is revision {submitted.effect.before}.")
    else:
        print_findings(console, submitted.effect.findings)
        print_waiting(console, submitted, file)


def print_publication(submitted: Submitted, file: str, as_json: bool) -> None:
    """What publishing did."""
    if as_json:
        print_json(publication_as_json(submitted))
        return
    console = Output()
    print_findings(console, submitted.effect.findings)
    if submitted.is_in_effect:
        console.print(f"Policy version {submitted.effect.after} is in effect.")
        print_overtaken(console, submitted.effect.overtaken)
    elif submitted.change is None:
        console.print(f"Policy version {submitted.effect.before} was in effect already.")
    else:
        print_waiting(console, submitted, file)


def print_difference(console: Console, submitted: Submitted) -> None:
    """The sites that differ, if this is about sites."""
    if submitted.effect.difference is not None:
        printing.print_change(console, submitted.effect.difference)


def print_waiting(console: Console, submitted: Submitted, file: str | None = None) -> None:
    """What a change that is not in effect yet waits for; nothing about others. `file` is what it was made of."""
    change = submitted.change
    if change is None or change.state not in (State.PROPOSED, State.APPROVED):
        return
    print_open(console, change)
    if change.state is State.PROPOSED:
        if file is not None and change.kind in (Kind.POLICY, Kind.NETWORK):
            say(console, f"What it would have done with the past days: `waypost {change.kind.value} try {file}`.")
        say(console, f"Another operator approves it with `waypost changes approve {change.change_id}`.")
