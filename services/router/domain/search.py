"""The nearest sites of every lead of a batch, looked up together: one by one, it would cost eight times as much."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.geo import ecef_m
from services.router.snapshot import NOBODY_MM, Snapshot, TreeKey

# Keeps the rows of a batch in step; a lead without a place is never searched for.
_NOWHERE = (0.0, 0.0)

Point = tuple[float, float]
"""Latitude and longitude in WGS-84 degrees."""


Ring = tuple[list[int], list[int], int, int, int]
"""The nearest sites of one lead, as many as its record shows, when it is sure that no other has a say.

Their places in the `Met` of the batch, nearest first and equally near ones by id; how far each is in metres, half up;
how many of them lie in the tie band of the nearest (0: not sure, it takes a closer look), how many in the radius in
force, and how many are near enough at all. A plain tuple: a batch makes hundreds.
"""

NO_RING: Ring = ([], [], 0, 0, 0)


class Met(NamedTuple):
    """The sites in the rings of one batch, each once.

    Copied out of arrays: to visit the objects of five sites of a hundred thousand takes longer than all else about a
    lead.
    """

    site_ids: list[str]
    limits: list[float]
    """As in `Offer`."""
    weights: list[int]

    def alone(self, ring: Ring) -> tuple["Met", Ring]:
        """Only the sites of one ring, and that ring among them."""
        places, metres, equal, inside, reachable = ring
        site_ids, limits, weights = self
        met = Met(
            [site_ids[place] for place in places],
            [limits[place] for place in places],
            [weights[place] for place in places],
        )
        return met, (list(range(len(places))), metres, equal, inside, reachable)


NOBODY_MET = Met([], [], [])


class Hit(NamedTuple):
    """One lead and its nearest sites, nearest first."""

    point_m: NDArray[np.float64]
    """Where the lead is, in earth-centred metres, shape (3,)."""
    distances_mm: list[int]
    indexes: list[int]
    """Into the snapshot."""


class Hits:
    """The nearest sites of the leads of one batch, each lead by its place in the batch."""

    __slots__ = ("_distances_mm", "_indexes", "_points_m", "_snapshot")

    def __init__(
        self,
        points_m: NDArray[np.float64],
        distances_mm: NDArray[np.int64],
        indexes: NDArray[np.int64],
        snapshot: Snapshot,
    ) -> None:
        self._points_m = points_m
        self._distances_mm = distances_mm
        self._indexes = indexes
        self._snapshot = snapshot

    def of(self, place: int) -> Hit:
        """The sites of one lead; fewer than were looked for when there are no more."""
        distances_mm, indexes = self._distances_mm[place].tolist(), self._indexes[place].tolist()
        if distances_mm and distances_mm[-1] == NOBODY_MM:
            count = distances_mm.index(NOBODY_MM)
            distances_mm, indexes = distances_mm[:count], indexes[:count]
        return Hit(self._points_m[place], distances_mm, indexes)

    def nearest_mm(self, place: int) -> int:
        """How far the nearest site is; `NOBODY_MM` when there is none."""
        return int(self._distances_mm[place, 0]) if self._distances_mm.shape[1] else NOBODY_MM

    def rings(
        self,
        keep: int,
        band_mm: int,
        radius_mm: NDArray[np.int64],
        max_mm: NDArray[np.int64],
        apart: NDArray[np.bool_] | None,
    ) -> tuple[list[Ring], Met]:
        """What the record of each lead shows, of `keep` sites.

        By place: the `radius_mm` in which a lead is looked for, and the `max_mm` up to which sites are near enough.
        `apart`, by index into the snapshot: sites of which more is to be said, None for none.
        """
        mm, shown_mm, indexes = self._distances_mm, self._distances_mm[:, :keep], self._indexes[:, :keep]
        if mm.shape[1] <= keep or not self._snapshot.sites:
            return [NO_RING] * len(mm), NOBODY_MET
        band_end_mm = mm[:, 0] + band_mm
        inside = (shown_mm <= radius_mm[:, np.newaxis]).sum(axis=1)
        reachable = inside if radius_mm is max_mm else (shown_mm <= max_mm[:, np.newaxis]).sum(axis=1)
        equal = (shown_mm <= band_end_mm[:, np.newaxis]).sum(axis=1)
        last_mm = mm[:, keep - 1]
        # Only what is nearer than the last one fetched is complete and in order: others may tie with that one.
        is_sure = (last_mm < mm[:, -1]) & (last_mm < NOBODY_MM) & (band_end_mm < mm[:, keep]) & (equal <= inside)
        if apart is not None:
            is_sure &= ~apart[indexes].any(axis=1)
        met, places = self._meet(indexes)
        rings = zip(
            places.tolist(),
            ((shown_mm + 500) // 1000).tolist(),
            np.where(is_sure, equal, 0).tolist(),
            inside.tolist(),
            reachable.tolist(),
            strict=True,
        )
        return list(rings), met

    def _meet(self, indexes: NDArray[np.int64]) -> tuple[Met, NDArray[np.intp]]:
        """The sites of `indexes`, and where each of them is among those."""
        snapshot = self._snapshot
        met, places = np.unique(indexes, return_inverse=True)
        of_met = Met(snapshot.site_ids[met].tolist(), snapshot.limits[met].tolist(), snapshot.weights[met].tolist())
        return of_met, places.reshape(indexes.shape)


def search(
    snapshot: Snapshot, points: Sequence[Point | None], places_by_key: Mapping[TreeKey, Sequence[int]], width: int
) -> Hits:
    """The nearest `width` sites of each point, of those that its key lets in; a point without a key has none."""
    degrees = np.array([point or _NOWHERE for point in points], dtype=np.float64).reshape(-1, 2)
    points_m = ecef_m(degrees[:, 0], degrees[:, 1])
    return Hits(points_m, *snapshot.nearest_by_key(places_by_key, points_m, width), snapshot)
