"""The choice in the case of most leads: the nearest sites are free, and nothing else has a say."""

from collections.abc import Iterable
from itertools import repeat

from services.router.domain.candidates import Row, candidates_text, settle_tie
from services.router.domain.doors import Doors
from services.router.domain.room import Room
from services.router.domain.search import NOBODY_MET, Met, Ring
from services.router.domain.shares import Shares
from services.router.policy import Policy
from shared.contracts import Lost

_FARTHER = f'"lost":"{Lost.FARTHER.value}"}}'
_FULL = f'"lost":"{Lost.FULL.value}"}}'
_OUTSIDE_RADIUS = f'"lost":"{Lost.OUTSIDE_RADIUS.value}"}}'
_TOO_FAR = f'"lost":"{Lost.TOO_FAR.value}"}}'
_HOLDS_NONE = f',"load":0,{_FARTHER}'

_USUAL = 5
"""How many candidates a policy shows when it says nothing else: their text is written without a loop."""


class Shortcut:
    """Says what `Chooser.choose` says, at less than a third of its price, or that it takes a closer look.

    Only for leads without a wish, a barrier on their way, a try behind them or travel times.
    """

    __slots__ = (
        "_doors",
        "_ends",
        "_limits",
        "_loads",
        "_place_of",
        "_prefers_open",
        "_queued",
        "_room",
        "_shares",
        "_site_ids",
        "_weights",
    )

    def __init__(self, policy: Policy, doors: Doors, room: Room, shares: Shares | None) -> None:
        """`doors`, `room` and `shares` are those of the batch; `meet` before the first `take`."""
        self._prefers_open = policy.hours.prefer_open_within_km > 0
        self._doors = doors
        self._room = room
        self._shares = shares
        self.meet(NOBODY_MET)

    def meet(self, met: Met) -> None:
        """The rings to come are about these sites, of which this batch has changed none yet."""
        self._site_ids, self._limits, self._weights = met
        self._loads = list(map(self._room.loads.get, met.site_ids, repeat(0)))
        self._ends = [_HOLDS_NONE] * len(met.site_ids)
        """How the text of a candidate ends where somebody nearer won."""
        self._place_of: dict[str, int] | None = None
        for place, load in enumerate(self._loads):
            if load:
                self._hold(place, load)
        lines = self._room.queues.lines
        self._queued = {place for place, site_id in enumerate(met.site_ids) if site_id in lines} if lines else set()
        """Sites for which somebody waits: that they have room says little."""

    def see_queues(self, site_ids: Iterable[str]) -> None:
        """Somebody waits for these sites now."""
        self._queued.update(place for place in map(self._places().get, site_ids) if place is not None)

    def see(self, site_id: str) -> None:
        """The load of this site is another now, and not by `take`."""
        place = self._places().get(site_id)
        if place is not None:
            self._hold(place, self._room.load(site_id))

    def _places(self) -> dict[str, int]:
        if self._place_of is None:
            self._place_of = {met: place for place, met in enumerate(self._site_ids)}
        return self._place_of

    def take(self, lead_id: str, ring: Ring) -> tuple[str, int, str] | None:
        """The site that gets the lead, how far it is in metres, and the candidates as the record shows them.

        None: a closer look may find otherwise. The site's load counts this lead from now on.
        """
        places, metres, equal, inside, _ = ring
        if not equal or (self._queued and self._may_be_kept(places)):
            return None
        if equal == 1:
            winner, away_m = places[0], metres[0]
            site_id, load = self._site_ids[winner], self._loads[winner]
            if load >= self._limits[winner] or (self._prefers_open and not self._doors.is_open(site_id)):
                return None
            behind = self._four_behind(places, metres) if inside == _USUAL == len(places) else self._behind(ring)
            text = f'{{"site_id":"{site_id}","distance_m":{away_m},"load":{load}}}{behind}'
        else:
            rows = self._equals(ring)
            if rows is None:
                return None
            among = settle_tie(lead_id, rows, list(range(equal)))
            winner, away_m = places[among], metres[among]
            site_id, load = self._site_ids[winner], self._loads[winner]
            text = candidates_text(rows, self._room) + self._behind(ring)
        self._room.seen[site_id] = load + 1
        self._hold(winner, load + 1)
        if self._shares is not None:
            self._shares.take(site_id)
        return site_id, away_m, text

    def _may_be_kept(self, places: list[int]) -> bool:
        """Whether any of these sites has room that may be for somebody who waits for it."""
        return any(place in self._queued and self._loads[place] < self._limits[place] for place in places)

    def _hold(self, place: int, load: int) -> None:
        self._loads[place] = load
        self._ends[place] = f',"load":{load},{_FARTHER if load < self._limits[place] else _FULL}'

    def _four_behind(self, places: list[int], metres: list[int]) -> str:
        """`_behind` for one winner and four others, all of them in the radius."""
        ids, ends = self._site_ids, self._ends
        _, a, b, c, d = places
        _, a_m, b_m, c_m, d_m = metres
        return (
            f',{{"site_id":"{ids[a]}","distance_m":{a_m}{ends[a]},{{"site_id":"{ids[b]}","distance_m":{b_m}{ends[b]}'
            f',{{"site_id":"{ids[c]}","distance_m":{c_m}{ends[c]},{{"site_id":"{ids[d]}","distance_m":{d_m}{ends[d]}'
        )

    def _behind(self, ring: Ring) -> str:
        """The texts of the sites beyond the tie band, each with a comma before it."""
        places, metres, equal, inside, reachable = ring
        text = ""
        for nth in range(equal, len(places)):
            place = places[nth]
            end = self._ends[place]
            if nth >= inside:
                end = f',"load":{self._loads[place]},{_OUTSIDE_RADIUS if nth < reachable else _TOO_FAR}'
            text += f',{{"site_id":"{self._site_ids[place]}","distance_m":{metres[nth]}{end}'
        return text

    def _equals(self, ring: Ring) -> list[Row] | None:
        """The equally near sites; None when anything but load and weight may decide among them."""
        if self._shares is not None or self._prefers_open:
            return None
        places, metres, equal, _, _ = ring
        rows: list[Row] = []
        for place, away_m in zip(places[:equal], metres, strict=False):
            load = self._loads[place]
            if load >= self._limits[place]:
                return None
            rows.append((away_m * 1000, self._site_ids[place], load, None, self._weights[place], 0))
        return rows
