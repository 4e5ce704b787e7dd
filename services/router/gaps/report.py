"""The report of `waypost network gaps`: the gaps by city and district, and where the next sites would help most."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from services.router.gaps.demand import Demand, Unmet, capable_sites, in_business, is_waiting, measure
from services.router.gaps.places import Place
from services.router.gaps.suggestions import Effect, Suggestion, effect_of, suggest
from services.router.policy import Policy
from services.router.sites import Site
from services.router.snapshot import Snapshot
from shared.vocabulary import SiteStatus


@dataclass(frozen=True, slots=True)
class Gap:
    """The unmet demand of one place."""

    place: Place
    leads: int
    by_reason: dict[str, int]
    by_intent: dict[str, int]
    oldest: datetime
    mean_km: float | None
    """To the nearest open capable site, over the leads that have one; None: none of them has."""
    worst_km: float | None
    nearest: Site | None
    """The open capable site that is nearest to most of them."""
    without_site: int
    """Leads that no open site of the network can serve, however far."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is shown, by table, JSON, GeoJSON or page."""

    at: datetime
    network_revision: int
    policy_version: int
    waiting: int
    travelled: int
    """Leads of the window that have a site, but a far one; 0 when nobody asked for them."""
    unplaced: int
    """Of the waiting: those whose place is unclear. They are in no gap."""
    demand: Demand
    gaps: tuple[Gap, ...]
    """The largest first."""
    suggestions: tuple[Suggestion, ...]
    """The one that most leads gain from first."""
    before: Effect
    after: Effect
    """With every suggested site open."""
    sites: tuple[Site, ...]
    """Those that can serve the demand, without the closed."""


def make_report(unmet: Sequence[Unmet], snapshot: Snapshot, policy: Policy, sites: int, now: datetime) -> Report:
    """The report on this demand, with at most `sites` suggestions. The same in whatever order the demand comes."""
    snapshot = in_business(snapshot, now)
    demand, unplaced = measure(unmet, snapshot, policy)
    suggestions = suggest(demand, policy, snapshot.sites, sites)
    return Report(
        now,
        snapshot.revision,
        policy.version,
        sum(one.leads for one in unmet if is_waiting(one)),
        sum(one.leads for one in unmet if not is_waiting(one)),
        unplaced,
        demand,
        _gaps(demand),
        suggestions,
        effect_of(demand, ()),
        effect_of(demand, suggestions),
        tuple(site for site in capable_sites(demand, snapshot, policy) if site.status is not SiteStatus.CLOSED),
    )


def _gaps(demand: Demand) -> tuple[Gap, ...]:
    rows_of: dict[Place, list[int]] = {}
    for row, place in enumerate(demand.places):
        rows_of.setdefault(place, []).append(row)
    gaps = [_gap(place, demand, np.array(rows)) for place, rows in rows_of.items()]
    return tuple(sorted(gaps, key=lambda gap: (-gap.leads, gap.place.label)))


def _gap(place: Place, demand: Demand, rows: NDArray[np.int64]) -> Gap:
    unmet = [demand.unmet[row] for row in rows]
    away_m, leads = demand.nearest_m[rows], demand.leads[rows]
    served = np.isfinite(away_m)
    nearest: Counter[str] = Counter()
    by_id: dict[str, Site] = {}
    for row in rows:
        site = demand.nearest[row]
        if site is not None:
            by_id[site.site_id] = site
            nearest[site.site_id] += demand.unmet[row].leads
    favourite = min(nearest, key=lambda site_id: (-nearest[site_id], site_id), default=None)
    return Gap(
        place,
        int(leads.sum()),
        _counts([(one.reason, one.leads) for one in unmet]),
        _counts([(one.intent.value, one.leads) for one in unmet]),
        min(one.oldest for one in unmet),
        float(np.average(away_m[served], weights=leads[served])) / 1000 if served.any() else None,
        float(away_m[served].max()) / 1000 if served.any() else None,
        None if favourite is None else by_id[favourite],
        int(leads[~served].sum()),
    )


def _counts(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Sums by name, the largest first."""
    sums: Counter[str] = Counter()
    for name, leads in pairs:
        sums[name] += leads
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
