"""Values that were needed lately, in memory: bounded in number and in age."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Recent(Generic[KeyT, ValueT]):
    """At most `size` values, none older than `age_s`; the one that was not needed for longest goes first.

    Every `now` is the reading of a clock that only goes forward, in seconds.
    """

    def __init__(self, size: int, age_s: float) -> None:
        self._size = size
        self._age_s = age_s
        self._kept: OrderedDict[KeyT, tuple[float, ValueT]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: KeyT, now: float) -> tuple[ValueT] | None:
        """The value in a tuple of one, since it may be None itself; None when it is not known (any more)."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        until, value = kept
        if until <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return (value,)

    def put(self, key: KeyT, value: ValueT, now: float) -> None:
        """Keep it from `now` on."""
        self._kept[key] = now + self._age_s, value
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
