"""The choice in the case of most leads: the nearest sites are free, and nothing else has a say."""

from services.router.domain.candidates import Row, candidates_text, settle_tie
from services.router.domain.doors import Doors
from services.router.domain.room import Room
from services.router.domain.search import Ring
from services.router.domain.shares import Shares
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import Lost

_FARTHER = Lost.FARTHER.value
_FULL = Lost.FULL.value
_TOO_FAR = Lost.TOO_FAR.value
_OUTSIDE_RADIUS = Lost.OUTSIDE_RADIUS.value


class Shortcut:
    """Says what `Chooser.choose` says, at a third of its price, or that it takes a closer look.

    Only for leads without a wish, a barrier on their way, a try behind them or travel times.
    """

    __slots__ = ("_doors", "_loads", "_offers", "_prefers_open", "_room", "_seen", "_shares")

    def __init__(self, snapshot: Snapshot, policy: Policy, doors: Doors, room: Room, shares: Shares | None) -> None:
        """`doors`, `room` and `shares` are those of the batch."""
        self._offers = snapshot.offers
        self._prefers_open = policy.hours.prefer_open_within_km > 0
        self._doors = doors
        self._room = room
        self._seen = room.seen
        self._loads = room.loads
        self._shares = shares

    def take(self, lead_id: str, ring: Ring) -> tuple[str, int, str] | None:
        """The site that gets the lead, how far it is in metres, and the candidates as the record shows them.

        None: a closer look may find otherwise. The site's load counts this lead from now on.
        """
        offers, seen, loads = self._offers, self._seen, self._loads
        site_ids, indexes, metres, equal, inside, reachable = ring
        if not equal:
            return None
        if equal == 1:
            site_id = site_ids[0]
            load = seen.get(site_id)
            if load is None:
                load = loads.get(site_id, 0)
            if (load and load >= offers[indexes[0]].limit) or (self._prefers_open and not self._doors.is_open(site_id)):
                return None
            winner_id, winner_load, winner_m = site_id, load, metres[0]
            texts = [f'{{"site_id":"{site_id}","distance_m":{winner_m},"load":{load}}}']
        else:
            rows = self._equals(ring)
            if rows is None:
                return None
            winner = settle_tie(lead_id, rows, list(range(equal)))
            _, winner_id, winner_load, _, _, _ = rows[winner]
            winner_m = metres[winner]
            texts = [candidates_text(rows, self._room)]
        for place in range(equal, len(site_ids)):
            site_id = site_ids[place]
            load = seen.get(site_id)
            if load is None:
                load = loads.get(site_id, 0)
            if place >= inside:
                lost = _OUTSIDE_RADIUS if place < reachable else _TOO_FAR
            else:
                lost = _FULL if load and load >= offers[indexes[place]].limit else _FARTHER
            texts.append(f'{{"site_id":"{site_id}","distance_m":{metres[place]},"load":{load},"lost":"{lost}"}}')
        seen[winner_id] = winner_load + 1
        if self._shares is not None:
            self._shares.take(winner_id)
        return winner_id, winner_m, ",".join(texts)

    def _equals(self, ring: Ring) -> list[Row] | None:
        """The equally near sites; None when anything but load and weight may decide among them."""
        if self._shares is not None or self._prefers_open:
            return None
        _, indexes, metres, equal, _, _ = ring
        rows: list[Row] = []
        for index, away_m in zip(indexes[:equal], metres[:equal], strict=True):
            site_id, limit, weight = self._offers[index]
            load = self._room.load(site_id)
            if load >= limit:
                return None
            rows.append((away_m * 1000, site_id, load, None, weight, 0))
        return rows
