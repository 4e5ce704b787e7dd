"""Changes as people read them, and as plain values for machines."""

from collections.abc import Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from services.router import printing
from services.router.changes.change import Change, Kind, State
from services.router.changes.content import Effect
from services.router.changes.looking import View
from services.router.tables import print_findings
from shared.terminal.table import print_table, table_of

_WHAT = {
    Kind.POLICY: "policy",
    Kind.NETWORK: "network",
    Kind.TWO_PERSON: "rule of two",
    Kind.OPERATOR: "operator",
}
_MADE_ON = {Kind.POLICY: "policy version", Kind.NETWORK: "network revision"}
_STYLE = {State.REFUSED: "red", State.PROPOSED: "yellow", State.APPROVED: "green"}


def change_as_json(change: Change) -> dict[str, Any]:
    """The row as it is."""
    return change._asdict()


def view_as_json(view: View) -> dict[str, Any]:
    """The row, and the difference."""
    told = change_as_json(view.change) | {"compared_with": view.compared_with, "overtaken": view.is_overtaken}
    if view.difference is not None:
        diff = printing.change_as_json(view.difference)
        return told | {name: diff[name] for name in ("sites", "added", "changed", "removed")}
    if view.change.kind is Kind.POLICY:
        return told | {"toml": view.content, "diff": list(view.text)}
    return told | {"content": _said(view)}


def print_list(console: Console, found: Sequence[Change], *, two_person: bool) -> None:
    """One line each, the newest first."""
    rule = "Two people make every change here." if two_person else "One person may make a change here."
    if not found:
        console.print(f"No change yet. {rule}")
        return
    table = table_of("", ("change", "what", "made on", "proposed", "approved", "takes effect", "state"), ())
    for change in found:
        style = _STYLE.get(change.state, "")
        table.add_row(
            str(change.change_id),
            _what(change),
            f"{change.base or '-'}" if change.kind in _MADE_ON else "",
            _by(change.proposed_by, f"{change.proposed_at:%F %H:%M}"),
            _by(change.approved_by, f"{change.approved_at:%F %H:%M}") if change.approved_at else "",
            _when(change),
            Text(_state(change), style=style),
        )
    print_table(console, table)
    console.print(f"{rule} Times are UTC.", highlight=False)


def print_view(console: Console, view: View) -> None:
    """Everything about one change."""
    change = view.change
    made_on = f", made on {_MADE_ON[change.kind]} {change.base}" if change.kind in _MADE_ON else ""
    who = f" by {change.proposed_by}" if change.proposed_by else ""
    say(
        console, f"Change {change.change_id}: {_what(change)}{made_on}, proposed{who} at {change.proposed_at:%F %T %Z}."
    )
    if change.approved_at:
        second = f" by {change.approved_by}" if change.approved_by else ", as one person is enough"
        say(console, f"Approved{second} at {change.approved_at:%F %T %Z}.")
    if change.takes_effect_at:
        say(console, f"Its time: {change.takes_effect_at:%F %T %Z}.")
    say(console, f"State: {_state(change)}.")
    if change.ended_at:
        say(console, f"Since {change.ended_at:%F %T %Z}.")
    print_findings(console, change.findings)
    if view.difference is not None:
        printing.print_change(console, view.difference)
    for line in view.text:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(line, style=style, markup=False, highlight=False)
    if change.kind not in _MADE_ON:
        say(console, f"It says: {_said(view)}.")
    if view.is_overtaken:
        current = f"{_MADE_ON[change.kind].capitalize()} {view.current}"
        say(console, f"{current} is in effect: this change would undo what came between.")


def print_open(console: Console, change: Change) -> None:
    """A change that waits for its approval or its time."""
    when = f"at {change.takes_effect_at:%F %T %Z}" if change.takes_effect_at else "when it is approved"
    promise = "takes effect" if change.state is State.APPROVED else "would take effect"
    needs = ", while a router runs" if change.state is State.APPROVED else ""
    say(console, f"Change {change.change_id} ({_what(change)}) is {_state(change)}: it {promise} {when}{needs}.")


def print_overtaken(console: Console, overtaken: Sequence[Change]) -> None:
    """Which other changes are refused because of what took effect now."""
    for change in overtaken:
        console.print(
            f"Change {change.change_id} ({_what(change)}, {change.state.value}) was made on {_MADE_ON[change.kind]} "
            f"{change.base} and will be refused: make it again, or `waypost changes approve {change.change_id} "
            "--even-if-changed`.",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def print_effect(console: Console, change: Change, effect: Effect) -> None:
    """What an approval did."""
    print_findings(console, effect.findings)
    if effect.difference is not None:
        printing.print_change(console, effect.difference)
    if change.state is not State.IN_EFFECT:
        print_open(console, change)
    elif change.kind in _MADE_ON:
        say(console, f"{_MADE_ON[change.kind].capitalize()} {change.became} is in effect.")
        print_overtaken(console, effect.overtaken)
    else:
        say(console, f"Change {change.change_id} ({_what(change)}) is in effect.")


def _what(change: Change) -> str:
    back = "" if change.restores is None else f", back to {change.restores}"
    return _WHAT[change.kind] + back


def _state(change: Change) -> str:
    text = change.state.value.replace("_", " ")
    if change.became is not None:
        text += f" as {change.became}"
    if change.withdrawn_by:
        text += f" by {change.withdrawn_by}"
    return text + (f": {change.refusal}" if change.refusal else "")


def _when(change: Change) -> str:
    if change.state is State.IN_EFFECT:
        return f"{change.ended_at:%F %H:%M}"
    return f"{change.takes_effect_at:%F %H:%M}" if change.takes_effect_at else "when approved"


def _by(name: str | None, when: str) -> str:
    return f"{name} {when}" if name else when


def _said(view: View) -> str:
    content = view.content or "?"
    if view.change.kind is Kind.OPERATOR:
        added = orjson.loads(content)
        return f"{added['operator']}, with the key of fingerprint {added['key']}"
    return f"two people are needed: {content}"


def say(console: Console, text: str) -> None:
    """A sentence that may name anything; a terminal breaks it where it likes."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
