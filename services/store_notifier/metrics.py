"""What is counted. Labels are closed lists: no site, no lead, nothing that grows."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The notifier's metrics, in a registry of the process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "waypost_notifier_delivery_attempts",
            "Attempts to push an assignment, by result.",
            ["result"],
            registry=registry,
        )
        self.attempt_seconds = Histogram(
            "waypost_notifier_delivery_attempt_seconds",
            "Duration of one attempt.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.reminders = Counter(
            "waypost_notifier_reminders", "Assignments whose site was reminded of them.", registry=registry
        )
        self.escalations = Counter(
            "waypost_notifier_escalations",
            "Assignments whose partner was to be told: queued, or why nobody could be.",
            ["result"],
            registry=registry,
        )
        self.in_flight = Gauge(
            "waypost_notifier_deliveries_in_flight", "Requests to stores under way.", registry=registry
        )
        self.answers = Counter(
            "waypost_notifier_answers",
            "Answers of sites, by what became of them.",
            ["verdict", "via"],
            registry=registry,
        )
        self.outbox = Gauge("waypost_notifier_outbox", "Facts that wait for Kafka.", registry=registry)
        self.unpublished = Counter(
            "waypost_notifier_unpublished",
            "Facts larger than their topic takes, buried instead; alarm on any.",
            registry=registry,
        )
