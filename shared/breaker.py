"""Leaves a service that others run alone while it does not answer, so that no lead waits for it again and again."""


class Breaker:
    """Rests after `failures` in a row; then one question looks. While looks fail the rests go on, each twice as long.

    Every `now` is the reading of a clock that only goes forward, in seconds. Used by one thread.
    """

    def __init__(self, failures: int, rest_s: float, longest_rest_s: float) -> None:
        self._most = failures
        self._rest_s = rest_s
        self._longest_rest_s = longest_rest_s
        self._failed = 0
        self._looking = False
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether the service counts as down."""
        return self._failed >= self._most

    def rests(self, now: float) -> bool:
        """Whether nothing may be asked at this moment."""
        return self.is_resting and now < self._rests_until

    def allows(self, now: float) -> bool:
        """Whether to ask now; tell how it ended. Yes to one caller after each rest, the look."""
        if self.rests(now):
            return False
        if self.is_resting:
            self._looking = True
            # A look of which nobody tells how it ended holds the next one up no longer than this.
            self._rests_until = now + self._rest_s
        return True

    def answered(self) -> bool:
        """The service works; returns whether it had counted as down."""
        was_resting, self._failed, self._looking = self.is_resting, 0, False
        return was_resting

    def failed(self, now: float, pause_s: float = 0.0) -> bool:
        """It does not; returns whether it counts as down from this moment on.

        With `pause_s` it is left alone at once, and for no less than that: it said so itself.
        """
        was_resting = self.is_resting
        if was_resting and not self._looking:
            return False  # asked before it counted as down; this says nothing new
        self._looking = False
        self._failed = max(self._failed + 1, self._most if pause_s else 0)
        if self.is_resting:
            doubled_s = self._rest_s * 2.0 ** min(self._failed - self._most, 10)
            self._rests_until = now + max(pause_s, min(self._longest_rest_s, doubled_s))
        return self.is_resting and not was_resting
