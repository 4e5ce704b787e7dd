"""How much each site still takes while one batch is decided: what it holds, what it was given today, who waits."""

from collections.abc import Mapping

from services.router.domain.queues import Queues
from shared.contracts import Lost


class Room:
    """Loads, daily counts and queues as this batch has changed them; what they were before is not changed."""

    __slots__ = ("_daily_limits", "_taken", "full_today", "loads", "queues", "seen")

    def __init__(
        self, loads: Mapping[str, int], taken: Mapping[str, int], daily_limits: Mapping[str, int], queues: Queues
    ) -> None:
        """`loads`: leads that each site holds; `taken`: leads given to it today, of sites that have a daily limit."""
        self.queues = queues
        self.loads = loads
        self.seen: dict[str, int] = {}
        """Loads that are different by now: a whole copy of `loads` would cost more than the batch itself."""
        self._daily_limits = daily_limits
        self._taken = {site_id: taken.get(site_id, 0) for site_id in daily_limits}
        self.full_today = {site_id for site_id, count in self._taken.items() if count >= daily_limits[site_id]}
        """Sites that have had all the leads of their day."""

    @property
    def counts_days(self) -> bool:
        """Whether any site of the network has a daily limit."""
        return bool(self._daily_limits)

    def load(self, site_id: str) -> int:
        """Leads that the site holds at this point of the batch."""
        load = self.seen.get(site_id)
        return self.loads.get(site_id, 0) if load is None else load

    def taken_today(self, site_id: str) -> int | None:
        """Leads given to the site today; None when it has no daily limit."""
        return self._taken.get(site_id)

    def is_full(self, site_id: str, load: int, limit: float) -> Lost | None:
        """Why the site, which holds `load` leads of at most `limit`, has no place at all; None when it has."""
        if load >= limit:
            return Lost.FULL
        return Lost.FULL_TODAY if site_id in self.full_today else None

    def refuses(self, site_id: str, load: int, limit: float) -> Lost | None:
        """`is_full`, or full because its places are for leads that come before the one whose turn it is."""
        why = self.is_full(site_id, load, limit)
        if why is None and site_id in self.queues.lines and self.is_kept(site_id, load, limit):
            return Lost.FULL
        return why

    def is_kept(self, site_id: str, load: int, limit: float) -> bool:
        """Whether all its free places are for leads that come before the one whose turn it is."""
        places = limit - load
        if site_id in self._taken:
            places = min(places, self._daily_limits[site_id] - self._taken[site_id])
        return self.queues.are_all_taken(site_id, places)

    def take(self, site_id: str, load: int) -> None:
        """The site, which holds `load` leads, gets one more."""
        self.seen[site_id] = load + 1
        if site_id in self._taken:
            self._taken[site_id] += 1
            if self._taken[site_id] >= self._daily_limits[site_id]:
                self.full_today.add(site_id)

    def free(self, site_id: str) -> None:
        """The site lets a lead go. Its day does not: what was given to it today was given."""
        self.seen[site_id] = max(0, self.load(site_id) - 1)
