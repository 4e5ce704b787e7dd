"""The site that a lead should go to before nearer ones: honoured when it can take it, otherwise refused by name.

The person asked for it, or the policy says that the person stays with it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.router.barriers import Barriers, Point
from services.router.domain.candidates import Row
from services.router.domain.ledger import Stay
from services.router.domain.room import Room
from services.router.snapshot import Snapshot, TreeKey
from shared.contracts import Lost

_FARTHER = Lost.FARTHER.value
_NOT_PREFERRED = Lost.NOT_PREFERRED.value
_SERVED_ELSEWHERE = Lost.SERVED_ELSEWHERE.value


class Preference(NamedTuple):
    """What came of the wishes of one lead: the person's own first, then the policy's that the person stay."""

    verdict: str
    """Of the person's own wish, in the words of `LeadAssigned.preferred`."""
    row: Row | None = None
    """The wished site as a candidate; None when it could not be one (unknown, not open, cannot do the work)."""
    stay: str = ""
    """What the record says of the second wish; empty when there was none, or the first was honoured."""
    also: Row | None = None
    """The site of the person's own wish, when `row` is that of the second."""
    why_nearer: str = _NOT_PREFERRED
    """Why nearer sites lost to an honoured wish."""

    @property
    def is_honoured(self) -> bool:
        """Whether the lead goes to the wished site."""
        return self.row is not None and self.row[3] is None

    def then(self, stay: Stay, second: "Preference") -> "Preference":
        """With the second wish, to be asked for when the first is not honoured."""
        said = f'"stay":{{"rule":"{stay.rule}","site_id":"{stay.site_id}","verdict":"{second.verdict}"}}'
        return Preference(self.verdict, second.row, said, self.row, _SERVED_ELSEWHERE)

    def show(self, rows: list[Row]) -> list[Row]:
        """The rows of a record that chose otherwise: a refused site that could be a candidate is always among them."""
        for wished in (self.also, self.row):
            if wished is not None and all(row[1] != wished[1] for row in rows):
                rows = [*rows, wished]
        return rows

    def show_winner(self, rows: list[Row]) -> list[Row]:
        """The rows of a record that honoured it: whoever was nearer lost to the wish."""
        if self.row is None:
            return rows
        wished = self.row
        shown = []
        for row in rows:
            distance_mm, site_id, load, lost, weight, detour_mm = row
            if site_id == wished[1]:
                shown.append(wished)
            elif lost is None or lost == _FARTHER:
                why = self.why_nearer if distance_mm <= wished[0] else _FARTHER
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
    else:
        lost = room.refuses(site_id, load, limit)
    if lost is not None:
        return Preference("refused_unavailable", (distance_mm, site_id, load, lost.value, weight, detour_mm))
    return Preference("honoured", (distance_mm, site_id, load, None, weight, detour_mm))
