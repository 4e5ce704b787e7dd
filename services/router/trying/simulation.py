"""What a policy costs and what it buys: distance paid against fairness won, over the leads of a file."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import orjson

from services.router.domain import Decided
from services.router.partner_shares import given_by_contract, partner_shares
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from services.router.trying.fairness import SiteShare, gini, share_of_each
from services.router.trying.forward import Forward, Setting
from services.router.trying.lead_columns import LeadColumns
from services.router.trying.share_effect import ShareEffect, metres_for_share
from shared.contracts import Lost
from shared.vocabulary import Intent

_TIE_SHARE = f'"lost":"{Lost.TIE_SHARE.value}"'.encode()


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
    shares: ShareEffect | None
    """None when the policy has no shares of partners."""


@dataclass
class _Tally:
    """What was decided; whatever a report needs of it."""

    counts: Counter[str] = field(default_factory=Counter)
    """Leads by site."""
    waiting: Counter[str] = field(default_factory=Counter)
    metres: "array[int]" = field(default_factory=lambda: array("q"))
    """Of each assigned lead."""
    metres_for_shares: list[int] = field(default_factory=list)
    """Of each lead that went to another site because of shares, how much farther."""

    def add(self, decided: Decided, snapshot: Snapshot) -> None:
        """One lead more."""
        if decided.site_id is not None:
            record = orjson.loads(decided.record)
            self.counts[decided.site_id] += 1
            self.metres.append(record["distance_m"])
            if _TIE_SHARE in decided.record and (more := metres_for_share(record, snapshot)) is not None:
                self.metres_for_shares.append(more)
        elif decided.waiting is not None:
            self.waiting[decided.waiting.value] += 1

    @property
    def mean_km(self) -> float | None:
        """Of the assigned leads."""
        return float(np.mean(self.metres)) / 1000 if self.metres else None


def simulate(setting: Setting, leads: LeadColumns, now: datetime, on_progress: Callable[[int], None]) -> Simulation:
    """Decide every lead, in the order in which they came; `on_progress` is told how many were decided since.

    A policy with shares of partners decides them all twice (`decided_of`), so that its report can say what those do.
    """
    tally = _decide(setting, leads, now, on_progress)
    weights = weights_of_able(setting, leads.intents_asked)
    shares = None
    if setting.policy.shares:
        without = _decide(setting._replace(policy=setting.policy.with_shares(())), leads, now, on_progress)
        shares = _effect(setting, tally, without, weights)
    km = np.array(tally.metres, dtype=np.float64) / 1000
    p50, p95 = np.percentile(km, (50, 95)).tolist() if tally.metres else (None, None)
    return Simulation(
        tie_band_m=setting.policy.tie_band_m,
        leads=len(leads),
        assigned=len(tally.metres),
        waiting=dict(sorted(tally.waiting.items())),
        sites=tuple(share_of_each(tally.counts, weights)),
        gini=_gini(tally, weights),
        mean_km=tally.mean_km,
        p50_km=p50,
        p95_km=p95,
        shares=shares,
    )


def decided_of(policy: Policy, leads: LeadColumns) -> int:
    """How many decisions a simulation of this policy takes."""
    return len(leads) * (2 if policy.shares else 1)


def weights_of_able(setting: Setting, intents: Iterable[Intent]) -> dict[str, int]:
    """Weight of every open site that may serve one of the intents."""
    snapshot, policy = setting
    keys = {policy.intents[intent].key for intent in intents}
    return {
        site.site_id: site.weight
        for index, site in enumerate(snapshot.sites)
        if snapshot.is_open(index) and any(snapshot.serves(index, key) and snapshot.admits(index, key) for key in keys)
    }


def _decide(setting: Setting, leads: LeadColumns, now: datetime, on_progress: Callable[[int], None]) -> _Tally:
    forward, tally = Forward(setting), _Tally()
    for arriving in leads.arriving(now):
        for decided in forward.decide(arriving):
            tally.add(decided, setting.snapshot)
        on_progress(len(arriving))
    return tally


def _effect(setting: Setting, tally: _Tally, without: _Tally, weights: dict[str, int]) -> ShareEffect:
    snapshot, policy = setting
    contracts = partner_shares(policy, snapshot, given_by_contract(policy, snapshot, tally.counts))
    before = partner_shares(policy, snapshot, given_by_contract(policy, snapshot, without.counts))
    paid = tally.metres_for_shares
    return ShareEffect(
        partners=contracts,
        moved=len(paid),
        moved_km_more=sum(paid) / len(paid) / 1000 if paid else None,
        leads_without=tuple(one.leads for one in before),
        mean_km_without=without.mean_km,
        gini_without=_gini(without, weights),
    )


def _gini(tally: _Tally, weights: dict[str, int]) -> float:
    return gini([tally.counts[site_id] for site_id in weights], list(weights.values()))
