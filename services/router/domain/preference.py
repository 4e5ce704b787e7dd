"""The site that a person asked for: honoured when it can take the lead, otherwise refused with the reason."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.barriers import Barriers, Point
from services.router.domain.candidates import Row
from services.router.domain.room import Room
from services.router.snapshot import Snapshot, TreeKey
from shared.contracts import Lost

_FARTHER = Lost.FARTHER.value
_NOT_PREFERRED = Lost.NOT_PREFERRED.value


class Preference(NamedTuple):
    """What came of it, in the words of `LeadAssigned.preferred`."""

    verdict: str
    row: Row | None = None
    """The preferred site as a candidate; None when it could not be one (unknown, not open, cannot do the work)."""

    @property
    def is_honoured(self) -> bool:
        """Whether the lead goes to the site that was asked for."""
        return self.row is not None and self.row[3] is None

    def show(self, rows: list[Row]) -> list[Row]:
        """The rows of a record that chose otherwise: a refused site that could be a candidate is always among them."""
        if self.row is None or any(row[1] == self.row[1] for row in rows):
            return rows
        return [*rows, self.row]

    def show_winner(self, rows: list[Row]) -> list[Row]:
        """The rows of a record that honoured it: whoever was nearer lost to the person's wish."""
        if self.row is None:
            return rows
        wished = self.row
        shown = []
        for row in rows:
            distance_mm, site_id, load, lost, weight, detour_mm = row
            if site_id == wished[1]:
                shown.append(wished)
            elif lost is None or lost == _FARTHER:
                why = _NOT_PREFERRED if distance_mm <= wished[0] else _FARTHER
                shown.append((distance_mm, site_id, load, why, weight, detour_mm))
            else:
                shown.append(row)
        return self.show(shown)


NO_PREFERENCE = Preference("none")


def weigh_preference(
    snapshot: Snapshot,
    key: TreeKey,
    max_mm: int,
    site_id: str,
    excluded: tuple[str, ...],
    room: Room,
    point_m: NDArray[np.float64],
    *,
    in_business: bool,
    barriers: Barriers,
    point: Point,
) -> Preference:
    """Whether the site can take the lead; `in_business` says whether its first day has come and its last has not.

    `point_m` is `point` (WGS-84 degrees) in earth-centred metres.
    """
    index = snapshot.index_of(site_id)
    if index is None:
        return Preference("refused_unknown")
    if not snapshot.serves(index, key):
        return Preference("refused_incapable")
    if not (snapshot.is_open(index) and in_business):
        return Preference("refused_unavailable")
    load, (_, limit, weight) = room.load(site_id), snapshot.offers[index]
    detour_mm = barriers.detour_mm(point, snapshot.point(index))
    distance_mm = snapshot.distance_mm(point_m, index) + detour_mm
    lost: Lost | None = None
    if not snapshot.admits(index, key):
        lost = Lost.KIND_NOT_ALLOWED
    elif snapshot.bars(index, key):
        lost = Lost.PARTNER_BARRED
    if lost is not None:
        return Preference("refused_incapable", (distance_mm, site_id, load, lost.value, weight, detour_mm))
    if distance_mm > max_mm:
        lost = Lost.TOO_FAR
    elif site_id in excluded:
        lost = Lost.DECLINED
    elif load >= limit:
        lost = Lost.FULL
    elif site_id in room.full_today:
        lost = Lost.FULL_TODAY
    if lost is not None:
        return Preference("refused_unavailable", (distance_mm, site_id, load, lost.value, weight, detour_mm))
    return Preference("honoured", (distance_mm, site_id, load, None, weight, detour_mm))
