"""Answers kept for a while, in memory, under a keyed hash of the question: what a person wrote is nowhere at rest.

Not in PostgreSQL: a look-up must not need a connection, and a table of where addresses are would be one more copy of
personal data to erase. Each process asks once for itself.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import TypeAlias

from services.lead_intake.geocoding.port import Found, Question
from shared.recent import Recent

Key: TypeAlias = bytes


class Answers:
    """At most `most` answers, the longest unused forgotten first, each for `keep_s`; `clock` is monotonic."""

    def __init__(self, pepper: bytes, most: int, keep_s: float, clock: Callable[[], float]) -> None:
        self._pepper = pepper
        self._clock = clock
        self._kept: Recent[Key, tuple[Found, ...]] = Recent(most, keep_s)

    def __len__(self) -> int:
        return len(self._kept)

    def key(self, question: Question) -> Key:
        """What a question is kept under."""
        text = "\x1f".join(("geocode", question.text.casefold(), question.city.casefold()))
        return hmac.digest(self._pepper, text.encode(), hashlib.sha256)

    def get(self, key: Key) -> tuple[Found, ...] | None:
        """The answer, also an empty one; None when there is none or it is too old."""
        kept = self._kept.get(key, self._clock())
        return None if kept is None else kept[0]

    def put(self, key: Key, found: Sequence[Found]) -> None:
        """Keep an answer."""
        self._kept.put(key, tuple(found), self._clock())
