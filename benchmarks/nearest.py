"""The nearest capable site alone: our tree, PostgreSQL's indexes and naive loops on the traffic of `decide`.

Processor time of the one process that searches (for PostgreSQL: of the backend), and for how many leads the site that
was found is farther than the nearest on the ground.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import process_time

from benchmarks.contest import cpu_seconds
from benchmarks.decide import Traffic
from benchmarks.peers.knn_sql import KnnPeer
from benchmarks.peers.naive_nearest import BruteForce, by_loop
from services.router.domain import LeadFeatures
from services.router.geo import ecef_m
from services.router.snapshot import Snapshot, TreeKey

FARTHER_MM = 1_000
"""Less is no other place: two sites at one point, or the sphere's rounding."""
MOST_LOOKED_AT = 5_000_000
"""Sites that the loop looks at in one measurement, some seconds."""

Found = Mapping[str, str | None]
"""Site id by lead id."""


@dataclass(frozen=True)
class Searched:
    """One contestant's search."""

    us_per_lead: float
    farther: float
    """Share of the leads that got a site farther away than the nearest, 0 to 1."""


class Search:
    """The traffic, and what is true of it."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self._snapshot = Snapshot.build(traffic.sites, 1).warm(traffic.policy.tree_keys())
        self._truth = self._nearest(traffic.leads)

    def waypost(self) -> Searched:
        """Our tree, one batch at a time, the nearest site alone."""
        found: dict[str, str | None] = {}
        started = process_time()
        for batch in self.traffic.batches:
            found.update(self._nearest(batch))
        return self._judge(found, process_time() - started)

    def loop(self) -> Searched:
        """A loop over all sites; of so many leads as some seconds allow."""
        sites, policy = self.traffic.sites, self.traffic.policy
        leads = self.traffic.leads[: MOST_LOOKED_AT // len(sites)]
        return self._one_by_one(leads, lambda lead: by_loop(lead, sites, policy))

    def brute_force(self) -> Searched:
        """numpy over all capable sites."""
        peer = BruteForce(self.traffic.sites, self.traffic.policy)
        leads = self.traffic.leads[: 20 * MOST_LOOKED_AT // len(self.traffic.sites)]
        return self._one_by_one(leads, peer.nearest)

    async def knn(self, peer: KnnPeer) -> Searched:
        """PostgreSQL, a statement for each batch; the first is not counted."""
        asked = [peer.arguments(batch) for batch in self.traffic.batches]
        await peer.fetch(*asked[0])
        started = cpu_seconds(peer.backend)
        answers = [await peer.fetch(*arguments) for arguments in asked]
        seconds = cpu_seconds(peer.backend) - started
        found: dict[str, str | None] = {}
        for batch, rows in zip(self.traffic.batches, answers, strict=True):
            found.update({batch[row["number"] - 1].lead_id: row["site_id"] for row in rows})
        return self._judge(found, seconds)

    def _one_by_one(self, leads: Sequence[LeadFeatures], nearest: Callable[[LeadFeatures], str | None]) -> Searched:
        started = process_time()
        found = {lead.lead_id: nearest(lead) for lead in leads}
        return self._judge(found, process_time() - started)

    def _nearest(self, leads: Sequence[LeadFeatures]) -> Found:
        by_key: dict[TreeKey, list[LeadFeatures]] = defaultdict(list)
        for lead in leads:
            by_key[self.traffic.policy.intents[lead.intent].key].append(lead)
        found: dict[str, str | None] = {}
        for key, alike in by_key.items():
            lats, lons = zip(*[lead.point for lead in alike if lead.point is not None], strict=True)
            _, indexes = self._snapshot.nearest(key, ecef_m(lats, lons), 1)
            for lead, [index] in zip(alike, indexes.tolist(), strict=True):
                found[lead.lead_id] = self._snapshot.sites[index].site_id
        return found

    def _judge(self, found: Found, seconds: float) -> Searched:
        others = [lead for lead in self.traffic.leads if found.get(lead.lead_id) != self._truth[lead.lead_id]]
        farther = sum(self._is_farther(lead, found[lead.lead_id]) for lead in others if lead.lead_id in found)
        return Searched(seconds / len(found) * 1e6, farther / len(found))

    def _is_farther(self, lead: LeadFeatures, site_id: str | None) -> bool:
        return self._distance_mm(lead, site_id) > self._distance_mm(lead, self._truth[lead.lead_id]) + FARTHER_MM

    def _distance_mm(self, lead: LeadFeatures, site_id: str | None) -> float:
        index = None if site_id is None else self._snapshot.index_of(site_id)
        if index is None or lead.point is None:
            return float("inf")
        return self._snapshot.distance_mm(ecef_m(*[[degrees] for degrees in lead.point])[0], index)
