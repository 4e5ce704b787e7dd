"""Whose ways a batch needs to know: leads that it is about to find a site for."""

from collections.abc import Sequence
from typing import NamedTuple

from services.router.domain import Answered, Due, LeadFeatures, Ordered, Stimulus
from services.router.reading import Arrival
from shared.contracts import Answer

_LOOKS_FOR_A_SITE = {Answer.DECLINED, Answer.UNDELIVERABLE}


class Concerned(NamedTuple):
    """The leads of one batch, and the ids of those that only the ledger knows."""

    leads: list[LeadFeatures]
    known: list[str]


def concerned(arrivals: Sequence[Arrival]) -> Concerned:
    """Leads that arrive, and those that lose or lacked a site. What turns out stale was asked for in vain."""
    leads = {arrival.lead_id: arrival.received for arrival in arrivals if arrival.received is not None}
    known = {arrival.lead_id for arrival in arrivals if _looks_for_a_site(arrival.stimulus)}
    return Concerned(list(leads.values()), sorted(known - leads.keys()))


def _looks_for_a_site(stimulus: Stimulus) -> bool:
    match stimulus:
        case Due():
            return True
        case Answered():
            return stimulus.answer in _LOOKS_FOR_A_SITE
        case Ordered():
            # One that names a site or ends the lead leaves nothing to measure; one that says where it is goes by
            # distance.
            order = stimulus.order
            return order.site_id is None and order.place is None and order.result is None
        case _:
            return False
