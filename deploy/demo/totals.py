"""The figures and addresses after the play. Pure: the caller prints."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.demo.journey import Journey
from deploy.demo.prepare import Page
from deploy.demo.stories import what_to_look_at
from shared.terminal.table import Column, Table


@dataclass(frozen=True)
class Totals:
    """What became of the leads of one play."""

    accepted: int
    """Leads whose sender holds a 202."""
    by_state: dict[str, int]
    by_reason: dict[str, int]
    """Waiting leads by the reason that they wait for."""
    moved: int
    """Leads that at least one site handed on."""
    lost: tuple[str, ...]
    """Files whose leads are neither at a site nor in a named waiting state: must be empty."""
    p50_s: float | None
    p99_s: float | None
    """Seconds from the form's receipt to the first store reached; None when no store was reached."""


def quantile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank quantile: the smallest value with at least `share` of all values at or below it."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def count(journeys: Sequence[Journey]) -> Totals:
    """Totals of the journeys of a play."""
    seconds = [journey.seconds for journey in journeys if journey.seconds is not None]
    return Totals(
        accepted=len(journeys),
        by_state=dict(Counter(journey.state for journey in journeys)),
        by_reason=dict(Counter(journey.why for journey in journeys if journey.state == "waiting")),
        moved=sum(1 for journey in journeys if journey.moves),
        lost=tuple(f"{journey.file} (lead {journey.number})" for journey in journeys if not journey.placed),
        p50_s=quantile(seconds, 0.50),
        p99_s=quantile(seconds, 0.99),
    )


def totals_table(totals: Totals) -> Table:
    """The totals as a small table."""
    table = Table("Totals", [Column("what"), Column("how many")], has_headings=False)
    table.add_row("leads acknowledged", str(totals.accepted))
    for state, number in sorted(totals.by_state.items(), key=lambda item: -item[1]):
        table.add_row(f"  {state}", str(number))
        if state == "waiting":
            for reason, waiting in sorted(totals.by_reason.items(), key=lambda item: -item[1]):
                table.add_row(f"    {reason}", str(waiting))
    table.add_row("handed on at least once", str(totals.moved))
    table.add_row("neither at a site nor waiting", str(len(totals.lost)))
    table.add_row("form to store, p50", _seconds(totals.p50_s))
    table.add_row("form to store, p99", _seconds(totals.p99_s))
    return table


def store_line(did: Mapping[str, int]) -> str:
    """What the small store reports, in one line."""
    return "the small store: " + ", ".join(f"{what} {number}" for what, number in sorted(did.items()))


def pages(opened: Sequence[Page], intake_url: str, journeys: Sequence[Journey]) -> str:
    """Where to look next, each address on a line of its own: inbox pages with their keys, the front door, one lead."""
    lines = ["Pages of stores:"]
    lines += [f"  {page.url}\n    log in with {page.key}" for page in opened]
    lines.append(f"Leads go to {intake_url}/v1/leads; `waypost source add NAME` makes a key for a sender.")
    if stories := what_to_look_at(journeys):
        lines += ["Leads from end to end, each with its why:", *stories]
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "no store reached" if value is None else f"{value:.3f} s"
