"""At what time a batch is decided: now, but never before what is known of its leads.

Processes follow one clock to the millisecond, and a batch may have waited for a lock since it looked at it. So a time
that is recorded may lie ahead of now by a little; by hours, where it was recorded by a clock that was wrong. A lead's
facts must not go back in time in either case.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.clock import BELIEVED

TOGETHER = timedelta(seconds=2)
"""A batch waits, in its record, for leads that are ahead by no more: the most by which clocks differ unnoticed."""


class DecisionTime(NamedTuple):
    """The time of a batch, and what cannot be decided at it."""

    now: datetime
    ahead: frozenset[str]
    """Leads of which something later is known: to be decided apart, so that their time does not become the others'."""


def decision_time(now: datetime, known: Mapping[str, datetime]) -> DecisionTime:
    """`known`: the latest time that is recorded of each lead of the batch. Leads that are all ahead go together."""
    later = {lead_id: at for lead_id, at in known.items() if now < at <= now + BELIEVED}
    ahead = {lead_id for lead_id, at in later.items() if at > now + TOGETHER}
    if len(ahead) == len(known):
        ahead = set()
    latest = max((at for lead_id, at in later.items() if lead_id not in ahead), default=now)
    return DecisionTime(latest.astimezone(UTC), frozenset(ahead))
