"""What a policy costs and what it buys: distance paid against fairness won, over the leads of a file."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import orjson

from services.router.trying.fairness import SiteShare, gini, share_of_each
from services.router.trying.forward import Forward, Setting
from services.router.trying.lead_columns import LeadColumns
from shared.vocabulary import Intent


@dataclass(frozen=True)
class Simulation:
    """One policy over one file of leads."""

    tie_band_m: float
    leads: int
    assigned: int
    waiting: dict[str, int]
    """Leads that no site gets, by reason."""
    sites: tuple[SiteShare, ...]
    """Every open site that may serve an intent of the file, wherever it is: a share of 0 is part of the answer."""
    gini: float
    """Of leads per weight, over `sites`."""
    mean_km: float | None
    """Of the assigned leads; None when there is none."""
    p50_km: float | None
    """Between two leads linearly (Hyndman and Fan 1996, definition 7), as p95."""
    p95_km: float | None


def simulate(setting: Setting, leads: LeadColumns, now: datetime, on_progress: Callable[[int], None]) -> Simulation:
    """Decide every lead, in the order in which they came; `on_progress` is told how many were decided since."""
    forward = Forward(setting)
    counts: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    metres = array("q")
    for arriving in leads.arriving(now):
        for decided in forward.decide(arriving):
            if decided.site_id is not None:
                counts[decided.site_id] += 1
                metres.append(orjson.loads(decided.record)["distance_m"])
            elif decided.waiting is not None:
                waiting[decided.waiting.value] += 1
        on_progress(len(arriving))
    weights = weights_of_able(setting, leads.intents_asked)
    km = np.array(metres, dtype=np.float64) / 1000
    p50, p95 = np.percentile(km, (50, 95)).tolist() if metres else (None, None)
    return Simulation(
        tie_band_m=setting.policy.tie_band_m,
        leads=len(leads),
        assigned=len(metres),
        waiting=dict(sorted(waiting.items())),
        sites=tuple(share_of_each(counts, weights)),
        gini=gini([counts[site_id] for site_id in weights], list(weights.values())),
        mean_km=float(km.mean()) if metres else None,
        p50_km=p50,
        p95_km=p95,
    )


def weights_of_able(setting: Setting, intents: Iterable[Intent]) -> dict[str, int]:
    """Weight of every open site that may serve one of the intents."""
    snapshot, policy = setting
    keys = {policy.intents[intent].key for intent in intents}
    return {
        site.site_id: site.weight
        for index, site in enumerate(snapshot.sites)
        if snapshot.is_open(index) and any(snapshot.serves(index, key) and snapshot.admits(index, key) for key in keys)
    }
