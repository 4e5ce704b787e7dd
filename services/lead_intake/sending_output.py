"""What `waypost send` shows: each lead with its id, and what was not sent."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from services.lead_intake.lead_files import LeadFiles
from services.lead_intake.send import Sent
from shared.terminal.table import print_table, table_of


def sending_as_json(sent: Sequence[Sent], found: LeadFiles) -> dict[str, Any]:
    """Every lead and everything left out; `status` is the HTTP status, 0 for a file that could not be read."""
    return {
        "leads": [asdict(row) | {"accepted": row.accepted} for row in sent],
        "left_out": [
            {"path": str(left.path), "why": left.why, "may_hold_leads": left.may_hold_leads} for left in found.left_out
        ],
    }


def print_sending(console: Console, sent: Sequence[Sent], found: LeadFiles) -> None:
    """A table of leads, then a line for each file that was left out."""
    if sent:
        table = table_of("", ("file", "lead", "status", "lead id", "remarks"))
        for row in sent:
            table.add_row(row.file, str(row.number), str(row.status), row.lead_id, row.remarks)
        print_table(console, table)
    for left in found.left_out:
        console.print(
            f"not sent: {left.path}: {left.why}", markup=False, style="yellow" if left.may_hold_leads else None
        )
