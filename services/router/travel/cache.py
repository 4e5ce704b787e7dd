"""Travel times that were asked for before, for a while: roads change seldom, and leads come from the same districts."""

from collections import OrderedDict
from typing import NamedTuple

from services.router.barriers import Point


class Pair(NamedTuple):
    """A way: from a lead's rounded point to a site where it stood then. A site that moves is another pair."""

    start: Point
    site_id: str
    end: Point


class TravelCache:
    """The newest `size` ways, none older than `age_s`; the one that was not needed for longest goes first."""

    def __init__(self, size: int, age_s: float) -> None:
        self._size = size
        self._age_s = age_s
        self._kept: OrderedDict[Pair, tuple[float, int | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, pair: Pair, now: float) -> tuple[int | None] | None:
        """Its seconds (None: no way) in a tuple of one; None when they are not known (any more).

        `now` is the reading of a clock that only goes forward, in seconds.
        """
        kept = self._kept.get(pair)
        if kept is None:
            return None
        until, seconds = kept
        if until <= now:
            del self._kept[pair]
            return None
        self._kept.move_to_end(pair)
        return (seconds,)

    def put(self, pair: Pair, seconds: int | None, now: float) -> None:
        """Keep it from `now` on."""
        self._kept[pair] = now + self._age_s, seconds
        self._kept.move_to_end(pair)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
