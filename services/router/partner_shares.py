"""How partners stand against the contracts of a policy, by city. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from services.router.domain import contracted
from services.router.policy import Contracted, Policy
from services.router.snapshot import Snapshot


class PartnerShare(NamedTuple):
    """One partner of one city where it has a contract."""

    city: str
    """As the policy writes it."""
    partner: str
    percent: int
    """By contract, of the leads that the partners named in the city are given together."""
    leads: int
    share: float | None
    """Its part of those leads; None when there are none."""
    ahead: float
    """Leads beyond its contract; negative: it misses so many."""
    sites: int
    """Its sites in the city, whatever their status."""
    open_sites: int


def partner_shares(policy: Policy, snapshot: Snapshot, given: Mapping[Contracted, int]) -> tuple[PartnerShare, ...]:
    """Every contract of the policy, in the order of its text, also those without a lead or without a site."""
    sites, open_sites = _sites(policy, snapshot)
    found = []
    for rule in policy.shares:
        keys = {partner: Contracted.of(rule.city, partner) for partner in rule.partners}
        in_city = sum(given.get(key, 0) for key in keys.values())
        for partner, percent in rule.partners.items():
            key = keys[partner]
            leads = given.get(key, 0)
            share = leads / in_city if in_city else None
            ahead = (100 * leads - percent * in_city) / 100
            found.append(PartnerShare(rule.city, partner, percent, leads, share, ahead, sites[key], open_sites[key]))
    return tuple(found)


def given_by_contract(policy: Policy, snapshot: Snapshot, leads: Mapping[str, int]) -> Counter[Contracted]:
    """Leads of sites (by id) as leads of contracts; those of sites without one are left out."""
    given: Counter[Contracted] = Counter()
    for site_id, count in leads.items():
        key = contracted(policy, snapshot, site_id)
        if key is not None:
            given[key] += count
    return given


def _sites(policy: Policy, snapshot: Snapshot) -> tuple[Counter[Contracted], Counter[Contracted]]:
    every: Counter[Contracted] = Counter()
    are_open: Counter[Contracted] = Counter()
    for index, site in enumerate(snapshot.sites):
        key = Contracted.of(site.city, site.offering.partner)
        if key in policy.contracts:
            every[key] += 1
            are_open[key] += snapshot.is_open(index)
    return every, are_open
