"""What replay, count and verify hand to people and machines: plain values, no wording of a terminal."""

from collections import Counter
from dataclasses import dataclass, field

from services.audit.domain.comparison import Finding, Verdict

NAMED = 200
"""Findings of each verdict that are kept by name; every one is counted."""


@dataclass(slots=True)
class ReplayReport:
    """The verdicts of one window."""

    counts: Counter[Verdict] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    def same(self, decisions: int = 1) -> None:
        """Count decisions that came out the same."""
        self.counts[Verdict.SAME] += decisions

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while there is room."""
        self.counts[finding.verdict] += 1
        if self.counts[finding.verdict] <= NAMED:
            self.findings.append(finding)

    def merge(self, other: "ReplayReport") -> None:
        """Take in what another worker found."""
        self.counts += other.counts
        self.findings += other.findings

    @property
    def clean(self) -> bool:
        """Nothing that a person has to look into."""
        return all(verdict.clean for verdict, count in self.counts.items() if count)


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the ledger is not what it was when it was written."""

    topic: str
    partition: int
    record_offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.record_offset}: {self.what}"


@dataclass(slots=True)
class VerifyReport:
    """The first break of each partition, and every gap."""

    partitions: int = 0
    records: int = 0
    breaks: list[Break] = field(default_factory=list)
    gaps: list[Break] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Every chain holds from its first record to its head, without a gap."""
        return not self.breaks and not self.gaps
