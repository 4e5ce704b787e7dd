"""Which of the nearest sites gets one lead, and why each of the others does not."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.domain.candidates import MAX_LISTED, Row, candidates_text, listed, settle_tie
from services.router.domain.ledger import LeadFeatures
from services.router.domain.preference import NO_PREFERENCE, Preference, weigh_preference
from services.router.snapshot import Snapshot, TreeKey
from shared.contracts import Lost, WaitingReason

_BEYOND_EVERYTHING_MM = 1 << 62

# Plain texts: an enum member costs the inner loop a call each.
_FARTHER = Lost.FARTHER.value
_FULL = Lost.FULL.value
_DECLINED = Lost.DECLINED.value
_TOO_FAR = Lost.TOO_FAR.value


class Reach(NamedTuple):
    """What the rule of one intent says, in the units of the search."""

    key: TreeKey
    max_mm: int


class Choice(NamedTuple):
    """The winner, or the reason why there is none; and the candidates as the record shows them."""

    site_id: str
    """Empty when nobody won."""
    distance_mm: int
    waiting: WaitingReason | None
    preferred: str
    candidates: str


class Chooser:
    """Chooses for the leads of one batch, in order: each lead that a site takes is load that the next one sees."""

    __slots__ = ("_band_mm", "_keep", "_loads", "_replaying", "_seen", "_snapshot")

    def __init__(
        self, snapshot: Snapshot, loads: Mapping[str, int], tie_band_m: float, keep: int, *, replaying: bool = False
    ) -> None:
        self._snapshot = snapshot
        self._loads = loads
        # Loads as this batch has changed them; a whole copy of `loads` would cost more than the batch itself.
        self._seen: dict[str, int] = {}
        self._band_mm = round(tie_band_m * 1000)
        self._keep = keep
        self._replaying = replaying

    @property
    def width(self) -> int:
        """How many neighbours to fetch: a few more than are shown, because the last shown often ties with the next."""
        return self._keep + 3

    def load(self, site_id: str) -> int:
        """Leads that the site holds at this point of the batch."""
        load = self._seen.get(site_id)
        return self._loads.get(site_id, 0) if load is None else load

    def free(self, site_id: str) -> None:
        """The site lets a lead go."""
        self._seen[site_id] = max(0, self.load(site_id) - 1)

    def choose(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        points_m: NDArray[np.float64],
        place: int,
        distances_mm: list[int],
        indexes: list[int],
    ) -> Choice:
        """The choice for one lead, given its nearest `width` sites (fewer when there are no more).

        The lead is at `points_m[place]`. The chosen site's load counts this lead from now on.
        """
        preference = NO_PREFERENCE
        if lead.preferred_site_id is not None:
            load = self.load(lead.preferred_site_id)
            preference = weigh_preference(
                self._snapshot, reach.key, reach.max_mm, lead.preferred_site_id, excluded, load, points_m[place]
            )
        elif not excluded and (choice := self._plain(reach.max_mm, distances_mm, indexes)) is not None:
            return choice
        width = self.width
        while True:
            # Only what is nearer than the last one fetched is complete: others may tie with that one.
            horizon_mm = distances_mm[-1] if len(indexes) == width else _BEYOND_EVERYTHING_MM
            choice = self._scan(lead, excluded, reach.max_mm, preference, distances_mm, indexes, horizon_mm)
            if choice is not None:
                return choice
            width *= 4
            mm, index = self._snapshot.nearest(reach.key, points_m[place : place + 1], width)
            distances_mm, indexes = mm[0].tolist(), index[0].tolist()

    def _plain(self, max_mm: int, distances_mm: list[int], indexes: list[int]) -> Choice | None:
        """What `_scan` says, at half its price, in the case of most leads: the nearest site is alone and free."""
        keep, seen, loads, offers = self._keep, self._seen, self._loads, self._snapshot.offers
        if len(indexes) <= keep or keep == 1 or distances_mm[keep - 1] == distances_mm[keep]:
            return None
        best_mm = distances_mm[0]
        if best_mm > max_mm or best_mm + self._band_mm >= distances_mm[1]:
            return None
        winner_id, limit, _ = offers[indexes[0]]
        winner_load = seen.get(winner_id)
        if winner_load is None:
            winner_load = loads.get(winner_id, 0)
        if winner_load >= limit:
            return None
        texts = [f'{{"site_id":"{winner_id}","distance_m":{(best_mm + 500) // 1000},"load":{winner_load}}}']
        for place in range(1, keep):
            site_id, limit, _ = offers[indexes[place]]
            distance_mm = distances_mm[place]
            load = seen.get(site_id)
            if load is None:
                load = loads.get(site_id, 0)
            lost = _TOO_FAR if distance_mm > max_mm else _FULL if load >= limit else _FARTHER
            texts.append(
                f'{{"site_id":"{site_id}","distance_m":{(distance_mm + 500) // 1000},"load":{load},"lost":"{lost}"}}'
            )
        seen[winner_id] = winner_load + 1
        return Choice(winner_id, best_mm, None, "none", ",".join(texts))

    def _scan(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        max_mm: int,
        preference: Preference,
        distances_mm: list[int],
        indexes: list[int],
        horizon_mm: int,
    ) -> Choice | None:
        """The choice among the sites nearer than the horizon; None when it takes more of them to be sure."""
        seen, loads, offers, replaying = self._seen, self._loads, self._snapshot.offers, self._replaying
        keep = self._keep
        rows: list[Row] = []
        equal: list[int] = []
        band_end_mm = -1
        for distance_mm, index in zip(distances_mm, indexes, strict=True):
            if distance_mm >= horizon_mm or (len(rows) >= keep and -1 < band_end_mm < distance_mm):
                break
            site_id, limit, weight = offers[index]
            load = seen.get(site_id)
            if load is None:
                load = loads.get(site_id, 0)
            lost = None
            if distance_mm > max_mm:
                lost = _TOO_FAR
            elif site_id in excluded:
                lost = _DECLINED
            elif load >= limit or (replaying and len(rows) >= MAX_LISTED and site_id not in loads):
                lost = _FULL
            elif band_end_mm < 0:
                band_end_mm = distance_mm + self._band_mm
                equal.append(len(rows))
            elif distance_mm <= band_end_mm:
                equal.append(len(rows))
            else:
                lost = _FARTHER
            rows.append((distance_mm, site_id, load, lost, weight))
        if len(rows) < keep and horizon_mm != _BEYOND_EVERYTHING_MM:
            return None
        if preference.row is not None and preference.row[3] is None:
            shown = preference.show_winner(rows[:keep])
            distance_mm, site_id, load, _, _ = preference.row
            seen[site_id] = load + 1
            return Choice(site_id, distance_mm, None, preference.verdict, candidates_text(shown))
        if not equal:
            if horizon_mm <= max_mm:
                return None
            shown = preference.show(listed(rows, keep, _within_reach(rows)))
            return Choice("", 0, _why_nobody(rows), preference.verdict, candidates_text(shown))
        if band_end_mm >= horizon_mm:
            return None
        winner = equal[0] if len(equal) == 1 else settle_tie(lead.lead_id, rows, equal)
        # Rows beyond `keep` are there because they lie in the band, or before it: the choice depends on every one.
        shown = rows if len(rows) == keep else listed(rows, keep, len(rows), winner)
        if preference is not NO_PREFERENCE:
            shown = preference.show(shown)
        distance_mm, site_id, load, _, _ = rows[winner]
        seen[site_id] = load + 1
        return Choice(site_id, distance_mm, None, preference.verdict, candidates_text(shown))


def _within_reach(rows: list[Row]) -> int:
    return sum(1 for row in rows if row[3] != _TOO_FAR)


def _why_nobody(rows: list[Row]) -> WaitingReason:
    """Named by what would help: another site, a nearer one, a free one, or one that has not refused yet."""
    reasons = {row[3] for row in rows}
    if not reasons:
        return WaitingReason.NO_CAPABLE_SITE
    if _FULL in reasons:
        return WaitingReason.ALL_FULL
    if _DECLINED in reasons:
        return WaitingReason.ALL_DECLINED
    return WaitingReason.TOO_FAR
