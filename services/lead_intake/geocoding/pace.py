"""No more than so many questions a second, evenly spaced: map services count, and block who asks too fast."""

from collections.abc import Callable


class Pace:
    """The turns of one process; `clock` is monotonic, in seconds."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._apart_s = 1 / per_second
        self._clock = clock
        self._next = clock()

    def take_turn(self, within_s: float) -> float | None:
        """Seconds until one's turn, which is taken by this; None when it is later than `within_s`, and not taken."""
        now = self._clock()
        turn = max(now, self._next)
        if turn - now > within_s:
            return None
        self._next = turn + self._apart_s
        return turn - now
