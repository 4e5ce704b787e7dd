"""Whose doors are open while one batch is decided."""

from datetime import datetime

from services.router.snapshot import Snapshot


class Doors:
    """The working times of a snapshot at one moment; each site is looked at once."""

    __slots__ = ("_now", "_open", "_schedules", "out_of_business")

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self._schedules = snapshot.schedules
        self._now = now
        self._open: dict[str, bool] = {}
        self.out_of_business = snapshot.out_of_business(now)
        """Sites whose first day has not come or whose last is over: no lead goes there."""

    def is_open(self, site_id: str) -> bool:
        """Whether somebody is there now; yes for a site of unknown hours."""
        is_open = self._open.get(site_id)
        if is_open is None:
            schedule = self._schedules.get(site_id)
            is_open = self._open[site_id] = schedule is None or schedule.is_open(self._now)
        return is_open
