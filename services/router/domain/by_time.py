"""The quickest of a few near sites, where travel times are known: a river or a bay does not fool it.

What distance decides otherwise is decided alike here, by seconds: who is eligible, how far it may go, whose doors are
open, and how a tie ends. Only these few sites are looked at; when none of them will do, distance has its turn.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.router.domain.candidates import NO_SHARES, Row, settle_tie, timed_candidates_text
from services.router.domain.doors import Doors
from services.router.domain.ledger import LeadFeatures
from services.router.domain.preference import Preference
from services.router.domain.reach import Reach
from services.router.domain.room import Room
from services.router.domain.shares import Shares
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import Lost, WhyDistance

_Known = tuple[int, Row]
"""Seconds by road, and the site as a candidate."""


class ByTime:
    """Decides by the travel times of one batch's leads."""

    def __init__(
        self, snapshot: Snapshot, policy: Policy, doors: Doors, room: Room, shares: Shares | None = None
    ) -> None:
        """`doors`, `room` and `shares` are those of the batch."""
        self._snapshot = snapshot
        self._doors = doors
        self._room = room
        self._shares = shares
        self._barriers = policy.detours
        self._band_s = policy.travel.tie_band_s
        self._open_first_mm = round(policy.hours.prefer_open_within_km * 1_000_000)

    def find(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        preference: Preference,
        point_m: NDArray[np.float64],
        seconds: Mapping[str, int | None],
        grown_past: Sequence[Row] = (),
    ) -> tuple[Row, str] | WhyDistance:
        """The winner and the candidates as the record shows them, all of them; or why distance has to decide.

        `preference` is one that was refused, or none. `point_m` is the lead's point in earth-centred metres. Of
        `grown_past`, full sites inside a smaller radius, the record shows those that were not compared at its end.
        """
        known: list[_Known] = []
        roadless: list[Row] = []
        for site_id, travel_s in seconds.items():
            row = self._row(lead, excluded, reach, point_m, site_id)
            if row is None:
                continue
            if travel_s is None:
                roadless.append(_lost(row, Lost.NO_ROUTE))
            else:
                known.append((travel_s, row))
        if not known:
            return WhyDistance.NO_ROUTE
        # Equally quick ones by distance, then site id: the order in which the engine was asked must not matter.
        known.sort(key=lambda one: (one[0], one[1][0], one[1][1]))
        rows = [row for _, row in known]
        equal = self._mark(known, rows, reach.radius_mm)
        if not equal:
            return WhyDistance.NONE_ELIGIBLE
        behind = NO_SHARES if self._shares is None else self._shares.behind(rows, equal)
        winner = equal[0] if len(equal) == 1 else settle_tie(lead.lead_id, rows, equal, behind)
        roadless.sort(key=lambda row: (row[0], row[1]))
        shown = preference.show([*rows, *roadless, *[row for row in grown_past if row[1] not in seconds]])
        return rows[winner], timed_candidates_text(shown, seconds, self._room, behind)

    def _row(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        point_m: NDArray[np.float64],
        site_id: str,
    ) -> Row | None:
        """The site as a candidate; None when it is not one that this lead's intent lets in."""
        snapshot = self._snapshot
        index = snapshot.index_of(site_id)
        if index is None or lead.point is None or not snapshot.holds(reach.key, index):
            return None
        _, limit, weight = snapshot.offers[index]
        # Barriers make no way slower, since the engine knows them; the greatest distance counts them as ever.
        detour_mm = self._barriers.detour_mm(lead.point, snapshot.point(index)) if self._barriers else 0
        way_mm, load = snapshot.distance_mm(point_m, index) + detour_mm, self._room.load(site_id)
        lost: Lost | None = None
        if site_id in self._doors.out_of_business:
            lost = Lost.NOT_IN_BUSINESS
        elif way_mm > reach.radius_mm:
            lost = Lost.TOO_FAR if way_mm > reach.max_mm else Lost.OUTSIDE_RADIUS
        elif site_id in excluded:
            lost = Lost.DECLINED
        else:
            lost = self._room.refuses(site_id, load, limit)
        return way_mm, site_id, load, None if lost is None else lost.value, weight, detour_mm

    def _mark(self, known: list[_Known], rows: list[Row], radius_mm: int) -> list[int]:
        """Places of the equally quick; writes into `rows` why the other eligible ones lost."""
        able = [place for place, row in enumerate(rows) if row[3] is None]
        if not able:
            return []
        open_first_mm, is_open = min(self._open_first_mm, radius_mm), self._doors.is_open
        closed = set()
        if open_first_mm and any(rows[place][0] <= open_first_mm and is_open(rows[place][1]) for place in able):
            closed = {place for place in able if not is_open(rows[place][1])}
        band_end_s = min(known[place][0] for place in able if place not in closed) + self._band_s
        equal = []
        for place in able:
            if known[place][0] > band_end_s:
                rows[place] = _lost(rows[place], Lost.SLOWER)
            elif place in closed:
                rows[place] = _lost(rows[place], Lost.CLOSED_NOW)
            else:
                equal.append(place)
        return equal


def _lost(row: Row, why: Lost) -> Row:
    distance_mm, site_id, load, _, weight, detour_mm = row
    return distance_mm, site_id, load, why.value, weight, detour_mm
