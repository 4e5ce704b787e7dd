"""For which sites leads wait under a network or a policy that is newer than their last decision."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import NamedTuple, cast

from services.router.domain.decide import Batch
from services.router.domain.ledger import Ask, Decided, Due, Held, LeadFeatures, LeadLedger
from services.router.policy import Policy
from services.router.snapshot import Snapshot


class WaitingLead(NamedTuple):
    """A lead that waits, as the ledger has it."""

    lead: LeadFeatures
    ledger: LeadLedger


class _Full(Mapping[str, int]):
    """Every site holds more than it may, also one without a limit."""

    def __getitem__(self, site_id: str) -> int:
        return cast("int", inf)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def wanted_sites(
    waiting: Sequence[WaitingLead], snapshot: Snapshot, policy: Policy, now: datetime
) -> list[tuple[str, ...]]:
    """For each of these leads the sites in whose queues it belongs: those with a limit that would take it with room.

    As with everything that a record lists, the nearest of them when there are many.
    """
    asks = [Ask(lead, ledger, Due("", ledger.epoch, "retry", now)) for lead, ledger in waiting]
    answers = Batch(snapshot, policy, Held(_Full()), now).run(asks)
    return [
        tuple(site_id for site_id in answer.full if snapshot.can_be_full(site_id))
        if isinstance(answer, Decided)
        else ()
        for answer in answers
    ]
