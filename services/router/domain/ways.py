"""From a lead to the sites round it: straight distances and, over barriers, their detours."""

from services.router.barriers import Barriers, Point
from services.router.snapshot import Snapshot

Way = tuple[int, int, int]
"""The whole way in mm, the site's index in the snapshot, and how much of the way is detour."""


def near(barriers: Barriers, point: Point, distances_mm: list[int]) -> Barriers:
    """Those that may lie on the way to any of the sites found, the farthest last."""
    return barriers.within(point, distances_mm[-1]) if barriers and distances_mm else barriers


def ways_to(
    snapshot: Snapshot, barriers: Barriers, point: Point, distances_mm: list[int], indexes: list[int]
) -> list[Way]:
    """The way to each site found, shortest first; equally long ones by site id, as the search has them."""
    if not barriers:
        return [(mm, index, 0) for mm, index in zip(distances_mm, indexes, strict=True)]
    ways = []
    for straight_mm, index in zip(distances_mm, indexes, strict=True):
        detour_mm = barriers.detour_mm(point, snapshot.point(index))
        ways.append((straight_mm + detour_mm, index, detour_mm))
    return sorted(ways)
