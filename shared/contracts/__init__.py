"""Every fact that Waypost publishes, the topic that carries it, and the envelope around it.

No fact carries personal data: a person is a random `person_id`, a place is rounded. Contracts only grow: writing is
strict (unknown fields are refused), reading is tolerant (`Topic.read`); a breaking change is a new type and a new
topic. `tests/golden/` holds one JSON per fact that is never edited.
"""

from shared.contracts.answered import (
    Answer,
    DeclineReason,
    LeadAnswered,
    LeadDue,
    Result,
)
from shared.contracts.contract import (
    Contract,
)
from shared.contracts.decided import (
    Candidate,
    Cause,
    ClosedReason,
    Decision,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadJoined,
    LeadWaiting,
    Lost,
    Measure,
    WaitingReason,
    WhyDistance,
)
from shared.contracts.deliveries import (
    AttemptResult,
    DeliveryAttempted,
)
from shared.contracts.envelope import (
    CLOUDEVENTS_CONTENT_TYPE,
    NAMESPACE,
    Fact,
    Topic,
    derived_id,
)
from shared.contracts.operations import (
    DeadHeader,
    DeadReference,
    NetworkChanged,
    PersonErased,
    PolicyPublished,
    RecordDead,
)
from shared.contracts.ordered import (
    LeadOrdered,
    Order,
)
from shared.contracts.received import (
    LeadReceived,
    Place,
    Vehicle,
)
from shared.contracts.topics import (
    DEAD_LETTERS,
    DELIVERIES_ATTEMPTED,
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_DUE,
    LEADS_ORDERED,
    LEADS_RECEIVED,
    NETWORK_CHANGED,
    PEOPLE_ERASED,
    POLICIES_PUBLISHED,
    TOPICS,
)

__all__ = [
    "CLOUDEVENTS_CONTENT_TYPE",
    "DEAD_LETTERS",
    "DELIVERIES_ATTEMPTED",
    "LEADS_ANSWERED",
    "LEADS_DECIDED",
    "LEADS_DUE",
    "LEADS_ORDERED",
    "LEADS_RECEIVED",
    "NAMESPACE",
    "NETWORK_CHANGED",
    "PEOPLE_ERASED",
    "POLICIES_PUBLISHED",
    "TOPICS",
    "Answer",
    "AttemptResult",
    "Candidate",
    "Cause",
    "ClosedReason",
    "Contract",
    "DeadHeader",
    "DeadReference",
    "Decision",
    "DeclineReason",
    "DeliveryAttempted",
    "Fact",
    "LeadAnswered",
    "LeadAssigned",
    "LeadClosed",
    "LeadDecided",
    "LeadDue",
    "LeadJoined",
    "LeadOrdered",
    "LeadReceived",
    "LeadWaiting",
    "Lost",
    "Measure",
    "NetworkChanged",
    "Order",
    "PersonErased",
    "Place",
    "PolicyPublished",
    "RecordDead",
    "Result",
    "Topic",
    "Vehicle",
    "WaitingReason",
    "WhyDistance",
    "derived_id",
]
