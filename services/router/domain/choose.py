"""Which of the nearest sites gets one lead, and why each of the others does not."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.domain.by_time import ByTime
from services.router.domain.candidates import (
    MAX_LISTED,
    NO_SHARES,
    Row,
    candidates_text,
    listed,
    settle_tie,
    why_nobody,
    within_reach,
)
from services.router.domain.doors import Doors
from services.router.domain.ledger import Held, LeadFeatures, StaleReason, Stay, Travel
from services.router.domain.preference import NO_PREFERENCE, Preference, weigh_preference
from services.router.domain.queues import Queues
from services.router.domain.reach import BEYOND_EVERYTHING_MM, Growing, Reach
from services.router.domain.room import Room
from services.router.domain.search import NO_RING, Hit, Hits, Met, Point, Ring
from services.router.domain.shares import Shares
from services.router.domain.shortcut import Shortcut
from services.router.domain.ways import Way, near, ways_to
from services.router.geo import ecef_m
from services.router.policy import Policy
from services.router.snapshot import Snapshot, TreeKey
from shared.contracts import Lost, Measure, WaitingReason, WhyDistance

# Plain texts: an enum member costs the inner loop a call each.
_FARTHER = Lost.FARTHER.value
_FULL = Lost.FULL.value
_FULL_TODAY = Lost.FULL_TODAY.value
_NO_ROOM = (_FULL, _FULL_TODAY)
_DECLINED = Lost.DECLINED.value
_TOO_FAR = Lost.TOO_FAR.value
_OUTSIDE_RADIUS = Lost.OUTSIDE_RADIUS.value
_CLOSED_NOW = Lost.CLOSED_NOW.value
_NOT_IN_BUSINESS = Lost.NOT_IN_BUSINESS.value


_BY_TIME = f',"measure":"{Measure.TRAVEL_TIME.value}"'
_BY_DISTANCE = f',"measure":"{Measure.DISTANCE_FALLBACK.value}","why_distance":'


class Choice(NamedTuple):
    """The winner, or the reason why there is none; and the candidates as the record shows them."""

    site_id: str
    """Empty when nobody won."""
    distance_mm: int
    """In a straight line."""
    waiting: WaitingReason | None
    preferred: str
    candidates: str
    measure: str = ""
    """What the record says after the candidates; empty when no travel times were wanted."""
    retry_at: datetime | None = None
    """When waiting may end though nothing changed: the day of a site that was full today is over, the radius grows."""
    stay: str = ""
    """What the record says of a rule that wanted the person to stay; empty when none did."""
    radius_mm: int = 0
    """How far was looked, where the policy's steps decided that; 0 elsewhere."""
    full: tuple[str, ...] = ()
    """As in `Decided`."""
    full_today: tuple[str, ...] = ()


