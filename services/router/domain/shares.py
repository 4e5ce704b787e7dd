"""How far each partner is behind its contract: a soft term that decides among equally near sites, and nowhere else."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.router.domain.candidates import Row
from services.router.policy import Contracted, Policy
from services.router.sites.hours import DEFAULT_ZONE
from services.router.snapshot import Snapshot


def month_of(now: datetime) -> date:
    """First day of the calendar month that contracts count in, wherever the city is."""
    return now.astimezone(ZoneInfo(DEFAULT_ZONE)).date().replace(day=1)


def contracted(policy: Policy, snapshot: Snapshot, site_id: str) -> Contracted | None:
    """City and partner under whose contract a lead of this site counts; None when it has none."""
    site = snapshot.get(site_id)
    if site is None or not site.offering.partner:
        return None
    key = Contracted.of(site.city, site.offering.partner)
    return key if key in policy.contracts else None


class Shares:
    """What partners were given this month, as this batch has changed it; what it was before is not changed."""

    __slots__ = ("_given", "_in_city", "_policy", "_recorded", "_snapshot")

    def __init__(
        self,
        policy: Policy,
        snapshot: Snapshot,
        given: Mapping[Contracted, int],
        recorded: Mapping[str, int] | None = None,
    ) -> None:
        """`recorded`: what a decision of the past saw, by site id; it then counts alone, whatever was given."""
        self._policy = policy
        self._snapshot = snapshot
        self._recorded = recorded
        self._given = {key: given.get(key, 0) for key in policy.contracts}
        self._in_city: dict[str, int] = {}
        for key, count in self._given.items():
            self._in_city[key.city] = self._in_city.get(key.city, 0) + count

    def behind(self, rows: Sequence[Row], equal: Sequence[int]) -> dict[str, int]:
        """For each of the equals with a contract, by site id: what its partner would miss if another got this lead.

        In hundredths of a lead: percent of the city's leads with this one, less a hundred for each one given. Empty
        where there is no tie. A record of the past may list the winner alone: what it showed is shown again.
        """
        site_ids = [rows[place][1] for place in equal]
        if self._recorded is not None:
            return {site_id: self._recorded[site_id] for site_id in site_ids if site_id in self._recorded}
        found: dict[str, int] = {}
        if len(equal) > 1:
            for site_id in site_ids:
                key = contracted(self._policy, self._snapshot, site_id)
                if key is not None:
                    percent = self._policy.contracts[key]
                    found[site_id] = percent * (self._in_city[key.city] + 1) - 100 * self._given[key]
        return found

    def take(self, site_id: str) -> None:
        """The site gets a lead."""
        key = contracted(self._policy, self._snapshot, site_id)
        if key is not None:
            self._given[key] += 1
            self._in_city[key.city] += 1
