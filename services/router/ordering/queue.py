"""Every lead that waits, with its reason, its age, where it is, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from services.router.db import waiting as db
from services.router.db.waiting import WaitingLead, WaitingLine
from services.router.gaps.places import places_of
from services.router.in_effect import setting_in_effect
from services.router.policy import Policy
from services.router.snapshot import Site
from shared.contracts import WaitingReason
from shared.postgres import Connection


@dataclass(frozen=True)
class Wait:
    """One lead that waits."""

    lead: WaitingLead
    place: str
    """By the network's own cities and districts; empty when nobody knows."""
    next_try: datetime | None
    """When it is tried again at the latest; None: not by the clock."""


@dataclass(frozen=True)
class Queue:
    """What waits at one moment."""

    lines: list[WaitingLine]
    waits: list[Wait]
    """As many as were asked for."""
    now: datetime


async def read_queue(connection: Connection, reason: WaitingReason | None, limit: int, now: datetime) -> Queue:
    """The queue, within the caller's transaction."""
    snapshot, policy = await setting_in_effect(connection)
    leads = await db.waiting_leads(connection, reason, limit)
    places = _places(leads, snapshot.sites)
    waits = [Wait(lead, place, _next_try(lead, policy)) for lead, place in zip(leads, places, strict=True)]
    return Queue(await db.waiting_lines(connection), waits, now)


def _places(leads: list[WaitingLead], sites: tuple[Site, ...]) -> list[str]:
    known = [place for place, lead in enumerate(leads) if lead.lat is not None]
    labels = [""] * len(leads)
    points = np.array([(leads[place].lat, leads[place].lon) for place in known], dtype=np.float64).reshape(-1, 2)
    if known:
        for place, found in zip(known, places_of(points, sites), strict=True):
            labels[place] = found.label
    return labels


def _next_try(lead: WaitingLead, policy: Policy) -> datetime | None:
    room_by = lead.decided_at + timedelta(minutes=policy.retry.full_minutes) if lead.waits_for_room else None
    return min((at for at in (room_by, lead.retry_at) if at is not None), default=None)
