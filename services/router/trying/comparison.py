"""Two sets of first decisions of the same leads, side by side: who moves, who waits, who pays in distance."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from services.router.domain import Decided, LeadFeatures
from services.router.partner_shares import PartnerShare, given_by_contract, partner_shares
from services.router.trying.forward import Setting
from shared.contracts import Lost
from shared.vocabulary import Intent

NOT_IN_NETWORK = "not_in_network"
NOT_OPEN = "not_open"
INCAPABLE = "incapable"
JOINED = "joined"
"""In place of a site's reason: the lead went to the holder of another lead of its person."""
JOINED_A_WAITING_LEAD = "joined_a_waiting_lead"


class Moved(NamedTuple):
    """A lead that another site gets."""

    lead_id: str
    intent: Intent
    from_site: str
    to_site: str
    from_m: int | None
    """Metres; None for a lead that joined another one, whose own distance decided nothing."""
    to_m: int | None
    from_lost: str
    """Why the tried setting does not give it to `from_site`."""
    to_lost: str
    """Why the current setting does not give it to `to_site`."""


class SiteLeads(NamedTuple):
    """Leads of one site under the current and under the tried setting: `after - before` is `gained - lost`."""

    site_id: str
    before: int
    after: int
    gained: int
    lost: int


class _Outcome(NamedTuple):
    site_id: str | None
    distance_m: int | None
    waits: str
    """Why nobody gets it; empty when a site does."""
    record: dict[str, Any]


@dataclass
class Side:
    """What one setting does with all leads together."""

    leads_by_site: Counter[str] = field(default_factory=Counter)
    """A joined lead counts for the holder that it goes to."""
    given: Counter[str] = field(default_factory=Counter)
    """Assigned leads by site: what shares of partners count."""
    waiting: Counter[str] = field(default_factory=Counter)
    """Leads that no site gets, by reason."""
    joined: int = 0
    assigned: int = 0
    metres: int = 0
    """Of the assigned leads; a joined one has no distance."""

    def add(self, outcome: _Outcome) -> None:
        """One lead more."""
        self.joined += outcome.record["outcome"] == JOINED
        if outcome.site_id is None:
            self.waiting[outcome.waits] += 1
        else:
            self.leads_by_site[outcome.site_id] += 1
            self.given[outcome.site_id] += outcome.record["outcome"] != JOINED
        if outcome.distance_m is not None:
            self.assigned += 1
            self.metres += outcome.distance_m

    @property
    def mean_km(self) -> float | None:
        """Mean distance of the assigned leads; None when there is none."""
        return self.metres / self.assigned / 1000 if self.assigned else None


@dataclass
class Comparison:
    """Counts what differs; keeps the first `examples` moved leads and nothing else of any lead."""

    current: Setting
    tried: Setting
    examples: int = 10
    leads: int = 0
    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)
    moved: int = 0
    first_moved: list[Moved] = field(default_factory=list)
    why_moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Moved leads by (`from_lost`, `to_lost`)."""
    newly_waiting: Counter[str] = field(default_factory=Counter)
    """Leads that a site gets now and none would, by what they would wait for."""
    no_longer_waiting: Counter[str] = field(default_factory=Counter)
    """Leads that wait now and a site would get, by what they wait for."""
    _gained: Counter[str] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)

    def add(self, lead: LeadFeatures, before: Decided, after: Decided) -> None:
        """One lead, decided under the current and under the tried setting."""
        old, new = _outcome_of(before), _outcome_of(after)
        self.leads += 1
        self.before.add(old)
        self.after.add(new)
        if old.site_id == new.site_id:
            return
        if new.site_id is not None:
            self._gained[new.site_id] += 1
        if old.site_id is not None:
            self._lost[old.site_id] += 1
        if old.site_id is None:
            self.no_longer_waiting[old.waits] += 1
        elif new.site_id is None:
            self.newly_waiting[new.waits] += 1
        else:
            from_lost = why_not(new.record, old.site_id, self.tried, lead)
            to_lost = why_not(old.record, new.site_id, self.current, lead)
            self.moved += 1
            self.why_moved[from_lost, to_lost] += 1
            if len(self.first_moved) < self.examples:
                places = (old.site_id, new.site_id, old.distance_m, new.distance_m)
                self.first_moved.append(Moved(lead.lead_id, lead.intent, *places, from_lost, to_lost))

    @property
    def sites(self) -> list[SiteLeads]:
        """Every site whose leads differ, the greatest difference first."""
        before, after = self.before.leads_by_site, self.after.leads_by_site
        changes = [
            SiteLeads(site_id, before[site_id], after[site_id], self._gained[site_id], self._lost[site_id])
            for site_id in self._gained.keys() | self._lost.keys()
        ]
        return sorted(changes, key=lambda one: (-abs(one.after - one.before), -one.gained - one.lost, one.site_id))

    @property
    def shares(self) -> list[tuple[PartnerShare, PartnerShare]]:
        """Every partner with a contract, under the current and under the tried setting.

        By the contracts of the tried policy; in cities that it leaves out, by those of the current one.
        """
        tried = self.tried.policy
        cities = {rule.city.casefold() for rule in tried.shares}
        rules = (*tried.shares, *(rule for rule in self.current.policy.shares if rule.city.casefold() not in cities))
        if not rules:
            return []
        contracts = tried.with_shares(rules)
        before, after = (
            partner_shares(contracts, snapshot, given_by_contract(contracts, snapshot, side.given))
            for snapshot, side in ((self.current.snapshot, self.before), (self.tried.snapshot, self.after))
        )
        return list(zip(before, after, strict=True))


def why_not(record: dict[str, Any], site_id: str, setting: Setting, lead: LeadFeatures) -> str:
    """Why the decision in `record`, taken under `setting`, did not give the lead to this site: a word of this module,
    or of `shared.contracts.Lost`.
    """
    if record["outcome"] == JOINED:
        return JOINED
    snapshot, policy = setting
    index = snapshot.index_of(site_id)
    key = policy.intents[lead.intent].key.for_vehicle(snapshot.vehicles.kind_of(lead.vehicle))
    for candidate in record["candidates"]:
        if candidate["site_id"] == site_id:
            return str(candidate.get("lost", ""))
    if index is None:
        return NOT_IN_NETWORK
    if not snapshot.is_open(index):
        return NOT_OPEN
    if not snapshot.serves(index, key):
        return INCAPABLE
    if not snapshot.admits(index, key):
        return Lost.KIND_NOT_ALLOWED.value
    # Not among the nearest that a record lists: farther than all of them.
    return Lost.PARTNER_BARRED.value if snapshot.bars(index, key) else Lost.FARTHER.value


def _outcome_of(decided: Decided) -> _Outcome:
    record = orjson.loads(decided.record)
    waits = decided.waiting.value if decided.waiting else "" if decided.site_id else JOINED_A_WAITING_LEAD
    return _Outcome(decided.site_id, record.get("distance_m"), waits, record)
