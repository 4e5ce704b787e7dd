"""How far a site is looked for: an intent's greatest distance or, where the policy looks near first, a smaller radius.

The radius grows at once past steps that have nobody inside who could take the lead. One that has, but all of them are
full just now, holds the lead for a while before it grows. That while counts from when the lead was received: every
record has that moment, a try in between cannot begin it anew, and the radius of a lead never shrinks with time.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from services.router.barriers import Barriers, Point
from services.router.domain.candidates import MAX_LISTED, Row
from services.router.domain.doors import Doors
from services.router.domain.ledger import LeadFeatures
from services.router.domain.room import Room
from services.router.domain.search import Hit
from services.router.domain.ways import Way, near, ways_to
from services.router.snapshot import Snapshot, TreeKey
from shared.contracts import Lost

BEYOND_EVERYTHING_MM = 1 << 62

_FULL = Lost.FULL.value


class Reach(NamedTuple):
    """What the rule of one intent says, in the units of the search."""

    key: TreeKey
    max_mm: int
    radius_mm: int
    """How far is looked now: `max_mm`, or less while the radius grows."""
    steps: tuple[int, ...] = ()
    """What the radius is before it is `max_mm`, from the smallest; empty: it is `max_mm` at once."""
    grow_after: timedelta = timedelta()
    """How long each step with nobody but full sites holds a lead."""

    def grown_to(self, way_mm: int) -> int:
        """The radius of the first step that reaches so far, or else the greatest distance."""
        return next((step_mm for step_mm in self.steps if way_mm <= step_mm), self.max_mm)


def radius_text(radius_mm: int) -> str:
    """What a record says of how far was looked."""
    return f'"radius_m":{(radius_mm + 500) // 1000}'


class Radius(NamedTuple):
    """The radius in force for one lead."""

    mm: int
    grows_at: datetime | None
    """None: somebody inside can take the lead, or it is fully grown."""
    full: Sequence[Row]
    """Sites without room that the radius grew past: it hangs on them, so the record must show them, the nearest."""


class Growing:
    """Finds the radius of each lead of one batch."""

    __slots__ = ("_barriers", "_doors", "_now", "_replaying", "_room", "_snapshot")

    def __init__(
        self, snapshot: Snapshot, barriers: Barriers, doors: Doors, room: Room, now: datetime, *, replaying: bool
    ) -> None:
        """`doors` and `room` are those of the batch."""
        self._snapshot = snapshot
        self._barriers = barriers
        self._doors = doors
        self._room = room
        self._now = now
        self._replaying = replaying

    def radius(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        point: Point,
        hit: Hit,
        width: int,
    ) -> Radius:
        """The smallest with somebody who can take the lead now, or the one that holds it until it grows.

        `hit` has the nearest `width` sites of `point` (WGS-84 degrees).
        """
        point_m, distances_mm, indexes = hit
        while True:
            horizon_mm = distances_mm[-1] if len(indexes) == width else BEYOND_EVERYTHING_MM
            barriers = near(self._barriers, point, distances_mm)
            ways = ways_to(self._snapshot, barriers, point, distances_mm, indexes)
            radius = self._grow(lead, excluded, reach, ways, horizon_mm)
            if radius is not None:
                return radius
            width *= 4
            mm, index = self._snapshot.nearest(reach.key, point_m[np.newaxis], width)
            distances_mm, indexes = mm[0].tolist(), index[0].tolist()

    def _grow(
        self, lead: LeadFeatures, excluded: tuple[str, ...], reach: Reach, ways: list[Way], horizon_mm: int
    ) -> Radius | None:
        """None when it takes more sites than those nearer than the horizon to be sure."""
        steps, free_mm = reach.steps, BEYOND_EVERYTHING_MM
        full: list[list[Row]] = [[] for _ in steps]
        for place, (way_mm, index, detour_mm) in enumerate(ways):
            if way_mm >= horizon_mm or way_mm > steps[-1]:
                break
            site_id, limit, weight = self._snapshot.offers[index]
            if site_id in self._doors.out_of_business or site_id in excluded:
                continue
            load = self._room.load(site_id)
            why = self._room.refuses(site_id, load, limit)
            lost = None if why is None else why.value
            if self._replaying and place >= MAX_LISTED and site_id not in self._room.loads:
                lost = _FULL
            if lost is None:
                free_mm = way_mm
                break
            full[bisect_left(steps, way_mm)].append((way_mm, site_id, load, lost, weight, detour_mm))
        passed: list[Row] = []
        grows_at = lead.received_at
        for radius_mm, held_by in zip(steps, full, strict=True):
            if free_mm <= radius_mm:
                return Radius(radius_mm, None, passed)
            if horizon_mm <= radius_mm:
                return None
            if held_by:
                grows_at += reach.grow_after
                if self._now < grows_at:
                    return Radius(radius_mm, grows_at, passed)
                passed += held_by[: MAX_LISTED - len(passed)]
        return Radius(reach.max_mm, None, passed)
