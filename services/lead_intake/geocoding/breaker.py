"""Leaves a service alone that does not answer: after some failures in a row it is asked one question at a time."""

from collections.abc import Callable

FAILURES_IN_A_ROW = 5
OPEN_S, LONGEST_OPEN_S = 30.0, 300.0
"""The first pause, doubled by each look that fails."""


class Breaker:
    """One service's breaker; `clock` is monotonic, in seconds. Used by one thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._looking = False

    @property
    def is_open(self) -> bool:
        """Whether nothing may be asked at this moment."""
        return self._open_until is not None and (self._looking or self._clock() < self._open_until)

    def enter(self) -> bool:
        """Whether a question may be asked now; when it was open, this one is the look. Tell how it ended."""
        if self.is_open:
            return False
        self._looking = self._open_until is not None
        return True

    def succeeded(self) -> None:
        """The service answered: close."""
        self._failures, self._open_until, self._looking = 0, None, False

    def failed(self, pause_s: float = 0.0) -> None:
        """It did not. With `pause_s` it is left alone at once, for that long."""
        if self._open_until is not None and not self._looking:
            # Asked before it opened; this says nothing new.
            return
        self._failures = max(self._failures + 1, FAILURES_IN_A_ROW if pause_s else 0)
        self._looking = False
        if self._failures >= FAILURES_IN_A_ROW:
            doubled_s = OPEN_S * 2.0 ** min(self._failures - FAILURES_IN_A_ROW, 10)
            self._open_until = self._clock() + max(pause_s, min(LONGEST_OPEN_S, doubled_s))
