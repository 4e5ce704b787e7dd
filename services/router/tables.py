"""Parts that several of the router's commands print."""

from collections.abc import Sequence

from rich.console import Console

from services.router.policy import Finding


def print_findings(console: Console, findings: Sequence[Finding | str]) -> None:
    """What a person should know, one line each."""
    for finding in findings:
        console.print(str(finding), style="yellow", markup=False, highlight=False)
