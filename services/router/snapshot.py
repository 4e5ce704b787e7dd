"""The network as one immutable value: every site of a revision, and a tree of points for each kind of work.

A batch reads one snapshot from start to end; a change makes a new one beside it and swaps a reference. Nothing in here
depends on the order in which sites arrive: they are sorted by id, so an index is a rank.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.router.geo import ecef_m, surface_mm
from services.router.sites import ALWAYS, Offering, Schedule, Site, WorkingTime, network_digest
from services.router.vehicles import ANY, VehicleNames, works_on
from shared.vocabulary import Capability, SiteKind, SiteStatus

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

__all__ = ["Offer", "Site", "Snapshot", "TreeKey"]

_CAPABILITY_BIT = {capability: 1 << bit for bit, capability in enumerate(Capability)}
_KIND_BIT = {kind: 1 << bit for bit, kind in enumerate(SiteKind)}

# 28 bits number 268 million sites and leave 35 for the distance: half the earth in millimetres needs 35.
_INDEX_BITS = 28
_INDEX_MASK = (1 << _INDEX_BITS) - 1

NOBODY_MM = (1 << 35) - 1
"""Where `nearest_by_key` found nobody more: farther than any place on earth."""


class TreeKey(NamedTuple):
    """Which sites a tree holds: those that may do the work, can do it, and do it on this kind of vehicle."""

    capabilities: int
    kinds: int
    skills: tuple[str, ...] = ()
    """Required, all of them; sorted."""
    barred: tuple[str, ...] = ()
    """Partners whose sites are left out; sorted."""
    vehicle: str = ANY
    """As `VehicleNames.kind_of` says."""

    @classmethod
    def of(
        cls,
        capabilities: Iterable[Capability],
        kinds: Iterable[SiteKind],
        skills: Iterable[str] = (),
        barred: Iterable[str] = (),
    ) -> "TreeKey":
        """The key for required capabilities and skills (all of them), allowed kinds (any) and barred partners."""
        return cls(
            sum(_CAPABILITY_BIT[capability] for capability in set(capabilities)),
            sum(_KIND_BIT[kind] for kind in set(kinds)),
            tuple(sorted(set(skills))),
            tuple(sorted(set(barred))),
        )

    def for_vehicle(self, kind: str) -> "TreeKey":
        """The same work on this kind of vehicle."""
        return self if kind == self.vehicle else self._replace(vehicle=kind)

    def at_centers(self) -> "TreeKey":
        """The same work at delivery centers, which may do everything."""
        return self._replace(kinds=_KIND_BIT[SiteKind.DELIVERY_CENTER])


class Offer(NamedTuple):
    """What a decision needs of a site, in one tuple that stays in one cache line."""

    site_id: str
    limit: float
    """Most leads held at a time, at least 1; infinity without a limit, so that one comparison serves both."""
    weight: int


class Tree(NamedTuple):
    """The open sites of one key; `members[i]` is the snapshot index of the tree's point i."""

    points: "cKDTree[None] | None"
    members: NDArray[np.int64]
    """One more than there are points: a search names the last where it finds nobody more."""
    fit: NDArray[np.bool_]
    """Whether a site is in it, by snapshot index."""

    @property
    def size(self) -> int:
        """How many sites it has."""
        return self.members.size - 1


