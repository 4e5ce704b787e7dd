"""What a person probably meant by a name that nobody knows."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

# Half the letters in common: "paint" finds paint_repair, and "zzz" finds nothing.
_LIKENESS = 0.5
_LONGEST = 64
"""Characters that are compared: the comparison takes the square of them."""
_MOST_NAMED = 30


def meant(text: str, valid: Sequence[str]) -> str:
    """The advice that ends a refusal: the nearest valid name, or all of them when none is near."""
    wanted = text[:_LONGEST].strip().lower().replace("-", "_").replace(" ", "_")
    if near := _nearest(wanted, tuple(valid)):
        return f"did you mean {near}?"
    more = f" (and {len(valid) - _MOST_NAMED} more)" if len(valid) > _MOST_NAMED else ""
    return f"use one of {', '.join(valid[:_MOST_NAMED])}{more}"


# A file that is wrong in one way is so on every line, and the comparison is slow.
@lru_cache(maxsize=1_024)
def _nearest(wanted: str, valid: tuple[str, ...]) -> str | None:
    return next(iter(get_close_matches(wanted, valid, n=1, cutoff=_LIKENESS)), None)
