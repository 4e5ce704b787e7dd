"""A router so slow and plain that it is right on sight: it looks at every site, one rule after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from math import inf, log
from types import MappingProxyType

import numpy as np

from services.router.domain import LeadFeatures, Travel
from services.router.geo import ecef_m, surface_mm
from services.router.policy import Policy
from services.router.sites import Schedule
from services.router.snapshot import Site
from shared.vocabulary import SiteKind, SiteStatus
from tests.services.router.networks import NOW


def plain_order(
    features: LeadFeatures, network: Sequence[Site], rules: Policy, *, at_center: bool = False
) -> list[tuple[int, str]]:
    """Every site of status open that may serve this intent: its way in mm, detours and all, then site id."""
    rule = rules.intents[features.intent]
    kinds = [SiteKind.DELIVERY_CENTER] if at_center else rule.kinds
    if features.point is None:
        return []
    [here] = ecef_m([features.point[0]], [features.point[1]])
    return sorted(
        (
            int(surface_mm(np.linalg.norm(here - ecef_m([s.lat], [s.lon])[0])))
            + rules.detours.detour_mm(features.point, (s.lat, s.lon)),
            s.site_id,
        )
        for s in network
        if s.status is SiteStatus.OPEN and s.kind in kinds and s.capabilities.issuperset(rule.requires)
        if s.offering.partner not in rule.barred_partners and s.offering.skills.issuperset(rule.skills)
        if _takes_vehicle(s, features.vehicle)
    )


def _takes_vehicle(site: Site, vehicle: str) -> bool:
    listed = site.offering.vehicles
    if not listed or not vehicle:
        return True
    brand, slash, _ = vehicle.partition("/")
    of_brand = {name for name in listed if name.split("/")[0] == brand}
    return bool(of_brand) if not slash else vehicle in of_brand or brand in of_brand


@dataclass(frozen=True)
class Pick:
    """What the plain router says: a site, or the reason why there is none."""

    site_id: str | None
    waiting: str | None = None
    full_today: frozenset[str] = field(default=frozenset(), compare=False)
    """Where nobody could take it: the sites that could, but for their day."""
    radius_km: float | None = field(default=None, compare=False)
    """How far was looked, where steps of the policy decided that; None also where nobody was willing anywhere."""
    grows_at: datetime | None = field(default=None, compare=False)
    """When it is looked for farther away."""
    waits_for: frozenset[str] = field(default=frozenset(), compare=False)
    """Where nobody could take it: the sites that would, if they had room for it."""


def plain_choice(
    features: LeadFeatures,
    network: Sequence[Site],
    rules: Policy,
    load_of: Mapping[str, int],
    excluded: Sequence[str] = (),
    travel: Travel | None = None,
    *,
    by_order: bool = False,
    taken_today: Mapping[str, int] = MappingProxyType({}),
    stays_with: str | None = None,
    given: Mapping[str, int] = MappingProxyType({}),
    now: datetime = NOW,
    ahead: Mapping[str, int] = MappingProxyType({}),
) -> Pick:
    """Looks at every site of the network, one rule after the other; `by_order`: an operator said "try again".

    `ahead`: how many leads that wait for a site were received before this one.
    """
    before_center, before_person, tries = rules.tries.before_center, rules.tries.before_person, len(excluded)
    at_center = before_center > 0 and tries >= before_center
    is_over = before_person > 0 and tries >= before_person
    if is_over and not by_order:
        return Pick(None, "needs_person")
    pick = _plain_pick(
        features,
        network,
        rules,
        load_of,
        excluded,
        None if at_center else travel,
        at_center,
        taken_today,
        stays_with,
        given,
        now,
        ahead,
    )
    nobody_left = at_center and before_person and pick.waiting in ("too_far", "no_capable_site", "all_declined")
    return Pick(None, "needs_person") if pick.site_id is None and (is_over or nobody_left) else pick


def _plain_pick(
    features: LeadFeatures,
    network: Sequence[Site],
    rules: Policy,
    load_of: Mapping[str, int],
    excluded: Sequence[str],
    travel: Travel | None,
    at_center: bool,
    taken_today: Mapping[str, int],
    stays_with: str | None,
    given: Mapping[str, int],
    now: datetime,
    ahead: Mapping[str, int],
) -> Pick:
    rule = rules.intents[features.intent]
    if features.point is None:
        return Pick(None, "location_unclear")
    max_km = max(rule.max_distance_km, rules.tries.center_within_km) if at_center else rule.max_distance_km
    order = plain_order(features, network, rules, at_center=at_center)
    away = {site_id: distance_mm for distance_mm, site_id in order}
    able = [s for s in network if s.site_id in away and Schedule(s.working_time).is_in_business(now)]
    if not able:
        return Pick(None, "no_capable_site")
    near = [s for s in able if away[s.site_id] <= max_km * 1_000_000]
    if not near:
        return Pick(None, "too_far")
    willing = [s for s in near if s.site_id not in excluded]
    if not willing:
        return Pick(None, "all_declined")
    roomy = [s for s in willing if s.open_lead_limit is None or load_of.get(s.site_id, 0) < s.open_lead_limit]
    today = [s for s in roomy if s.daily_lead_limit is None or taken_today.get(s.site_id, 0) < s.daily_lead_limit]
    free = [s for s in today if ahead.get(s.site_id, 0) < _places(s, load_of, taken_today)]
    if features.preferred_site_id in {s.site_id for s in free}:
        return Pick(features.preferred_site_id)
    near_enough = {s.site_id for s in free if rules.stay and away[s.site_id] <= rules.stay[0].within_km * 1_000_000}
    if stays_with in near_enough:
        return Pick(stays_with)
    # Whoever waits has its wish as soon as there is room, however far is looked otherwise.
    wished = {s.site_id for s in willing if s.site_id == features.preferred_site_id}
    wished |= {
        s.site_id for s in willing if s.site_id == stays_with and away[s.site_id] <= rules.stay[0].within_km * 1_000_000
    }
    radius_km, grows_at = None, None
    if rule.radius_km and not at_center:
        willing_mm, free_mm = ([away[s.site_id] for s in found] for found in (willing, free))
        max_km, grows_at = _plain_radius(features, rules, willing_mm, free_mm, now)
        radius_km = max_km
        willing, roomy, free = (
            [s for s in found if away[s.site_id] <= max_km * 1_000_000] for found in (willing, roomy, free)
        )
    if not free:
        over = frozenset(s.site_id for s in roomy if s not in today)
        return Pick(None, "all_full", over, radius_km, grows_at, frozenset(wished | {s.site_id for s in willing}))
    quick = {} if travel is None or not rules.travel.candidates else travel.seconds
    compared = [s for s in free if quick.get(s.site_id) is not None]
    if compared:
        free = compared
    open_first_mm = min(rules.hours.prefer_open_within_km, max_km) * 1_000_000
    staffed = [s for s in free if Schedule(s.working_time).is_open(now)]
    if any(away[s.site_id] <= open_first_mm for s in staffed) and open_first_mm:
        free = staffed
    far, band = (quick, rules.travel.tie_band_s) if compared else (away, rules.tie_band_m * 1000)
    best = min(far[s.site_id] or 0 for s in free)
    equal = [s for s in free if (far[s.site_id] or 0) <= best + band]

    due = rules.shares[0].partners if rules.shares else {}
    in_city = sum(given.get(partner, 0) for partner in due)

    def turn(s: Site) -> tuple[int, float, float, str]:
        digest = blake2b(f"{features.lead_id}:{s.site_id}".encode(), digest_size=8).digest()
        u = ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53
        partner = s.offering.partner
        behind = due[partner] * (in_city + 1) - 100 * given.get(partner, 0) if partner in due else 0
        return -behind, load_of.get(s.site_id, 0) / s.weight, s.weight / log(u), s.site_id

    return Pick(min(equal, key=turn).site_id, radius_km=radius_km)


def _places(site: Site, load_of: Mapping[str, int], taken_today: Mapping[str, int]) -> float:
    places = [inf]
    if site.open_lead_limit is not None:
        places.append(site.open_lead_limit - load_of.get(site.site_id, 0))
    if site.daily_lead_limit is not None:
        places.append(site.daily_lead_limit - taken_today.get(site.site_id, 0))
    return min(places)


def _plain_radius(
    features: LeadFeatures, rules: Policy, willing_mm: list[int], free_mm: list[int], now: datetime
) -> tuple[float, datetime | None]:
    """How far is looked for a lead, and when farther; None when nothing is to be waited for."""
    rule, last_mm, grows_at = rules.intents[features.intent], -1.0, features.received_at
    for step_km in rule.radius_km:
        step_mm = step_km * 1_000_000
        if any(way_mm <= step_mm for way_mm in free_mm):
            return step_km, None
        if any(last_mm < way_mm <= step_mm for way_mm in willing_mm):
            grows_at += timedelta(minutes=rule.grow_after_minutes)
            if now < grows_at:
                return step_km, grows_at
        last_mm = step_mm
    return rule.max_distance_km, None


def plain_refusal(
    site_id: str,
    features: LeadFeatures,
    network: Sequence[Site],
    rules: Policy,
    load_of: Mapping[str, int],
    *,
    taken_today: Mapping[str, int] = MappingProxyType({}),
    now: datetime = NOW,
) -> str | None:
    """Why a site that an operator names cannot have a lead; None when it can."""
    rule = rules.intents[features.intent]
    found = [s for s in network if s.site_id == site_id]
    if not found:
        return "site_unknown"
    [named] = found
    if named.status is not SiteStatus.OPEN or not Schedule(named.working_time).is_in_business(now):
        return "site_not_open"
    able = named.capabilities.issuperset(rule.requires) and named.offering.skills.issuperset(rule.skills)
    if not able or not _takes_vehicle(named, features.vehicle):
        return "site_incapable"
    is_full = named.open_lead_limit is not None and load_of.get(site_id, 0) >= named.open_lead_limit
    is_full_today = named.daily_lead_limit is not None and taken_today.get(site_id, 0) >= named.daily_lead_limit
    return "site_full" if is_full or is_full_today else None
