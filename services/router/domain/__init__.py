"""Who gets a lead: the pure heart of the router. Same lead, network, policy, loads and time in; same bytes out."""

from services.router.domain.decide import decide_batch
from services.router.domain.ledger import (
    NEW,
    Answered,
    Ask,
    Decided,
    Due,
    Erased,
    LeadFeatures,
    LeadLedger,
    LeadState,
    LiveLead,
    Ordered,
    Received,
    Served,
    Stale,
    StaleReason,
    Stay,
    Stimulus,
    Travel,
)
from services.router.domain.queues import Waiter
from services.router.domain.record import ENGINE_VERSION, decision_id
from services.router.domain.replay import Past, Trigger, ledger_after, redecide, redecide_batch
from services.router.domain.shares import contracted, month_of
from services.router.domain.staying import stay_with
from services.router.domain.wanted import WaitingLead, wanted_sites

__all__ = [
    "ENGINE_VERSION",
    "NEW",
    "Answered",
    "Ask",
    "Decided",
    "Due",
    "Erased",
    "LeadFeatures",
    "LeadLedger",
    "LeadState",
    "LiveLead",
    "Ordered",
    "Past",
    "Received",
    "Served",
    "Stale",
    "StaleReason",
    "Stay",
    "Stimulus",
    "Travel",
    "Trigger",
    "Waiter",
    "WaitingLead",
    "contracted",
    "decide_batch",
    "decision_id",
    "ledger_after",
    "month_of",
    "redecide",
    "redecide_batch",
    "stay_with",
    "wanted_sites",
]
