"""Leaves an engine alone that does not answer, so that no lead waits for it again and again."""


class Breaker:
    """Rests after so many failures in a row; then one question tries, and while it fails the rests go on.

    Every `now` is the reading of a clock that only goes forward, in seconds.
    """

    def __init__(self, failures: int, rest_s: float) -> None:
        self._most = failures
        self._rest_s = rest_s
        self._failed = 0
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether the engine counts as down."""
        return self._failed >= self._most

    def allows(self, now: float) -> bool:
        """Whether to ask now. Yes to one caller after each rest: a try that never ends holds the next up no longer."""
        if not self.is_resting:
            return True
        if now < self._rests_until:
            return False
        self._rests_until = now + self._rest_s
        return True

    def answered(self) -> bool:
        """The engine works; returns whether it had counted as down."""
        was_resting, self._failed = self.is_resting, 0
        return was_resting

    def failed(self, now: float) -> bool:
        """The engine does not; returns whether it counts as down from this moment on."""
        was_resting = self.is_resting
        self._failed += 1
        if self.is_resting:
            self._rests_until = now + self._rest_s
        return self.is_resting and not was_resting
