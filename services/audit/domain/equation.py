"""The count equation (I4): every accepted lead is accounted for, exactly, as counts and as set hashes.

intake(PostgreSQL) = intake(Kafka) = decided + pending, and accepted = joined + waiting + held + closed + dead.
Counts alone hide a swap of two leads; so each term also carries the sum of SHA-256(lead id) mod 2^256, which does not
depend on order and adds up like the counts do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from services.audit.domain.moves import Standing, Step, broken_rules

_MODULUS = 2**256
SHOWN = 20
"""Ids named per kind of finding; the total is always exact."""


@dataclass(slots=True)
class Tally:
    """A set of leads as a count and an order-free hash."""

    count: int = 0
    digest: int = 0

    def add(self, lead_id: UUID) -> None:
        """Add one lead; adding it twice changes the tally, as it should."""
        self.count += 1
        self.digest = (self.digest + int.from_bytes(sha256(lead_id.bytes).digest(), "big")) % _MODULUS

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.count + other.count, (self.digest + other.digest) % _MODULUS)


@dataclass(slots=True)
class Named:
    """Leads with one finding: how many, and the first of them."""

    total: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        """Count one more, and name it while there is room."""
        self.total += 1
        if len(self.first) < SHOWN:
            self.first.append(what)


@dataclass(frozen=True, slots=True)
class LeadSeen:
    """One lead of the window, as each side knows it."""

    lead_id: UUID
    in_intake: bool
    """lead_intake committed it (PostgreSQL)."""
    facts: int
    """Records of leads.received in the audit ledger; above 1 after a redelivery, which is no harm."""
    dead: bool
    """The router buried its leads.received record."""
    state: str | None
    """router.leads.state; None when the router has no such lead."""
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One equals sign of the equation."""

    name: str
    left: Tally
    right: Tally

    @property
    def holds(self) -> bool:
        """Equal as counts and as sets."""
        return self.left == self.right


class Equation:
    """Adds up leads one by one, so that a window of any length is counted in the same small memory."""

    def __init__(self) -> None:
        self.intake, self.kafka, self.decided, self.pending = Tally(), Tally(), Tally(), Tally()
        self.dead = Tally()
        self.standing = {standing: Tally() for standing in Standing}
        self.router = {standing: Tally() for standing in Standing}
        self.repeated = 0
        """Records beyond the first of a lead: redeliveries that were absorbed."""
        self.findings: dict[str, Named] = {}

    def add(self, lead: LeadSeen, steps: Sequence[Step]) -> None:
        """Count one lead with all its decisions (distinct facts, ordered by epoch)."""
        self.repeated += max(lead.facts - 1, 0)
        if lead.in_intake:
            self.intake.add(lead.lead_id)
        if lead.facts:
            self.kafka.add(lead.lead_id)
        if steps:
            self.decided.add(lead.lead_id)
            self.standing[steps[-1].standing].add(lead.lead_id)
        elif lead.dead:
            self.dead.add(lead.lead_id)
        elif lead.facts:
            self.pending.add(lead.lead_id)
        if lead.state is not None:
            self.router[Standing(lead.state)].add(lead.lead_id)
        for kind, what in _findings(lead, steps):
            self.findings.setdefault(kind, Named()).add(what)

    def lines(self) -> Iterator[Line]:
        """The equation, equals sign by equals sign."""
        standing = sum(self.standing.values(), Tally())
        yield Line("intake (PostgreSQL) = intake (Kafka)", self.intake, self.kafka)
        yield Line("intake (Kafka) = decided + dead + pending", self.kafka, self.decided + self.dead + self.pending)
        yield Line("accepted = joined + waiting + held + closed + dead", self.intake, standing + self.dead)
        for name, tally in self.standing.items():
            yield Line(f"{name.value}: last decisions = router", tally, self.router[name])

    @property
    def clean(self) -> bool:
        """Every line holds and no lead breaks a rule."""
        return not self.findings and all(line.holds for line in self.lines())


def _findings(lead: LeadSeen, steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    name = str(lead.lead_id)
    if lead.in_intake and not lead.facts:
        yield "accepted, but not on leads.received", name
    if lead.facts and not lead.in_intake:
        yield "on leads.received, but not in lead_intake.leads", name
    if steps and not lead.facts:
        yield "decided, but never received", name
    if lead.facts and not steps and not lead.dead:
        yield "received, but not decided", name
    if steps and lead.state is None:
        yield "decided, but not in router.leads", name
    if lead.state is not None and not steps:
        yield "in router.leads, but no decision was published", name
    if steps and lead.state is not None and lead.state != steps[-1].standing:
        yield "router.leads disagrees with the last decision", f"{name}: {lead.state}, decided {steps[-1].standing}"
    if steps and lead.epoch is not None and lead.epoch != steps[-1].epoch:
        yield "router.leads is at another epoch", f"{name}: {lead.epoch}, last decision {steps[-1].epoch}"
    for rule in broken_rules(steps):
        yield "breaks I2 or I3", f"{name}: {rule}"
