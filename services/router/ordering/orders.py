"""Giving an order: settled on trial on the ledger as it is, kept for publishing, and followed to its end.

The router decides for good when the fact reaches it. In between the lead may have moved on, and the order is too late;
then nothing happens to the lead, which stays where it is.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from services.router.db import announcements, ledger, operators
from services.router.db.announcements import Announcement
from services.router.db.ledger import LeadRow
from services.router.domain import Ordered, StaleReason, Travel
from services.router.emission import SOURCE
from services.router.in_effect import setting_in_effect
from services.router.operators import operator_of
from services.router.ordering.foreseeing import foresee, ways_for
from services.router.ordering.wording import refusal
from services.router.questions import features_of, ledger_of
from services.router.reading import Arrival
from services.router.reload import InEffect
from services.router.travel.times import Start, TravelTimes
from shared.clock import no_earlier
from shared.contracts import LEADS_ORDERED, Fact, LeadDecided, LeadOrdered, Order, Place, Result, derived_id
from shared.errors import UserError
from shared.postgres import Connection, Pool, acquire, transact

LOOK_EVERY_S = 0.2
_DECIDED: TypeAdapter[LeadDecided] = TypeAdapter(LeadDecided)


class OrderRefused(UserError):  # noqa: N818 - it says what happened to the order
    """The order cannot be given; nothing was published."""


class Given(NamedTuple):
    """An order on its way to the router."""

    fact_id: UUID
    lead_id: UUID


class Wish(NamedTuple):
    """What is ordered; nothing at all: try again now."""

    site_id: str | None = None
    place: Place | None = None
    result: Result | None = None


class Giver(NamedTuple):
    """Who gives an order: a name, an operator's key, or both."""

    name: str | None
    key: str = ""


class _Draft(NamedTuple):
    """An order as it would be published, and what it is about."""

    fact: Fact[LeadOrdered]
    arrival: Arrival
    """The order as the router would read it."""
    row: LeadRow
    in_effect: InEffect


async def give_order(
    pool: Pool,
    lead_id: UUID,
    giver: Giver,
    wish: Wish,
    *,
    epoch: int | None,
    now: datetime,
) -> Given:
    """Have an order published; `epoch` is the one that its giver saw, None for whatever the lead is at.

    Raises OrderRefused when it would change nothing.
    """

    async def work(connection: Connection) -> Given:
        draft = await _draft(connection, lead_id, giver, wish, epoch, now)
        # Whether it can be obeyed hangs on no travel time.
        await _outcome(connection, draft, now, {})
        fact = draft.fact
        kept = Announcement(fact.id, LEADS_ORDERED.name, str(lead_id).encode(), fact.to_bytes())
        await announcements.add(connection, kept, now)
        return Given(fact.id, lead_id)

    return await transact(pool, work)


async def try_order(
    pool: Pool,
    times: TravelTimes,
    lead_id: UUID,
    giver: Giver,
    wish: Wish,
    *,
    epoch: int | None,
    now: datetime,
) -> LeadDecided:
    """What the router would decide because of such an order, were it given now; nothing is published or recorded.

    Raises OrderRefused as `give_order` does. `times` are asked when the policy compares them.
    """
    async with acquire(pool) as connection:
        draft = await _draft(connection, lead_id, giver, wish, epoch, now)
    # Outside of every transaction, as the router asks: it may take a while.
    travel = await ways_for(draft.arrival, features_of(draft.row), draft.in_effect, times)
    return await transact(pool, lambda connection: _outcome(connection, draft, now, travel))


async def _draft(
    connection: Connection, lead_id: UUID, giver: Giver, wish: Wish, epoch: int | None, now: datetime
) -> _Draft:
    order = Order(ordered_by=await _name_of(connection, giver), **wish._asdict())
    row = await ledger.lead(connection, lead_id)
    if row is None or row.epoch == 0:
        raise OrderRefused(f"the router has no lead {lead_id}", "is the id complete? it has 36 characters")
    snapshot, policy = await setting_in_effect(connection)
    now = no_earlier(now, row.changed_at)
    said = LeadOrdered(lead_id=lead_id, epoch=epoch or row.epoch, ordered_at=now, **dict(order))
    # The time is part of it: an order that came to nothing may be given again.
    fact_id = derived_id("ordered", lead_id, said.epoch, order.ordered_by, now.isoformat())
    fact = LEADS_ORDERED.fact(
        said, id=fact_id, source=SOURCE, subject=str(lead_id), time=now, traceparent=row.traceparent
    )
    arrival = Arrival(LEADS_ORDERED.name, str(lead_id), Ordered.of(str(fact_id), said), row.traceparent)
    return _Draft(fact, arrival, row, InEffect(snapshot, policy))


async def _outcome(connection: Connection, draft: _Draft, now: datetime, travel: Mapping[Start, Travel]) -> LeadDecided:
    found = await foresee(connection, draft.arrival, draft.in_effect, now, travel)
    if isinstance(found, StaleReason):
        raise OrderRefused(*refusal(found, ledger_of(draft.row), draft.fact.data.site_id))
    return found


async def outcome_of(pool: Pool, given: Given, wait_s: float) -> LeadDecided | None:
    """What the router decided because of the order; None when that is not known after `wait_s`."""
    try:
        async with asyncio.timeout(wait_s):
            while True:
                async with acquire(pool) as connection:
                    found = await ledger.decisions_caused(connection, [str(given.lead_id)], [str(given.fact_id)])
                if found:
                    return _DECIDED.validate_json(found[0].record)
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        return None


async def _name_of(connection: Connection, giver: Giver) -> str:
    """The name that the order keeps. An operator's name is for whoever has the operator's key."""
    operator = await operator_of(connection, giver.key)
    if operator is not None and giver.name in (None, operator):
        return operator
    if giver.name is None:
        raise OrderRefused("the order has no giver", "name yourself (--by), or set WAYPOST_OPERATOR_KEY")
    if operator is not None or giver.name in await operators.enabled(connection):
        raise OrderRefused(
            f"{giver.name} is not the owner of the key in WAYPOST_OPERATOR_KEY"
            if operator is not None
            else f"{giver.name} is an operator with a key, and WAYPOST_OPERATOR_KEY has none",
            "leave --by out: the key says who you are",
        )
    return giver.name
