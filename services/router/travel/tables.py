"""Which ways are asked for together: leads of one neighbourhood have most of their near sites in common.

A request costs a router more than its cells, and engines search once from each point of a table, not for each cell.
"""

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

from services.router.barriers import Point
from services.router.travel.cache import Pair

MOST_STARTS, MOST_ENDS = 25, 50
"""Together fewer than the 100 points of OSRM's default `--max-table-size`, as a product no more than the 2,500 cells of
Valhalla's `max_matrix_location_pairs`."""
_CELLS_PER_DEGREE = 4
"""About 25 km: a table must not hold ways so long that an engine refuses them, when nobody asked for those."""

Missing = tuple[Pair, ...]
"""Ways from one point that no cache knows, at least one. Leads of one place that miss the same ask once."""


class Table(NamedTuple):
    """One question: the ways from each start to every end."""

    asked: tuple[Missing, ...]
    """What is wanted of it, a row for each."""
    ends: tuple[Point, ...]

    @classmethod
    def of(cls, asked: Sequence[Missing]) -> "Table":
        """The table that has all of these; equal ends stand in it once."""
        return cls(tuple(asked), tuple(dict.fromkeys(pair.end for pairs in asked for pair in pairs)))

    @property
    def starts(self) -> list[Point]:
        """Where each row begins."""
        return [pairs[0].start for pairs in self.asked]

    def columns(self, pairs: Missing) -> list[int]:
        """Where the ends of these ways stand."""
        return [self.ends.index(pair.end) for pair in pairs]


def tables(asked: Sequence[Missing]) -> list[Table]:
    """All that is asked for, each once, in as few tables as the limits allow."""
    neighbours: dict[tuple[int, int], list[Missing]] = {}
    for pairs in asked:
        lat, lon = pairs[0].start
        cell = floor(lat * _CELLS_PER_DEGREE), floor(lon * _CELLS_PER_DEGREE)
        neighbours.setdefault(cell, []).append(pairs)
    found: list[Table] = []
    for near in neighbours.values():
        # By the nearest site, so that those next to each other share the most.
        near.sort(key=lambda pairs: (pairs[0].site_id, pairs[0].start))
        together: list[Missing] = []
        ends: set[Point] = set()
        for pairs in near:
            more = ends | {pair.end for pair in pairs}
            if together and (len(together) == MOST_STARTS or len(more) > MOST_ENDS):
                found.append(Table.of(together))
                together, more = [], {pair.end for pair in pairs}
            together.append(pairs)
            ends = more
        found.append(Table.of(together))
    return found
