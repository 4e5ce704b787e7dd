"""What machines read of audit (`--json`): one object per command, `clean` first, times in ISO 8601, hashes in hex."""

from typing import Any

from services.audit.count import CountReport
from services.audit.db.reader import Window
from services.audit.domain.comparison import Verdict
from services.audit.domain.equation import Tally
from services.audit.domain.report import ReplayReport, VerifyReport


def replay_object(report: ReplayReport, window: Window, behind: int | None) -> dict[str, Any]:
    """Counts of every verdict and the findings by name."""
    return {
        "clean": report.clean,
        "from": window.since,
        "to": window.until,
        "decisions": report.counts.total(),
        "counts": {verdict.value: report.counts[verdict] for verdict in Verdict},
        "findings": [finding.as_json() for finding in report.findings],
        "behind": behind,
        "seconds": round(report.seconds, 3),
    }


def count_object(report: CountReport) -> dict[str, Any]:
    """The equation with both sides of every line, the terms, and what breaks it."""
    equation = report.equation
    terms = {
        "accepted": equation.intake,
        "published": equation.kafka,
        "decided": equation.decided,
        "pending": equation.pending,
        "dead": equation.dead,
        **{standing.value: tally for standing, tally in equation.standing.items()},
    }
    return {
        "clean": report.clean,
        "from": report.window.since,
        "to": report.window.until,
        "terms": {name: _tally(tally) for name, tally in terms.items()},
        "lines": [
            {"name": line.name, "left": _tally(line.left), "right": _tally(line.right), "holds": line.holds}
            for line in equation.lines()
        ],
        "findings": {kind: {"total": named.total, "first": named.first} for kind, named in equation.findings.items()},
        "redelivered": equation.repeated,
        "unreadable": report.unreadable,
        "behind": report.behind,
        "seconds": round(report.seconds, 3),
    }


def verify_object(report: VerifyReport) -> dict[str, Any]:
    """The first break of each partition and every gap."""
    return {
        "clean": report.clean,
        "partitions": report.partitions,
        "records": report.records,
        "breaks": report.breaks,
        "gaps": report.gaps,
        "seconds": round(report.seconds, 3),
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {"count": tally.count, "sha256_sum": f"{tally.digest:064x}"}
