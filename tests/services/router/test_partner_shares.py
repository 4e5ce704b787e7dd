"""How partners stand against their contracts, for any counts."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.partner_shares import given_by_contract, partner_shares
from services.router.policy import Contracted, Policy
from services.router.snapshot import Site, Snapshot
from shared.vocabulary import SiteStatus
from tests.services.router.networks import policy, site, sites

SHARED = {"grand": 60, "lucky": 40}
contracts = st.sampled_from([SHARED, {"grand": 30}, {"lucky": 5, "grand": 95}, {"unheard-of": 100}])


def keyed(rules: Policy, counts: dict[str, int]) -> dict[Contracted, int]:
    return {key: counts.get(key.partner, 0) for key in rules.contracts}


@given(sites(), contracts, st.fixed_dictionaries({"grand": st.integers(0, 50), "lucky": st.integers(0, 50)}))
def test_a_whole_contract_is_neither_ahead_nor_behind_and_the_shares_are_one(
    network: list[Site], due: dict[str, int], counts: dict[str, int]
) -> None:
    rules = policy(shares=due)

    found = partner_shares(rules, Snapshot.build(network, 1), keyed(rules, counts))

    assert [(one.partner, one.percent) for one in found] == list(due.items())
    in_city = sum(counts.get(partner, 0) for partner in due)
    assert sum(one.leads for one in found) == in_city
    for one in found:
        assert one.ahead == pytest.approx(one.leads - one.percent / 100 * in_city)
        assert (one.share is None) is (in_city == 0)
        assert one.sites == sum(site.offering.partner == one.partner for site in network)
        assert one.open_sites == sum(
            site.offering.partner == one.partner and site.status is SiteStatus.OPEN for site in network
        )
    if in_city:
        assert sum(one.share or 0 for one in found) == pytest.approx(1)
    if sum(due.values()) == 100:
        assert sum(one.ahead for one in found) == pytest.approx(0)


def test_a_city_counts_alone_and_capitals_make_no_difference() -> None:
    rules = policy(shares=SHARED)
    elsewhere = replace(site("z", partner="grand"), city="Elsewhere")
    network = Snapshot.build([site("a", partner="grand"), site("b"), elsewhere], 1)

    counted = given_by_contract(rules, network, Counter({"a": 3, "b": 5, "z": 7, "gone": 2}))
    grand, lucky = partner_shares(rules, network, counted)

    assert (grand.city, grand.leads, grand.share, grand.sites) == ("CITY", 3, 1, 1)
    assert (lucky.leads, lucky.share, lucky.sites, lucky.open_sites) == (0, 0, 0, 0)
    assert (grand.ahead, lucky.ahead) == (1.2, -1.2)
