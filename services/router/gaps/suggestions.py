"""Where the next sites would help most, what they would have to be able to do, and what changes for the demand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from services.router.gaps.demand import Demand
from services.router.gaps.medians import capped_medians
from services.router.gaps.places import Place, places_of
from services.router.geo import chord_m, ecef_m, lat_lon_deg, surface_mm
from services.router.policy import Policy
from services.router.sites import Site, forbidden_claims
from shared.vocabulary import Capability, SiteKind


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One place for a new site. It is a point of the demand's middle, not an address: look for a plot around it."""

    lat: float
    """WGS-84 degrees, four decimals."""
    lon: float
    place: Place
    leads: int
    """Leads that it is nearest to and that gain by it: waiting within their intent's reach, or with a shorter way."""
    mean_km_before: float | None
    """Of these leads, to the nearest open capable site; None: none of them has one."""
    mean_km_after: float
    """Of these leads, to the suggestion."""
    capabilities: tuple[Capability, ...]
    """What a site needs to serve all of them."""
    leads_by_kind: dict[SiteKind, int]
    """How many of them a site of each kind may serve, under the policy and the 1+N rules."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How the demand is served by the open sites together with some suggestions."""

    within: int
    """Leads with a capable site within their intent's reach."""
    mean_km: float | None
    """To the nearest capable site, over all leads that have one; None: no lead has one."""
    without_site: int
    """Leads that have none, however far."""


def suggest(demand: Demand, policy: Policy, sites: Sequence[Site], count: int) -> tuple[Suggestion, ...]:
    """At most `count` places, that of the most leads first; fewer when another would help no lead."""
    if not demand.unmet:
        return ()
    found = capped_medians(demand.points_m, demand.leads, chord_m(demand.charged_m), count)
    if not len(found):
        return ()
    lat_lon = np.round(lat_lon_deg(found), 4)
    away_m = _away_m(demand, lat_lon)
    takes = away_m.argmin(axis=1)
    gains = away_m.min(axis=1) < demand.charged_m
    places = places_of(lat_lon, sites)
    suggestions = [
        _suggestion(lat_lon[number], places[number], demand, policy, rows, away_m[rows, number])
        for number in range(len(found))
        # Rounding may cost the last lead of a place that one lead alone gained from by a metre.
        if (rows := np.flatnonzero(gains & (takes == number))).size
    ]
    return tuple(sorted(suggestions, key=lambda one: (-one.leads, one.lat, one.lon)))


def effect_of(demand: Demand, suggestions: Sequence[Suggestion]) -> Effect:
    """What the demand has when these sites are open, too, and able to serve every intent."""
    away_m = demand.nearest_m
    if suggestions and demand.unmet:
        lat_lon = np.array([(one.lat, one.lon) for one in suggestions])
        away_m = np.minimum(away_m, _away_m(demand, lat_lon).min(axis=1))
    return Effect(
        demand.total(away_m <= demand.reach_m),
        _mean_km(away_m, demand.leads),
        demand.total(~np.isfinite(away_m)),
    )


def _suggestion(
    at: NDArray[np.float64],
    place: Place,
    demand: Demand,
    policy: Policy,
    rows: NDArray[np.int64],
    away_m: NDArray[np.float64],
) -> Suggestion:
    unmet = [demand.unmet[row] for row in rows]
    rules = {one.intent: policy.intents[one.intent] for one in unmet}
    return Suggestion(
        float(at[0]),
        float(at[1]),
        place,
        sum(one.leads for one in unmet),
        _mean_km(demand.nearest_m[rows], demand.leads[rows]),
        float(np.average(away_m, weights=demand.leads[rows])) / 1000,
        tuple(sorted({capability for rule in rules.values() for capability in rule.requires})),
        {
            kind: sum(
                one.leads
                for one in unmet
                if kind in rules[one.intent].kinds and not forbidden_claims(kind, frozenset(rules[one.intent].requires))
            )
            for kind in SiteKind
        },
    )


def _away_m(demand: Demand, lat_lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres along the ground (n, k) from each demand point to each place."""
    return surface_mm(cdist(demand.points_m, ecef_m(lat_lon[:, 0], lat_lon[:, 1]))) / 1000


def _mean_km(away_m: NDArray[np.float64], leads: NDArray[np.float64]) -> float | None:
    served = np.isfinite(away_m)
    return float(np.average(away_m[served], weights=leads[served])) / 1000 if served.any() else None
