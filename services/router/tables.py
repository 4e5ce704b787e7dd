"""Parts that several of the router's commands print."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from services.router.policy import Finding


def print_findings(console: Console, findings: Sequence[Finding | str]) -> None:
    """What a person should know, one line each."""
    for finding in findings:
        console.print(str(finding), style="yellow", markup=False, highlight=False)


def table_of(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    """An empty table: first the columns of texts, then those of numbers."""
    table = Table(title=title or None, title_justify="left")
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table
