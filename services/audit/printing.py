"""What people see of audit at a terminal: a verdict first, then the figures, then names."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

from services.audit.count import CountReport
from services.audit.db.reader import Window
from services.audit.domain import wording
from services.audit.domain.comparison import Verdict
from services.audit.domain.equation import SHOWN
from services.audit.domain.report import ReplayReport, VerifyReport
from services.audit.domain.timeline import Journey, Moment
from shared.terminal.table import Column, Table, lines_of, print_table, table_of
from shared.words import counted

_STYLE = {"plain": "default", "good": "green", "bad": "yellow"}


def print_replay(console: Console, report: ReplayReport, window: Window, behind: int | None) -> None:
    """Verdicts by kind, and every finding by name."""
    table = table_of(f"Decided again: {_span(window)}", ("verdict",), ("decisions",))
    for verdict in Verdict:
        if count := report.counts[verdict]:
            table.add_row(Text(verdict.value, style="green" if verdict.clean else "red"), f"{count:,}")
    print_table(console, table)
    for finding in report.findings:
        name = "" if finding.lead_id is None else f"lead {finding.lead_id} epoch {finding.epoch}: "
        style = "default" if finding.verdict.clean else "red"
        console.print(
            Text(f"{finding.verdict.value} {name}{finding.field}: {finding.detail}", style=style), soft_wrap=True
        )
    total = report.counts.total()
    speed = f", {counted(round(total / report.seconds), 'decision')}/s" if report.seconds else ""
    _print_verdict(
        console, report.clean, f"{counted(total, 'decision')} in {wording.duration(report.seconds)}{speed}", behind
    )


def print_count(console: Console, report: CountReport) -> None:
    """The equation line by line, then what breaks it."""
    sides = [Column("left", right=True), Column("right", right=True)]
    table = Table(f"Leads received: {_span(report.window)}", [Column("must be equal"), *sides, Column("as sets")])
    for line in report.equation.lines():
        mark = Text("equal", style="green") if line.holds else Text("DIFFERENT", style="red")
        table.add_row(line.name, f"{line.left.count:,}", f"{line.right.count:,}", mark)
    print_table(console, table)
    equation = report.equation
    parts = [f"{name.value} {tally.count:,}" for name, tally in equation.standing.items()]
    console.print(f"{', '.join(parts)}, dead {equation.dead.count:,}, pending {equation.pending.count:,}")
    for kind, named in sorted(equation.findings.items()):
        console.print(Text(f"{named.total:,} {kind}:", style="red"))
        for what in named.first:
            console.print(f"  {what}", soft_wrap=True)
        if named.total > SHOWN:
            console.print(f"  ... and {named.total - SHOWN:,} more")
    for topic, records in report.unreadable.items():
        console.print(f"{counted(records, 'record')} on {topic}: no facts; kept as they came")
    again = f", {equation.repeated:,} redelivered" if equation.repeated else ""
    summary = f"{counted(equation.intake.count, 'accepted lead')}{again} in {wording.duration(report.seconds)}"
    _print_verdict(console, report.clean, summary, report.behind)


def print_verify(console: Console, report: VerifyReport) -> None:
    """The first break of each partition, first one first."""
    for broken in report.breaks:
        console.print(Text(f"BROKEN {broken}", style="red"), soft_wrap=True)
    for gap in report.gaps:
        console.print(Text(f"GAP {gap}", style="red"), soft_wrap=True)
    chains = f"{counted(report.records, 'record')} in {counted(report.partitions, 'chain')}"
    summary = f"{chains}, {wording.duration(report.seconds)}"
    _print_verdict(console, report.clean, summary, 0)


def print_journey(console: Console, journey: Journey) -> None:
    """Where the lead is now, then how it got there."""
    console.print(f"lead {journey.lead_id}", style="bold")
    head = Table("", [Column("is"), Column("")], has_headings=False)
    head.add_row("now", Text(journey.now, style=f"bold {_STYLE[journey.tone]}"))
    head.add_row("wants", journey.request)
    head.add_row("where", journey.where)
    head.add_row("from", journey.source)
    if journey.received_at:
        head.add_row("received", f"{journey.received_at.astimezone():%Y-%m-%d %H:%M:%S %Z}")
    print_table(console, head)
    console.print()
    table = Table("", [Column("after", right=True), Column("what"), Column("")])
    for moment in journey.moments:
        table.add_row(_after(moment.at, journey.received_at), moment.what, _told(moment))
    print_table(console, table)


def _told(moment: Moment) -> Text:
    losers = Table("", [Column("site"), Column("distance"), Column("holds"), Column("why")], has_headings=False)
    for loser in moment.losers:
        losers.add_row(f"  not {loser.site}", wording.distance(loser.distance_m), f"holds {loser.load}", loser.why)
    lines = [moment.text, *(line.plain for line in lines_of(losers, None))]
    return Text("\n".join(lines), style=_STYLE[moment.tone])


def _after(at: datetime, received_at: datetime | None) -> str:
    return f"{at:%H:%M:%S}" if received_at is None else f"+{wording.duration((at - received_at).total_seconds())}"


def _span(window: Window) -> str:
    return f"{window.since:%Y-%m-%d %H:%M:%S} to {window.until:%Y-%m-%d %H:%M:%S} UTC"


def _print_verdict(console: Console, clean: bool, summary: str, behind: int | None) -> None:
    if behind:
        console.print(
            Text(f"the ledger is {counted(behind, 'record')} behind Kafka: run this again, or give --wait", "yellow")
        )
    elif behind is None:
        console.print(Text("Kafka could not be asked whether the ledger has read everything", "yellow"))
    console.print(Text("CLEAN" if clean else "NOT CLEAN", "bold green" if clean else "bold red"), summary)
