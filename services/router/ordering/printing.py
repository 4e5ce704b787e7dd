"""What people and machines see of the queue and of an order."""

from datetime import datetime
from typing import Any

from rich.console import Console

from services.router.ordering.queue import Queue, Wait
from services.router.ordering.wording import NEXT_TRY, WAITS
from shared.contracts import LeadAssigned, LeadClosed, LeadDecided, LeadWaiting
from shared.terminal.table import print_table, table_of


def queue_as_json(queue: Queue) -> dict[str, Any]:
    """The queue; ages in seconds."""
    return {
        "reasons": [
            {"reason": line.reason, "leads": line.leads, "oldest_age_s": _age_s(line.oldest, queue.now)}
            for line in queue.lines
        ],
        "waiting": [
            {
                "lead_id": str(wait.lead.lead_id),
                "epoch": wait.lead.epoch,
                "reason": wait.lead.reason,
                "age_s": _age_s(wait.lead.received_at, queue.now),
                "received_at": wait.lead.received_at,
                "intent": wait.lead.intent,
                "place": wait.place or None,
                "tries": wait.lead.tries,
                "next_try": _next_try(wait),
                "next_try_at": wait.next_try,
            }
            for wait in queue.waits
        ],
    }


def print_queue(console: Console, queue: Queue) -> None:
    """How many wait and why, then one line per lead."""
    if not queue.lines:
        console.print("No lead waits.")
        return
    for line in queue.lines:
        console.print(
            f"{line.leads:,} {WAITS[line.reason]}, the oldest {_span(_age_s(line.oldest, queue.now))}",
            style="bold yellow" if line.reason == "needs_person" else None,
            highlight=False,
        )
    table = table_of("", ("lead", "reason", "wants", "place", "next try"), ("age", "tries", "epoch"))
    for wait in queue.waits:
        lead = wait.lead
        table.add_row(
            str(lead.lead_id),
            WAITS[lead.reason],
            lead.intent.replace("_", " "),
            wait.place or "unknown",
            _next_try(wait),
            _span(_age_s(lead.received_at, queue.now)),
            str(lead.tries),
            str(lead.epoch),
        )
    print_table(console, table)
    shown, waiting = len(queue.waits), sum(line.leads for line in queue.lines)
    if shown < waiting:
        console.print(f"{shown:,} of {waiting:,} shown.", highlight=False)


def outcome_in_words(decided: LeadDecided) -> str:
    """What came of an order, in a sentence."""
    if isinstance(decided, LeadAssigned):
        answer_by = decided.respond_by.astimezone()
        return (
            f"{decided.site_id} has the lead, {decided.distance_m / 1000:.1f} km away, and answers by "
            f"{answer_by:%Y-%m-%d %H:%M %Z} (epoch {decided.epoch})."
        )
    if isinstance(decided, LeadWaiting):
        return f"No site can take it: {WAITS[decided.reason]} (epoch {decided.epoch}). It waits."
    if isinstance(decided, LeadClosed):
        return f"The lead is closed: {decided.result or decided.reason} (epoch {decided.epoch})."
    return f"The lead is {decided.outcome} (epoch {decided.epoch})."


def _next_try(wait: Wait) -> str:
    by = "" if wait.next_try is None else f", at the latest {wait.next_try.astimezone():%a %H:%M}"
    return NEXT_TRY[wait.lead.reason] + by


def _age_s(since: datetime, now: datetime) -> int:
    return max(0, round((now - since).total_seconds()))


def _span(seconds: int) -> str:
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days >= 2:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
