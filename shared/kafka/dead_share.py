"""How many records that claim to be our own may be buried, before it is more likely that this code is wrong.

What no version of Waypost could have written (no JSON, no envelope of ours, far too large) says nothing about a deploy
and is not counted here. Of facts that claim to be ours a bad deploy would bury every one, so beyond 1 % they are held
back: then 20 at a time go, after waits that grow to a minute. A burst is got through so, a topic is not emptied.
"""

from datetime import datetime, timedelta

LIMIT = 0.01
"""1 % of what was seen: a bad deploy must stop, one bad record in a quiet hour must not."""
FEW_ENOUGH = 20
"""So many are never an alarm by themselves; and so many go at a time while others are held back."""
FORGET_AFTER_RECORDS = 100_000
"""The distant past is forgotten by halves, so that a new fault shows."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(seconds=60)
CALM = timedelta(seconds=60)
"""So long nothing had to be held back: the burst is over and counting begins anew."""


class DeadShare:
    """The count of one consumer in one process."""

    def __init__(self) -> None:
        self.seen = 0
        self.dead = 0
        self._wait = FIRST_WAIT
        self._next_at: datetime | None = None
        """While records are held back: when the next may go."""
        self._refused_at: datetime | None = None

    @property
    def is_holding(self) -> bool:
        """Whether records are being held back."""
        return self._next_at is not None

    def admit(self, dead: int, seen: int, now: datetime) -> int:
        """How many of `dead` may be buried now; they were found among `seen`, which are counted when all may."""
        if self._refused_at is not None and now - self._refused_at >= CALM:
            self.seen = self.dead = 0
            self._wait, self._next_at, self._refused_at = FIRST_WAIT, None, None
        if dead and self._next_at is not None:
            admitted = min(dead, FEW_ENOUGH) if now >= self._next_at else 0
            if admitted:
                self._wait = min(LONGEST_WAIT, self._wait * 2)
                self._next_at = now + self._wait
        else:
            within = self.dead + dead <= max(FEW_ENOUGH, LIMIT * (self.seen + seen))
            admitted = dead if within else 0
            if not within:
                self._next_at = now + self._wait
        self.dead += admitted
        if admitted < dead:
            self._refused_at = now
        else:
            self.seen += seen
            if self.seen > FORGET_AFTER_RECORDS:
                self.seen //= 2
                self.dead //= 2
        return admitted
