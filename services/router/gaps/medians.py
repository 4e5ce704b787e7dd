"""Where k new sites save most: a weighted k-median in which a site out of reach counts for nothing.

Every demand point has a cap, the metres that it is charged without a new site. Its cost is the distance to the nearest
new site or its cap, whichever is less. Plain distances would pull one site for two cities into the empty land between
them, where it serves nobody; a cap leaves what is out of reach out of the sum.

Sites are added one by one. Each begins at the demand point that saves most: a greedy choice of a submodular saving,
so that k sites save at least 1 - 1/e of what the best k demand points would (Nemhauser, Wolsey and Fisher,
Mathematical Programming 14, 1978). Then sites move in turns (Cooper, SIAM Review 6, 1964): each point belongs to its
nearest site, each site goes to the geometric median of its points (Weiszfeld, Tohoku Mathematical Journal 43, 1937;
where the median meets a demand point, by the step of Vardi and Zhang, PNAS 97, 2000). A move that does not lower the
cost is not made. Nothing is drawn by chance.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from services.router.geo import ecef_m, lat_lon_deg

Floats: TypeAlias = NDArray[np.float64]

MOST_STARTS = 1_000
"""Demand points that a site may begin at; of more, the heaviest of each square is taken."""
_SMALLEST_SQUARE_M = 1_000.0
_TURNS = 50
_STEPS = 300
_CLOSE_ENOUGH_M = 0.01
"""A median that moves less has arrived: demand is rounded to some ten metres."""
_CELLS_AT_ONCE = 5_000_000


def capped_medians(points_m: Floats, weights: Floats, caps_m: Floats, k: int) -> Floats:
    """Places of up to k new sites, earth-centred metres (j, 3) at height 0, in the order in which they were added.

    `points_m` (n, 3), `weights` (n,) and `caps_m` (n,), straight metres; all in one order. Fewer than k when another
    site would save nothing. The same demand gives the same places, in whatever order it comes.
    """
    points_m, weights, caps_m = _in_order(points_m, weights, caps_m)
    starts = _starts(points_m, weights)
    places = np.empty((0, 3))
    for _ in range(k):
        costs = costs_m(points_m, caps_m, places)
        savings = _savings(starts, points_m, weights, costs)
        if not savings.size or savings.max() <= 0:
            break
        places = np.vstack([places, starts[int(savings.argmax())]])
        places = _settle(places, points_m, weights, caps_m)
    return places


def costs_m(points_m: Floats, caps_m: Floats, places: Floats) -> Floats:
    """What each demand point is charged, straight metres (n,): its nearest place, but never above its cap."""
    if not len(places):
        return caps_m
    return np.asarray(np.minimum(cdist(points_m, places).min(axis=1), caps_m))


def geometric_median(start: Floats, points_m: Floats, weights: Floats) -> Floats:
    """The point (3,) with the least weighted sum of straight distances, found from `start`; it may lie underground.

    Never worse than the start. The error falls as one over the steps (Beck and Sabach, Journal of Optimization Theory
    and Applications 164, 2015); begin at a demand point that may be the median: slow steps would not reach it.
    """
    at = start
    for _ in range(_STEPS):
        before, at = at, _step(at, points_m, weights)
        if np.linalg.norm(at - before) < _CLOSE_ENOUGH_M:
            break
    return at


def _step(at: Floats, points_m: Floats, weights: Floats) -> Floats:
    away = np.linalg.norm(points_m - at, axis=1)
    # A demand point under the site pulls nowhere and holds it with its whole weight (Vardi and Zhang, equation 2.6).
    apart = away > 1e-3
    if not apart.any():
        return at
    pull = weights[apart] / away[apart]
    target = (pull[:, None] * points_m[apart]).sum(axis=0) / pull.sum()
    holding = weights[~apart].sum()
    if not holding:
        return np.asarray(target)
    force = np.linalg.norm((pull[:, None] * (points_m[apart] - at)).sum(axis=0))
    stay = min(1.0, holding / force) if force > 0 else 1.0
    return np.asarray((1 - stay) * target + stay * at)


def _settle(places: Floats, points_m: Floats, weights: Floats, caps_m: Floats) -> Floats:
    """The places after alternating until none moves; the cost falls with every move."""
    cost = float(weights @ costs_m(points_m, caps_m, places))
    for _ in range(_TURNS):
        has_moved = False
        for number in range(len(places)):
            away = cdist(points_m, places)
            mine = (away.argmin(axis=1) == number) & (away[:, number] < caps_m)
            if not mine.any():
                continue
            moved = places.copy()
            moved[number] = _on_the_ground(geometric_median(places[number], points_m[mine], weights[mine]))
            after = float(weights @ costs_m(points_m, caps_m, moved))
            # Less than a metre for every lead of a million: below that, moves are rounding.
            if after < cost * (1 - 1e-9):
                places, cost, has_moved = moved, after, True
        if not has_moved:
            break
    return places


def _on_the_ground(point_m: Floats) -> Floats:
    [(lat, lon)] = lat_lon_deg(point_m[None, :])
    [ground_m] = ecef_m([lat], [lon])
    return np.asarray(ground_m)


def _savings(starts: Floats, points_m: Floats, weights: Floats, costs: Floats) -> Floats:
    """What a site at each start would save of `costs`."""
    savings = np.empty(len(starts))
    rows = max(1, _CELLS_AT_ONCE // max(1, len(points_m)))
    for first in range(0, len(starts), rows):
        away = cdist(starts[first : first + rows], points_m)
        savings[first : first + rows] = np.maximum(costs - away, 0.0) @ weights
    return savings


def _starts(points_m: Floats, weights: Floats) -> Floats:
    distinct, member = np.unique(points_m, axis=0, return_inverse=True)
    weight = np.bincount(member.ravel(), weights=weights, minlength=len(distinct))
    square_m = _SMALLEST_SQUARE_M
    starts = distinct
    while len(starts) > MOST_STARTS:
        cells = np.floor(distinct / square_m)
        # The heaviest of each cell comes first; of equals the first in the order of `distinct`.
        order = np.lexsort((np.arange(len(distinct)), -weight, *cells.T))
        _, first = np.unique(cells[order], axis=0, return_index=True)
        starts = distinct[np.sort(order[first])]
        square_m *= 2
    return starts


def _in_order(points_m: Floats, weights: Floats, caps_m: Floats) -> tuple[Floats, Floats, Floats]:
    """One order for every order of input: sums of floats depend on it. Equal points with one cap become one."""
    rows = np.column_stack([points_m, caps_m])
    distinct, member = np.unique(rows, axis=0, return_inverse=True)
    # Weights are counts of leads: their sums are exact.
    merged = np.zeros(len(distinct))
    np.add.at(merged, member.ravel(), weights)
    return distinct[:, :3], merged, distinct[:, 3]
