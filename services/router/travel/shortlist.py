"""Which sites are worth asking an engine about: the few nearest that may do the work, found in the snapshot."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.router.barriers import Point
from services.router.domain import LeadFeatures
from services.router.geo import ecef_m
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from services.router.travel.cache import Pair
from shared.vocabulary import Intent


class Shortlist(NamedTuple):
    """The ways of one lead that are to be compared; at least one."""

    lead_id: str
    start: Point
    pairs: tuple[Pair, ...]


def shortlists(leads: Sequence[LeadFeatures], snapshot: Snapshot, policy: Policy) -> list[Shortlist]:
    """A shortlist for every lead with a place and a site within the greatest straight distance of its intent."""
    alike: dict[tuple[Intent, str], list[tuple[LeadFeatures, Point]]] = {}
    for lead in leads:
        if lead.point is not None:
            kind = snapshot.vehicles.kind_of(lead.vehicle) if lead.vehicle else ""
            alike.setdefault((lead.intent, kind), []).append((lead, lead.point))
    found: list[Shortlist] = []
    for (intent, kind), placed in alike.items():
        rule = policy.intents[intent]
        degrees = np.array([point for _, point in placed], dtype=np.float64)
        points_m = ecef_m(degrees[:, 0], degrees[:, 1])
        key = rule.key.for_vehicle(kind)
        distances_mm, indexes = snapshot.nearest(key, points_m, policy.travel.candidates)
        max_mm = round(rule.max_distance_km * 1_000_000)
        for (lead, point), near_mm, near in zip(placed, distances_mm.tolist(), indexes.tolist(), strict=True):
            pairs = tuple(
                Pair(point, snapshot.sites[index].site_id, snapshot.point(index))
                for distance_mm, index in zip(near_mm, near, strict=True)
                if distance_mm <= max_mm
            )
            if pairs:
                found.append(Shortlist(lead.lead_id, point, pairs))
    return found
