"""Who waits for room at full sites, as one batch has changed it: a place that is freed is for whoever came first.

A waiting lead stands in the queue of every site that would take it if it had room. How long it has been here counts,
from when it was received: not when it began to wait, and not how many sites had it before. So a newer lead may take a
place only when there are more free ones than leads before it that wait for them.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple


class Waiter(NamedTuple):
    """A lead in a queue; of two, the lesser comes first."""

    received_at: datetime
    lead_id: str


class Queues:
    """The queues of sites, and the lead whose turn it is to be decided."""

    __slots__ = ("_ahead", "_sites_of", "_turn", "behind", "lines")

    def __init__(self, lines: Mapping[str, Sequence[Waiter]], ahead: Mapping[str, int] | None = None) -> None:
        """`lines`: who waits for each site, the first first; at least as many as there may be places for.

        `ahead`: of a decision of the past, how many it saw before its lead, by site; it then counts alone.
        """
        self._ahead = ahead
        self.lines: dict[str, list[Waiter]] = {site_id: list(line) for site_id, line in lines.items()}
        """Also of sites with an empty one."""
        if ahead:
            self.lines |= {site_id: [] for site_id in ahead}
        self._sites_of: dict[str, list[str]] = {}
        for site_id, line in self.lines.items():
            for waiter in line:
                self._sites_of.setdefault(waiter.lead_id, []).append(site_id)
        self._turn: Waiter | None = None
        self.behind: dict[str, int] = {}
        """Of the lead whose turn it is: where it has to stand behind others, and how many there are."""

    def begin(self, received_at: datetime, lead_id: str) -> None:
        """It is the turn of this lead."""
        self._turn = Waiter(received_at, lead_id)
        if self.behind:
            self.behind = {}

    def are_all_taken(self, site_id: str, places: float) -> bool:
        """Whether so many free places are for leads that come before the one whose turn it is."""
        if self._ahead is not None:
            ahead = self._ahead.get(site_id, 0)
        else:
            line = self.lines.get(site_id)
            ahead = bisect_left(line, self._turn) if line and self._turn is not None else 0
        if ahead < places or not ahead:
            return False
        self.behind[site_id] = ahead
        return True

    def leave(self, lead_id: str) -> None:
        """The lead waits no more, or it is about to `join` again."""
        for site_id in self._sites_of.pop(lead_id, ()):
            self.lines[site_id] = [waiter for waiter in self.lines[site_id] if waiter.lead_id != lead_id]

    def join(self, received_at: datetime, lead_id: str, site_ids: Iterable[str]) -> None:
        """The lead waits for these sites."""
        for site_id in site_ids:
            insort(self.lines.setdefault(site_id, []), Waiter(received_at, lead_id))
            self._sites_of.setdefault(lead_id, []).append(site_id)
