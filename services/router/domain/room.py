"""How much each site still takes while one batch is decided: leads that it holds, and leads given to it today."""

from collections.abc import Mapping

from shared.contracts import Lost


class Room:
    """Loads and daily counts as this batch has changed them; what they were before is not changed."""

    __slots__ = ("_daily_limits", "_taken", "full_today", "loads", "seen")

    def __init__(self, loads: Mapping[str, int], taken: Mapping[str, int], daily_limits: Mapping[str, int]) -> None:
        """`loads`: leads that each site holds; `taken`: leads given to it today, of sites that have a daily limit."""
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

    def refuses(self, site_id: str, load: int, limit: float) -> Lost | None:
        """Why the site, which holds `load` leads of at most `limit`, takes no more; None when it does."""
        if load >= limit:
            return Lost.FULL
        return Lost.FULL_TODAY if site_id in self.full_today else None

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
