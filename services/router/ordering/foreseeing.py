"""What would come of an order that nobody has given: the router's own settling, on trial, of which nothing stays.

So whatever a decision sees (the policy's rules of staying, loads, days, shares) is seen here too, without being said a
second time.
"""

from collections.abc import Mapping
from datetime import datetime

from services.router.db.room import Place
from services.router.domain import LeadFeatures, StaleReason, Travel
from services.router.reading import Arrival
from services.router.reload import InEffect
from services.router.repeating import until_settled
from services.router.settle import Settled, settle
from services.router.travel.asking import concerned
from services.router.travel.times import Start, TravelTimes
from shared.contracts import LEADS_DECIDED, LeadDecided
from shared.postgres import Connection


async def ways_for(
    arrival: Arrival, lead: LeadFeatures, in_effect: InEffect, times: TravelTimes
) -> dict[Start, Travel]:
    """The travel times that the router would look up for this arrival of a known lead; `lead` is what it said."""
    if not concerned([arrival]).known:
        return {}
    return await times.of([lead], in_effect.snapshot, in_effect.policy)


async def foresee(
    connection: Connection, arrival: Arrival, in_effect: InEffect, now: datetime, travel: Mapping[Start, Travel]
) -> LeadDecided | StaleReason:
    """What the router would decide because of this arrival of a known lead, or why it would decide nothing.

    Inside the caller's transaction, in which it leaves nothing, no lock either. What it locks meanwhile is what the
    router would lock: one lead, and the places that it would spend.
    """

    async def attempt(keep: frozenset[Place]) -> Settled:
        savepoint = connection.transaction()
        await savepoint.start()
        try:
            return await settle(connection, [arrival], in_effect, now, keep=keep, travel=travel, on_trial=True)
        finally:
            await savepoint.rollback()

    settled = await until_settled(attempt, lambda _: None, "an order on trial")
    for _, reason in settled.stale:
        return StaleReason(reason)
    [(_, value)] = settled.emissions
    return LEADS_DECIDED.read(value).data
