"""Unmet demand, measured: where each lead is, how far it may go, and the nearest open site that could serve it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.gaps.places import Place, places_of
from services.router.geo import ecef_m
from services.router.policy import Policy
from services.router.sites import Schedule, Site
from services.router.snapshot import Snapshot
from shared.points import no_position
from shared.vocabulary import Intent, SiteStatus

TRAVELLED_FAR = "travelled_far"
"""Stands as a reason beside those of waiting: the lead has a site, but one that is far away."""

_DECIMALS = 4
"""What facts carry (docs/decisions/0001): finer points are nobody's business here."""


class Unmet(NamedTuple):
    """Leads of one intent at one point that lack a site for one reason; no id of any of them."""

    intent: Intent
    lat: float | None
    """WGS-84 degrees; None: nobody could say where the lead is."""
    lon: float | None
    reason: str
    leads: int
    oldest: datetime
    """When the first of them was received."""
    travelled_m: int | None = None
    """How far away their site is, when they have one."""


@dataclass(frozen=True)
class Demand:
    """Unmet demand that has a point, and what the network is to it; every field has one entry for each of `unmet`."""

    unmet: tuple[Unmet, ...]
    lat_lon: NDArray[np.float64]
    """(n, 2) WGS-84 degrees, rounded as facts are."""
    points_m: NDArray[np.float64]
    """(n, 3) earth-centred metres."""
    places: tuple[Place, ...]
    leads: NDArray[np.float64]
    reach_m: NDArray[np.float64]
    """Metres along the ground that the policy lets the intent go."""
    charged_m: NDArray[np.float64]
    """What a lead costs without a new site: its reach when it waits, the way to its site when it travelled."""
    nearest: tuple[Site | None, ...]
    """The nearest open site of an allowed kind with every required capability, full or not."""
    nearest_m: NDArray[np.float64]
    """Metres along the ground to it; infinite when there is none."""

    def entries(self) -> Iterator["Entry"]:
        """The demand entry by entry, for showing."""
        for row, one in enumerate(self.unmet):
            site = self.nearest[row]
            yield Entry(
                float(self.lat_lon[row, 0]),
                float(self.lat_lon[row, 1]),
                one,
                self.places[row],
                site,
                None if site is None else float(self.nearest_m[row]) / 1000,
            )

    def total(self, chosen: NDArray[np.bool_] | None = None) -> int:
        """Leads of all entries, or of the chosen ones."""
        return int(self.leads.sum() if chosen is None else self.leads[chosen].sum())


class Entry(NamedTuple):
    """One entry of a demand; the point is the rounded one."""

    lat: float
    lon: float
    unmet: Unmet
    place: Place
    nearest: Site | None
    nearest_km: float | None


def measure(unmet: Sequence[Unmet], snapshot: Snapshot, policy: Policy) -> tuple[Demand, int]:
    """The demand that has a point, and the number of leads that have none; 0, 0 in an old ledger is none."""
    located = tuple(
        sorted(
            one for one in unmet if one.lat is not None and one.lon is not None and not no_position(one.lat, one.lon)
        )
    )
    unplaced = sum(one.leads for one in unmet) - sum(one.leads for one in located)
    lat_lon = np.round(np.array([(one.lat, one.lon) for one in located], dtype=np.float64).reshape(-1, 2), _DECIMALS)
    points_m = ecef_m(lat_lon[:, 0], lat_lon[:, 1])
    reach_m = np.array([policy.intents[one.intent].max_distance_km * 1000 for one in located], dtype=np.float64)
    travelled_m = np.array([np.nan if one.travelled_m is None else one.travelled_m for one in located])
    nearest, nearest_m = _nearest(located, points_m, snapshot, policy)
    demand = Demand(
        located,
        lat_lon,
        points_m,
        tuple(places_of(lat_lon, snapshot.sites)),
        np.array([one.leads for one in located], dtype=np.float64),
        reach_m,
        np.where(np.isnan(travelled_m), reach_m, travelled_m),
        nearest,
        nearest_m,
    )
    return demand, unplaced


def in_business(snapshot: Snapshot, at: datetime) -> Snapshot:
    """The network as of a moment: an open site before its first day counts as planned, after its last as closed."""
    away = snapshot.out_of_business(at)
    if not away:
        return snapshot
    return Snapshot.build(
        [_as_of(site, at) if site.site_id in away else site for site in snapshot.sites], snapshot.revision
    )


def capable_sites(demand: Demand, snapshot: Snapshot, policy: Policy) -> tuple[Site, ...]:
    """Sites that can serve any of the demanded intents, in site-id order, whatever their status."""
    rules = [policy.intents[intent] for intent in sorted({one.intent for one in demand.unmet})]
    return tuple(
        site
        for index, site in enumerate(snapshot.sites)
        if any(snapshot.serves(index, rule.key) and snapshot.admits(index, rule.key) for rule in rules)
    )


def is_waiting(unmet: Unmet) -> bool:
    """Whether these leads have no site at all."""
    return unmet.travelled_m is None


def _as_of(site: Site, at: datetime) -> Site:
    if site.status is not SiteStatus.OPEN:
        return site
    begins = Schedule(site.working_time).opened_at
    is_coming = begins is not None and begins > at
    return replace(site, status=SiteStatus.PLANNED if is_coming else SiteStatus.CLOSED)


def _nearest(
    unmet: Sequence[Unmet], points_m: NDArray[np.float64], snapshot: Snapshot, policy: Policy
) -> tuple[tuple[Site | None, ...], NDArray[np.float64]]:
    sites: list[Site | None] = [None] * len(unmet)
    away_m = np.full(len(unmet), np.inf)
    for intent in sorted({one.intent for one in unmet}):
        rows = [row for row, one in enumerate(unmet) if one.intent is intent]
        distances_mm, found = snapshot.nearest(policy.intents[intent].key, points_m[rows], 1)
        if found.shape[1] == 0:
            continue
        away_m[rows] = distances_mm[:, 0] / 1000
        for row, index in zip(rows, found[:, 0].tolist(), strict=True):
            sites[row] = snapshot.sites[index]
    return tuple(sites), away_m