class Chooser:
    """Chooses for the leads of one batch, in order: each lead that a site takes is load that the next one sees."""

    __slots__ = (
        "_band_mm",
        "_barriers",
        "_by_time",
        "_doors",
        "_growing",
        "_has_barriers",
        "_keep",
        "_now",
        "_open_first_mm",
        "_queues",
        "_replaying",
        "_room",
        "_shares",
        "_snapshot",
        "_stay_within_mm",
        "shortcut",
    )

    def __init__(
        self, snapshot: Snapshot, policy: Policy, held: Held, now: datetime, *, replaying: bool = False
    ) -> None:
        self._snapshot = snapshot
        self._now = now
        self._doors = Doors(snapshot, now)
        self._queues = Queues(held.queues, held.ahead)
        self._room = Room(held.loads, held.taken_today, snapshot.daily_limits, self._queues)
        self._shares = Shares(policy, snapshot, held.given, held.behind) if policy.shares else None
        self._band_mm = round(policy.tie_band_m * 1000)
        self._keep = policy.candidates
        self._barriers = policy.detours
        self._has_barriers = bool(self._barriers)
        self._open_first_mm = round(policy.hours.prefer_open_within_km * 1_000_000)
        self._stay_within_mm = {rule.name: round(rule.within_km * 1_000_000) for rule in policy.stay}
        self._replaying = replaying
        self._growing = Growing(snapshot, policy.detours, self._doors, self._room, now, replaying=replaying)
        self.shortcut = Shortcut(policy, self._doors, self._room, self._shares)
        """Knows most leads' choice at once."""
        self._by_time = (
            ByTime(snapshot, policy, self._doors, self._room, self._shares) if policy.travel.candidates else None
        )

    @property
    def width(self) -> int:
        """How many neighbours to fetch: a few more than are shown, because the last shown often ties with the next."""
        return self._keep + 3

    def rings(
        self,
        hits: Hits,
        radius_mm: NDArray[np.int64],
        max_mm: NDArray[np.int64],
        points: Sequence[Point | None],
    ) -> tuple[list[Ring], Met]:
        """What a record shows of each lead whose choice the shortcut may know; the distances by place in the batch."""
        rings, met = hits.rings(self._keep, self._band_mm, radius_mm, max_mm, self._apart())
        if self._has_barriers:
            rings = [
                ring
                if point is None or not ring[2] or not self._barriers.within(point, (ring[1][-1] + 1) * 1000)
                else NO_RING
                for ring, point in zip(rings, points, strict=True)
            ]
        return rings, met

    def _apart(self) -> NDArray[np.bool_] | None:
        """Sites whose day or first day has to be looked at; None when there are none."""
        site_ids = [*self._snapshot.daily_limits, *self._doors.out_of_business]
        if not site_ids:
            return None
        apart = np.zeros(len(self._snapshot.sites), dtype=np.bool_)
        apart[[index for index in map(self._snapshot.index_of, site_ids) if index is not None]] = True
        return apart

    def begin(self, lead: LeadFeatures) -> None:
        """It is the turn of this lead."""
        self._queues.begin(lead.received_at, lead.lead_id)

    def line_up(self, lead: LeadFeatures, site_ids: Sequence[str]) -> None:
        """The lead waits for these sites from now on, and for no others."""
        self._queues.leave(lead.lead_id)
        if site_ids:
            self._queues.join(lead.received_at, lead.lead_id, site_ids)
            self.shortcut.see_queues(site_ids)

    def free(self, site_id: str) -> None:
        """The site lets a lead go."""
        self._room.free(site_id)
        self.shortcut.see(site_id)

    def give(self, site_id: str, key: TreeKey, point: tuple[float, float]) -> Choice | StaleReason:
        """The site that an operator named, or why it cannot have the lead.

        Its distance, its kind, what it answered before and who waits for it do not matter: whoever names it knows
        better. Its room does: a site that may hold ten leads never holds eleven.
        """
        snapshot = self._snapshot
        index = snapshot.index_of(site_id)
        if index is None:
            return StaleReason.SITE_UNKNOWN
        if not snapshot.is_open(index) or site_id in self._doors.out_of_business:
            return StaleReason.SITE_NOT_OPEN
        if not snapshot.serves(index, key):
            return StaleReason.SITE_INCAPABLE
        load, (_, limit, weight) = self._room.load(site_id), snapshot.offers[index]
        if self._room.is_full(site_id, load, limit) is not None:
            return StaleReason.SITE_FULL
        [point_m] = ecef_m([point[0]], [point[1]])
        distance_mm = snapshot.distance_mm(point_m, index)
        detour_mm = self._barriers.detour_mm(point, snapshot.point(index))
        only: Row = (distance_mm + detour_mm, site_id, load, None, weight, detour_mm)
        candidates = candidates_text([only], self._room)
        self._take(site_id, load)
        return Choice(site_id, distance_mm, None, "none", candidates)

    def choose(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        hit: Hit,
        stay: Stay | None = None,
        weighed: Preference | None = None,
    ) -> Choice:
        """The choice for one lead, given its nearest `width` sites (fewer when there are no more).

        The chosen site's load counts this lead from now on. `weighed`: what came of its wishes, when that is known
        already.
        """
        if lead.point is None:
            raise ValueError("a lead without a place has no nearest sites")
        point_m, distances_mm, indexes = hit
        barriers = near(self._barriers, lead.point, distances_mm) if self._has_barriers else self._barriers
        has_wish = lead.preferred_site_id is not None or stay is not None
        preference, open_first_mm = NO_PREFERENCE, min(self._open_first_mm, reach.radius_mm)
        if has_wish:
            preference = weighed or self._weigh(lead, excluded, reach, point_m, stay)
            if preference.is_honoured:
                open_first_mm = 0  # whoever goes to a site for its name waits until it opens
        width = self.width
        while True:
            # Only what is nearer than the last one fetched is complete: others may tie with that one.
            horizon_mm = distances_mm[-1] if len(indexes) == width else BEYOND_EVERYTHING_MM
            ways = ways_to(self._snapshot, barriers, lead.point, distances_mm, indexes)
            choice = self._scan(lead, excluded, reach, preference, ways, horizon_mm, open_first_mm)
            if choice is not None:
                return choice
            width *= 4
            mm, index = self._snapshot.nearest(reach.key, point_m[np.newaxis], width)
            distances_mm, indexes = mm[0].tolist(), index[0].tolist()
            barriers = near(self._barriers, lead.point, distances_mm)

    def choose_by_time(
        self,
        travel: Travel,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        hit: Hit,
        stay: Stay | None = None,
        grown_past: Sequence[Row] = (),
    ) -> Choice:
        """`choose` where travel times are known: the quickest site, or else the nearest and why not the quickest.

        Whoever asks for a site by name, or stays with one, gets it as ever; times are not looked at. `grown_past`:
        full sites inside a smaller radius, which the record shows too.
        """
        if self._by_time is None:
            return self.choose(lead, excluded, reach, hit, stay)
        preference, why_distance = self._weigh(lead, excluded, reach, hit.point_m, stay), travel.why_distance
        if why_distance is None and not preference.is_honoured:
            found = self._by_time.find(lead, excluded, reach, preference, hit.point_m, travel.seconds, grown_past)
            if not isinstance(found, WhyDistance):
                (distance_mm, site_id, load, _, _, detour_mm), candidates = found
                self._take(site_id, load)
                return Choice(
                    site_id,
                    distance_mm - detour_mm,
                    None,
                    preference.verdict,
                    candidates,
                    _BY_TIME,
                    stay=preference.stay,
                )
            why_distance = found
        choice = self.choose(lead, excluded, reach, hit, stay, preference)
        if why_distance is None or preference.is_honoured:
            return choice
        return choice._replace(measure=f'{_BY_DISTANCE}"{why_distance.value}"')

    def choose_in_steps(
        self,
        travel: Travel | None,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        hit: Hit,
        stay: Stay | None = None,
    ) -> Choice:
        """`choose`, or `choose_by_time` with `travel`, inside the radius in force; what lies outside is not looked at.

        Whoever asks for a site by name, or stays with one, gets it up to the greatest distance.
        """
        if lead.point is None:
            raise ValueError("a lead without a place has no nearest sites")
        has_wish = lead.preferred_site_id is not None or stay is not None
        preference = self._weigh(lead, excluded, reach, hit.point_m, stay) if has_wish else NO_PREFERENCE
        if preference.is_honoured:
            return self.choose(lead, excluded, reach, hit, stay, preference)
        mm, grows_at, grown_past = self._growing.radius(lead, excluded, reach, lead.point, hit, self.width)
        inside = reach._replace(radius_mm=mm)
        if travel is None:
            choice = self.choose(lead, excluded, inside, hit, stay, preference)
        else:
            choice = self.choose_by_time(travel, lead, excluded, inside, hit, stay, grown_past)
        retry_at = min([at for at in (choice.retry_at, grows_at) if at is not None], default=None)
        return choice._replace(radius_mm=mm, retry_at=retry_at)

    def _weigh(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        point_m: NDArray[np.float64],
        stay: Stay | None,
    ) -> Preference:
        preference = NO_PREFERENCE
        if lead.preferred_site_id is not None:
            preference = self._weigh_one(lead, lead.preferred_site_id, excluded, reach, point_m)
        if stay is None or preference.is_honoured or stay.rule not in self._stay_within_mm:
            return preference
        within = reach._replace(max_mm=min(reach.max_mm, self._stay_within_mm[stay.rule]))
        return preference.then(stay, self._weigh_one(lead, stay.site_id, excluded, within, point_m))

    def _weigh_one(
        self,
        lead: LeadFeatures,
        wished: str,
        excluded: tuple[str, ...],
        reach: Reach,
        point_m: NDArray[np.float64],
    ) -> Preference:
        if lead.point is None:
            return NO_PREFERENCE
        return weigh_preference(
            self._snapshot, reach.key, reach.max_mm, wished, excluded, self._room, point_m,
            in_business=wished not in self._doors.out_of_business,
            barriers=self._barriers,
            point=lead.point,
        )  # fmt: skip

    def _scan(
        self,
        lead: LeadFeatures,
        excluded: tuple[str, ...],
        reach: Reach,
        preference: Preference,
        ways: list[Way],
        horizon_mm: int,
        open_first_mm: int,
        follow: int = 0,
    ) -> Choice | None:
        """The choice among the sites nearer than the horizon; None when it takes more of them to be sure.

        Up to `open_first_mm` a site that is open now goes before nearer ones that are closed; when there is none,
        the doors decide nothing. At least `follow` sites are looked at, to be shown.
        """
        room, offers, replaying = self._room, self._snapshot.offers, self._replaying
        seen, loads, full_today, queues = room.seen, room.loads, room.full_today, room.queues.lines
        keep, gone, is_open = self._keep, self._doors.out_of_business, self._doors.is_open
        _, max_mm, radius_mm, _, _ = reach
        enough = max(keep, follow)
        rows: list[Row] = []
        equal: list[int] = []
        band_end_mm = -1
        for distance_mm, index, detour_mm in ways:
            if distance_mm >= horizon_mm or (len(rows) >= enough and -1 < band_end_mm < distance_mm):
                break
            if band_end_mm < 0 and 0 < open_first_mm < distance_mm:
                break
            site_id, limit, weight = offers[index]
            load = seen.get(site_id)
            if load is None:
                load = loads.get(site_id, 0)
            lost = None
            if site_id in gone:
                lost = _NOT_IN_BUSINESS
            elif distance_mm > radius_mm:
                lost = _TOO_FAR if distance_mm > max_mm else _OUTSIDE_RADIUS
            elif site_id in excluded:
                lost = _DECLINED
            elif load >= limit or (replaying and len(rows) >= MAX_LISTED and site_id not in loads):
                lost = _FULL
            elif site_id in full_today:
                lost = _FULL_TODAY
            elif queues and site_id in queues and room.is_kept(site_id, load, limit):
                lost = _FULL
            elif -1 < band_end_mm < distance_mm:
                lost = _FARTHER
            elif open_first_mm and not is_open(site_id):
                lost = _CLOSED_NOW
            else:
                equal.append(len(rows))
                if band_end_mm < 0:
                    band_end_mm = distance_mm + self._band_mm
            rows.append((distance_mm, site_id, load, lost, weight, detour_mm))
        if open_first_mm and not equal:
            if horizon_mm <= open_first_mm:
                return None
            # That nobody is open hangs on the room of those who are, but full: the record must show them.
            full = [place for place, row in enumerate(rows[:MAX_LISTED]) if row[3] in _NO_ROOM and is_open(row[1])]
            follow = full[-1] + 1 if full else 0
            return self._scan(lead, excluded, reach, preference, ways, horizon_mm, 0, follow)
        if len(rows) < keep and horizon_mm != BEYOND_EVERYTHING_MM:
            return None
        if preference.row is not None and preference.is_honoured:
            return self._won(preference.row, preference, preference.show_winner(rows[:keep]))
        if not equal:
            if horizon_mm <= radius_mm:
                return None
            if horizon_mm != BEYOND_EVERYTHING_MM and all(row[3] == _NOT_IN_BUSINESS for row in rows):
                return None  # whether any site at all can do the work is still open
            return self._nobody(rows, preference.show(listed(rows, keep, within_reach(rows, radius_mm))), preference)
        if band_end_mm >= horizon_mm:
            return None
        behind = NO_SHARES if self._shares is None else self._shares.behind(rows, equal)
        winner = equal[0] if len(equal) == 1 else settle_tie(lead.lead_id, rows, equal, behind)
        # Rows beyond `keep` are there because they lie in the band, or before it: the choice depends on every one.
        shown = rows if len(rows) == keep else listed(rows, keep, len(rows), winner)
        if preference is not NO_PREFERENCE:
            shown = preference.show(shown)
        return self._won(rows[winner], preference, shown, behind)

    def _won(self, row: Row, preference: Preference, shown: list[Row], behind: Mapping[str, int] = NO_SHARES) -> Choice:
        distance_mm, site_id, load, _, _, detour_mm = row
        candidates = candidates_text(shown, self._room, behind)
        self._take(site_id, load)
        return Choice(site_id, distance_mm - detour_mm, None, preference.verdict, candidates, stay=preference.stay)

    def _take(self, site_id: str, load: int) -> None:
        self._room.take(site_id, load)
        self.shortcut.see(site_id)
        if self._shares is not None:
            self._shares.take(site_id)

    def _nobody(self, rows: list[Row], shown: list[Row], preference: Preference) -> Choice:
        # Of the sites that a record may list: replay knows of the others only that they had no room.
        tomorrow = [row[1] for row in rows[:MAX_LISTED] if row[3] == _FULL_TODAY]
        retry_at = min([self._snapshot.next_day(site_id, self._now) for site_id in tomorrow], default=None)
        candidates = candidates_text(shown, self._room)
        wished = [row for row in (preference.also, preference.row) if row is not None]
        full, full_today = (
            tuple(dict.fromkeys([row[1] for row in (*shown, *wished) if row[3] == lost])) for lost in _NO_ROOM
        )
        return Choice(
            "",
            0,
            why_nobody(rows),
            preference.verdict,
            candidates,
            retry_at=retry_at,
            stay=preference.stay,
            full=full,
            full_today=full_today,
        )
