"""Every topic, once, with the fact that it carries and how Kafka keeps it."""

from typing import Any

from pydantic import TypeAdapter

from shared.contracts.answered import LeadAnswered, LeadDue
from shared.contracts.decided import LeadDecided
from shared.contracts.deliveries import DeliveryAttempted
from shared.contracts.envelope import Fact, Topic
from shared.contracts.operations import NetworkChanged, PersonErased, PolicyPublished, RecordDead
from shared.contracts.ordered import LeadOrdered
from shared.contracts.received import LeadReceived

LEADS_RECEIVED = Topic("leads.received", "waypost.leads.received.v1", TypeAdapter(Fact[LeadReceived]), "lead_id")
LEADS_DECIDED = Topic("leads.decided", "waypost.leads.decided.v1", TypeAdapter(Fact[LeadDecided]), "lead_id")
LEADS_ANSWERED = Topic("leads.answered", "waypost.leads.answered.v1", TypeAdapter(Fact[LeadAnswered]), "lead_id")
LEADS_DUE = Topic("leads.due", "waypost.leads.due.v1", TypeAdapter(Fact[LeadDue]), "lead_id")
LEADS_ORDERED = Topic("leads.ordered", "waypost.leads.ordered.v1", TypeAdapter(Fact[LeadOrdered]), "lead_id")
DELIVERIES_ATTEMPTED = Topic(
    "deliveries.attempted", "waypost.deliveries.attempted.v1", TypeAdapter(Fact[DeliveryAttempted]), "lead_id"
)
NETWORK_CHANGED = Topic(
    "network.changed",
    "waypost.network.changed.v1",
    TypeAdapter(Fact[NetworkChanged]),
    "the word network",
    partitions=1,
    retention_days=None,
)
POLICIES_PUBLISHED = Topic(
    "policies.published",
    "waypost.policies.published.v1",
    TypeAdapter(Fact[PolicyPublished]),
    "the word policy",
    partitions=1,
    retention_days=None,
)
PEOPLE_ERASED = Topic(
    "people.erased",
    "waypost.people.erased.v1",
    TypeAdapter(Fact[PersonErased]),
    "person_id",
    partitions=1,
    retention_days=None,
)

TOPICS: tuple[Topic[Any], ...] = (
    LEADS_RECEIVED,
    LEADS_DECIDED,
    LEADS_ANSWERED,
    LEADS_DUE,
    LEADS_ORDERED,
    DELIVERIES_ATTEMPTED,
    NETWORK_CHANGED,
    POLICIES_PUBLISHED,
    PEOPLE_ERASED,
)

DEAD_LETTERS: dict[str, Topic[RecordDead]] = {
    topic.name: Topic(
        topic.dead,
        "waypost.record.dead.v1",
        TypeAdapter(Fact[RecordDead]),
        "the key of the dead record",
        partitions=1,
    )
    for topic in TOPICS
}
"""The dead-letter topic of every topic, by the name of the topic it serves."""
