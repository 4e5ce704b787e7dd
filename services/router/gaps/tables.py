"""The report as tables for people."""

from rich.console import Console

from services.router.gaps import wording
from services.router.gaps.report import Report
from shared.terminal.table import Column, Table, print_table


def print_report(console: Console, report: Report) -> None:
    """The gaps, the suggestions and what they would change; one line when nothing is unmet."""
    if not report.waiting and not report.travelled:
        console.print("No demand is unmet: no lead waits for a site.")
        return
    console.print(wording.summary(report), highlight=False)
    if report.unplaced:
        console.print(wording.unplaced(report), highlight=False)
    if report.gaps:
        print_table(console, _gaps(report))
    if report.suggestions:
        print_table(console, _suggestions(report))
        console.print(wording.effect(report), highlight=False)
    console.print(
        f"Network revision {report.network_revision}, policy version {report.policy_version}.", highlight=False
    )


def _gaps(report: Report) -> Table:
    table = _table(
        "Unmet demand", "place", "leads>", "reasons", "intents", "oldest>", "mean>", "worst>", "nearest capable site"
    )
    for gap in report.gaps:
        table.add_row(
            gap.place.label,
            f"{gap.leads:,}",
            wording.counts(gap.by_reason),
            wording.counts(gap.by_intent),
            wording.age(gap.oldest, report.at),
            wording.kilometres(gap.mean_km),
            wording.kilometres(gap.worst_km),
            wording.nearest(gap),
        )
    return table


def _suggestions(report: Report) -> Table:
    table = _table(
        "Where the next site would help most",
        "#>",
        "lat, lon (WGS-84)",
        "place",
        "leads>",
        "mean now>",
        "then>",
        "must do",
        "would serve",
    )
    for rank, one in enumerate(report.suggestions, start=1):
        table.add_row(
            str(rank),
            f"{one.lat:.4f}, {one.lon:.4f}",
            one.place.label,
            f"{one.leads:,}",
            wording.kilometres(one.mean_km_before),
            wording.kilometres(one.mean_km_after),
            wording.needs(one),
            wording.kinds(one),
        )
    return table


def _table(title: str, *headings: str) -> Table:
    """A heading that ends with `>` has its column set right."""
    return Table(title, [Column(heading.rstrip(">"), right=heading.endswith(">")) for heading in headings])
