"""What the router counts. Labels come from closed lists: no lead, person or site id ever becomes one."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.router.db.waiting import WaitingLine
from shared.contracts import WaitingReason


class RouterMetrics:
    """The router's metrics, in a registry of its own so that tests can run several routers in one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decided = Counter(
            "waypost_router_leads_decided", "Decisions written to the ledger.", ["outcome"], registry=registry
        )
        self.repeated = Counter(
            "waypost_router_decisions_repeated",
            "Decisions emitted again for a record that came twice.",
            registry=registry,
        )
        self.stale = Counter(
            "waypost_router_facts_stale",
            "Answers and deadlines that the ledger refused.",
            ["topic", "reason"],
            registry=registry,
        )
        self.batches = Counter("waypost_router_batches", "Batches handled to their end.", registry=registry)
        self.batch_seconds = Histogram(
            "waypost_router_batch_seconds",
            "From the first record read to the last acknowledgement.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.retried = Counter(
            "waypost_router_batches_retried", "Transactions rolled back and repeated.", ["reason"], registry=registry
        )
        self.decided_again = Counter(
            "waypost_router_batches_decided_again",
            "Batches decided once more, in memory, because sites had less room than was seen.",
            registry=registry,
        )
        self.left = Counter(
            "waypost_router_leads_left",
            "New leads decided after their batch, because another router had just recorded one of the same person.",
            registry=registry,
        )
        self.unpublished = Counter(
            "waypost_router_unpublished",
            "Records larger than their topic takes, buried instead; alarm on any.",
            registry=registry,
        )
        self.asked = Counter(
            "waypost_router_leads_due", "Leads that a timer asked a decision for.", ["due"], registry=registry
        )
        self.changes = Counter(
            "waypost_router_changes",
            "Changes whose time came, by what became of them: in_effect or refused.",
            ["kind", "state"],
            registry=registry,
        )
        self.network_revision = Gauge(
            "waypost_router_network_revision", "Network revision in effect in this process.", registry=registry
        )
        self.policy_version = Gauge(
            "waypost_router_policy_version", "Policy version in effect in this process.", registry=registry
        )
        self.waiting = Gauge("waypost_router_leads_waiting", "Leads that no site can take now.", registry=registry)
        self.oldest_waiting_seconds = Gauge(
            "waypost_router_oldest_waiting_seconds", "Age of the oldest waiting lead.", registry=registry
        )
        self.waiting_for = Gauge(
            "waypost_router_leads_waiting_for", "Leads that wait, by reason.", ["reason"], registry=registry
        )
        self.oldest_waiting_for_seconds = Gauge(
            "waypost_router_oldest_waiting_for_seconds",
            "Age of the oldest lead that waits for each reason; alarm on needs_person.",
            ["reason"],
            registry=registry,
        )
        self.overdue_seconds = Gauge(
            "waypost_router_overdue_seconds",
            "How long the most overdue hold is past its deadline; alarm above a minute.",
            registry=registry,
        )

    def asked_for(self, kind: str, leads: int) -> None:
        """A timer published this many leads.due."""
        self.asked.labels(kind).inc(leads)

    def saw_oldest(self, lines: Sequence[WaitingLine], overdue: datetime | None, now: datetime) -> None:
        """What a sweep found of waiting leads, and the deadline that has been over for the longest."""
        ages_s = {line.reason: (now - line.oldest).total_seconds() for line in lines}
        leads = {line.reason: line.leads for line in lines}
        self.waiting.set(sum(leads.values()))
        self.oldest_waiting_seconds.set(max(ages_s.values(), default=0))
        for reason in WaitingReason:
            self.waiting_for.labels(reason.value).set(leads.get(reason, 0))
            self.oldest_waiting_for_seconds.labels(reason.value).set(ages_s.get(reason, 0))
        self.overdue_seconds.set((now - overdue).total_seconds() if overdue else 0)