class Snapshot:
    """One network revision, ready to be asked. Never changed after `build`; safe to share between threads."""

    def __init__(self, sites: tuple[Site, ...], revision: int) -> None:
        self.sites = sites
        self.revision = revision
        self._index = {site.site_id: i for i, site in enumerate(sites)}
        self._points = ecef_m([site.lat for site in sites], [site.lon for site in sites])
        self._points.flags.writeable = False
        # What stands together is kept together: at 100,000 sites a search waits for memory more than it computes.
        self._by_place = _tree(self._points).indices if sites else np.empty(0, dtype=np.intp)
        self.offers = [
            Offer(s.site_id, float("inf") if s.open_lead_limit is None else s.open_lead_limit, s.weight) for s in sites
        ]
        self.site_ids = np.array([site.site_id for site in sites], dtype=np.str_)
        """Of every site by index, side by side, like the next two: those of a whole batch are taken out at once."""
        self.limits = np.array([offer.limit for offer in self.offers], dtype=np.float64)
        self.weights = np.array([offer.weight for offer in self.offers], dtype=np.int64)
        self._capabilities = np.array(
            [sum([_CAPABILITY_BIT[c] for c in site.capabilities]) for site in sites], dtype=np.int64
        )
        self._kinds = np.array([_KIND_BIT[site.kind] for site in sites], dtype=np.int64)
        self._open = np.array([site.status is SiteStatus.OPEN for site in sites], dtype=np.bool_)
        # Sites share few offerings: a tree looks at each of those once, not at a hundred thousand sites.
        places: dict[Offering, int] = {}
        self._offering_of = np.array([places.setdefault(s.offering, len(places)) for s in sites], dtype=np.int64)
        self._offerings = list(places)
        self._trees: dict[TreeKey, Tree] = {}
        self.vehicles = VehicleNames(offering.vehicles for offering in self._offerings)
        """What the vehicle of a lead comes to in this network."""
        self.partners = {site.site_id: site.offering.partner for site in sites if site.offering.partner}
        """Who runs a site, by site id; the maker's own are not in it."""
        self.schedules = _schedules(sites)
        """When a site works, by site id; a site that nothing restricts is not in it."""
        self.daily_limits = {s.site_id: s.daily_lead_limit for s in sites if s.daily_lead_limit is not None}
        """Most leads given on one day, by site id; a site without such a limit is not in it."""
        # Few, and every batch asks for them.
        self._dated = [(site_id, when) for site_id, when in self.schedules.items() if when.is_dated]

    @classmethod
    def build(cls, sites: Sequence[Site], revision: int) -> "Snapshot":
        """The snapshot of `sites`, in any order. Raises ValueError when two share an id."""
        ordered = tuple(sorted(sites, key=lambda site: site.site_id))
        for one, two in pairwise(ordered):
            if one.site_id == two.site_id:
                raise ValueError(f"two sites have the id {one.site_id}")
        return cls(ordered, revision)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the network, as it was announced; half as dear as all the rest, and a router never asks."""
        return network_digest(self.sites)

    def warm(self, keys: Iterable[TreeKey]) -> "Snapshot":
        """Build the trees of `keys` now (in a worker thread) and not under the first lead that needs them."""
        for key in keys:
            self.tree(key)
        return self

    def index_of(self, site_id: str) -> int | None:
        """Where the site stands in `sites`; None when the revision does not have it."""
        return self._index.get(site_id)

    def get(self, site_id: str) -> Site | None:
        """The site of this id, whatever its status."""
        index = self._index.get(site_id)
        return None if index is None else self.sites[index]

    def count(self, key: TreeKey) -> int:
        """How many open sites can do this work."""
        return self.tree(key).size

    def serves(self, index: int, key: TreeKey) -> bool:
        """Whether the site can do this work on this vehicle, whatever its kind, partner and status."""
        offering = self.sites[index].offering
        return (
            bool(self._capabilities[index] & key.capabilities == key.capabilities)
            and offering.skills.issuperset(key.skills)
            and works_on(offering.vehicles, key.vehicle)
        )

    def admits(self, index: int, key: TreeKey) -> bool:
        """Whether the site is of an allowed kind."""
        return bool(self._kinds[index] & key.kinds)

    def holds(self, key: TreeKey, index: int) -> bool:
        """Whether the site is one of those that `nearest` finds for this key."""
        return bool(self.tree(key).fit[index])

    def bars(self, index: int, key: TreeKey) -> bool:
        """Whether the site's partner is left out."""
        return self.sites[index].offering.partner in key.barred

    def is_open(self, index: int) -> bool:
        """Whether the site receives leads at all."""
        return bool(self._open[index])

    def can_be_full(self, site_id: str) -> bool:
        """Whether the site has a limit, of open leads or of a day's."""
        index = self._index.get(site_id)
        return index is not None and (self.offers[index].limit != math.inf or site_id in self.daily_limits)

    def out_of_business(self, at: datetime) -> frozenset[str]:
        """Sites whose first day has not come, or whose last day is over."""
        return frozenset([site_id for site_id, when in self._dated if not when.is_in_business(at)])

    def last_opening(self, until: datetime) -> datetime | None:
        """The latest moment up to `until` at which a site began its business; None when none did."""
        openings = [when.opened_at for _, when in self._dated if when.opened_at is not None]
        return max((opening for opening in openings if opening <= until), default=None)

    def today(self, at: datetime) -> dict[str, date]:
        """The day that it is at each site with a daily limit."""
        days: dict[str, date] = {}
        by_zone: dict[str, date] = {}
        for site_id in self.daily_limits:
            zone = self.sites[self._index[site_id]].time_zone
            if zone not in by_zone:
                by_zone[zone] = at.astimezone(ZoneInfo(zone)).date()
            days[site_id] = by_zone[zone]
        return days

    def next_day(self, site_id: str, at: datetime) -> datetime:
        """When the present day of the site ends, in UTC."""
        zone = ZoneInfo(self.sites[self._index[site_id]].time_zone)
        tomorrow = at.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), zone).astimezone(UTC)

    def point(self, index: int) -> tuple[float, float]:
        """Where the site is: latitude and longitude in WGS-84 degrees."""
        site = self.sites[index]
        return site.lat, site.lon

    def distance_mm(self, point_m: NDArray[np.float64], index: int) -> int:
        """Millimetres from one point (earth-centred metres, shape (3,)) to one site."""
        x_m, y_m, z_m = (point_m - self._points[index]).tolist()
        # Summed as the tree sums: a site is as far alone as among its neighbours. A dot product rounds otherwise.
        return int(surface_mm(math.sqrt(x_m * x_m + y_m * y_m + z_m * z_m)))

    def nearest(
        self, key: TreeKey, points_m: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The k nearest open sites of `key` for n points (earth-centred metres, shape (n, 3)).

        Two arrays (n, m), m = min(k, how many there are): distances in mm and indexes into `sites`, ordered by
        distance, then site id. Where the last distance ties with sites beyond it, which of them are shown is open:
        only what is nearer than the last column is complete.
        """
        width = min(k, self.count(key))
        distances_mm, indexes = self.nearest_by_key({key: range(len(points_m))}, points_m, width)
        return distances_mm, indexes

    def nearest_by_key(
        self, places_by_key: Mapping[TreeKey, Sequence[int]], points_m: NDArray[np.float64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`nearest` for many points at once, each (by its place in `points_m`) under one key or none.

        Always k columns: where a key has fewer sites, and for a point without a key, the rest are NOBODY_MM.
        """
        chords_m = np.full((len(points_m), k), np.inf)
        found = np.zeros((len(points_m), k), dtype=np.int64)
        # A list of ranks always answers with two axes, also for one neighbour.
        ranks = list(range(1, k + 1))
        for key, places in places_by_key.items():
            tree = self.tree(key)
            if tree.points is not None and places and k:
                rows = np.array(places, dtype=np.intp)
                chords_m[rows], points = tree.points.query(points_m[rows], k=ranks)
                found[rows] = tree.members[points]
        ranked = (surface_mm(chords_m) << _INDEX_BITS) | found
        ranked[np.isinf(chords_m)] = NOBODY_MM << _INDEX_BITS
        ranked.sort(axis=1)
        return ranked >> _INDEX_BITS, ranked & _INDEX_MASK

    def tree(self, key: TreeKey) -> Tree:
        """The tree of `key`, made on first use. Two threads that race make the same tree twice: harmless."""
        tree = self._trees.get(key)
        if tree is None:
            fit = (
                self._open & (self._capabilities & key.capabilities == key.capabilities) & (self._kinds & key.kinds > 0)
            )
            if key.skills or key.barred or key.vehicle != ANY:
                offered = np.array([_offers(offering, key) for offering in self._offerings], dtype=np.bool_)
                fit = fit & offered[self._offering_of]
            members = self._by_place[fit[self._by_place]]
            points = _tree(self._points[members]) if members.size else None
            tree = Tree(points, np.append(members, 0), fit)
            self._trees[key] = tree
        return tree


def _offers(offering: Offering, key: TreeKey) -> bool:
    return (
        offering.partner not in key.barred
        and offering.skills.issuperset(key.skills)
        and works_on(offering.vehicles, key.vehicle)
    )


def _schedules(sites: Iterable[Site]) -> dict[str, Schedule]:
    """Sites that work alike share one schedule, and with it what it has worked out."""
    alike: dict[WorkingTime, Schedule] = {}
    schedules: dict[str, Schedule] = {}
    for site in sites:
        when = site.working_time
        if when != ALWAYS:
            if when not in alike:
                alike[when] = Schedule(when)
            schedules[site.site_id] = alike[when]
    return schedules


def _tree(points_m: NDArray[np.float64]) -> "cKDTree[None]":
    # Imported here: most commands ask nobody for the nearest, and loading SciPy is a third of what they do.
    from scipy.spatial import cKDTree

    return cKDTree(points_m)
