"""How evenly leads are spread over sites, each measured by its weight."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class SiteShare(NamedTuple):
    """What one site got."""

    site_id: str
    weight: int
    leads: int
    share: float
    """Of all leads that a site got, 0 to 1."""
    share_per_weight: float
    """Its share of the leads for its share of the weight; 1 is exactly its part."""


def share_of_each(leads: Mapping[str, int], weights: Mapping[str, int]) -> list[SiteShare]:
    """Every site of `weights`, most leads for its weight first; `leads` without a site means none."""
    total, weight_of_all = sum(leads.get(site_id, 0) for site_id in weights), sum(weights.values())
    shares = []
    for site_id, weight in weights.items():
        count = leads.get(site_id, 0)
        share = count / total if total else 0.0
        shares.append(SiteShare(site_id, weight, count, share, share * weight_of_all / weight))
    return sorted(shares, key=lambda one: (-one.share_per_weight, one.site_id))


def gini(leads: Sequence[int], weights: Sequence[int]) -> float:
    """Gini coefficient of leads per weight: 0, every site has its part; near 1, a site of little weight has them all.

    Half the mean difference of all pairs, relative to the mean (Gini 1912; Sen, On Economic Inequality, 1973, ch. 2):
    `sum_ij w_i w_j |x_i - x_j| / (2 W^2 m)` for x = leads/weight, W the whole weight and m = all leads/W; so every unit
    of weight counts as one individual. Computed as one minus twice the area under the Lorenz curve, by trapezoids
    (Brown 1994, doi:10.1016/0277-9536(94)90189-9): the same number in n log n. 0 when there are no leads.
    """
    total, weight_of_all = sum(leads), sum(weights)
    if not total:
        return 0.0
    doubled_area = below = 0
    for count, weight in sorted(zip(leads, weights, strict=True), key=lambda one: one[0] / one[1]):
        # Whole numbers as long as possible: an even spread is exactly 0.
        doubled_area += weight * (2 * below + count)
        below += count
    return 1 - doubled_area / (weight_of_all * total)
