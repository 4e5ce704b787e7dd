"""Giving an order: checked by the engine itself on the ledger as it is, kept for publishing, and followed to its end.

The router decides for good when the fact reaches it. In between the lead may have moved on, and the order is too late;
then nothing happens to the lead, which stays where it is.
"""

import asyncio
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from services.router.db import announcements, days, ledger, loads, operators
from services.router.db.announcements import Announcement
from services.router.domain import Ask, Ordered, Stale, decide_batch
from services.router.emission import SOURCE
from services.router.in_effect import setting_in_effect
from services.router.operators import operator_of
from services.router.ordering.wording import refusal
from services.router.questions import features_of, ledger_of
from shared.contracts import LEADS_ORDERED, LeadDecided, LeadOrdered, Order, Place, Result, derived_id
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
    expected: LeadDecided
    """What the router decides, if nothing happens before it reads the order."""


class Wish(NamedTuple):
    """What is ordered; nothing at all: try again now."""

    site_id: str | None = None
    place: Place | None = None
    result: Result | None = None


class Giver(NamedTuple):
    """Who gives an order: a name, an operator's key, or both."""

    name: str | None
    key: str = ""


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
        order = Order(ordered_by=await _name_of(connection, giver), **wish._asdict())
        row = await ledger.lead(connection, lead_id)
        if row is None or row.epoch == 0:
            raise OrderRefused(f"the router has no lead {lead_id}", "is the id complete? it has 36 characters")
        snapshot, policy = await setting_in_effect(connection)
        standing, held = ledger_of(row), await loads.read(connection)
        today = snapshot.today(now)
        taken = await days.read(connection, today) if today else {}
        said = LeadOrdered(lead_id=lead_id, epoch=epoch or row.epoch, ordered_at=now, **dict(order))
        # The time is part of it: an order that came to nothing may be given again.
        fact_id = derived_id("ordered", lead_id, said.epoch, order.ordered_by, now.isoformat())
        ask = Ask(features_of(row), standing, Ordered.of(str(fact_id), said))
        [answer] = decide_batch([ask], snapshot, policy, held, now, taken)
        if isinstance(answer, Stale):
            raise OrderRefused(*refusal(answer.reason, standing, order.site_id))
        fact = LEADS_ORDERED.fact(
            said, id=fact_id, source=SOURCE, subject=str(lead_id), time=now, traceparent=row.traceparent
        )
        kept = Announcement(fact_id, LEADS_ORDERED.name, str(lead_id).encode(), fact.to_bytes())
        await announcements.add(connection, kept, now)
        return Given(fact_id, lead_id, _DECIDED.validate_json(answer.record))

    return await transact(pool, work)


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
