from dataclasses import replace

from hypothesis import given

from services.router.sites import Site, diff_networks, network_digest
from tests.services.router.networks import site, sites


def test_a_diff_names_what_comes_goes_and_changes() -> None:
    before = [site("stays"), site("goes"), site("grows")]
    grown = replace(site("grows"), weight=3, name="Larger")

    diff = diff_networks(before, [grown, site("comes"), site("stays")])

    assert [s.site_id for s in diff.added] == ["comes"]
    assert [s.site_id for s in diff.removed] == ["goes"]
    assert [(c.before.site_id, c.columns) for c in diff.changed] == [("grows", ("name", "weight"))]


@given(sites(), sites())
def test_a_diff_is_empty_exactly_when_the_digests_agree(before: list[Site], after: list[Site]) -> None:
    assert bool(diff_networks(before, after)) == (network_digest(before) != network_digest(after))
    assert not diff_networks(before, list(reversed(before)))


@given(sites(), sites())
def test_applying_a_diff_gives_the_other_network(before: list[Site], after: list[Site]) -> None:
    diff = diff_networks(before, after)

    applied = {s.site_id: s for s in before}
    for gone in diff.removed:
        del applied[gone.site_id]
    applied |= {s.site_id: s for s in diff.added} | {c.after.site_id: c.after for c in diff.changed}

    assert network_digest(list(applied.values())) == network_digest(after)
