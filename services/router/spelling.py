"""What a person probably meant by a name that nobody knows."""

from collections.abc import Sequence
from difflib import get_close_matches

# Half the letters in common: "paint" finds paint_repair, and "zzz" finds nothing.
_LIKENESS = 0.5
_LONGEST = 64
"""Characters that are compared: the comparison takes the square of them."""
_MOST_NAMED = 30


def meant(text: str, valid: Sequence[str]) -> str:
    """The advice that ends a refusal: the nearest valid name, or all of them when none is near."""
    wanted = text[:_LONGEST].strip().lower().replace("-", "_").replace(" ", "_")
    near = get_close_matches(wanted, valid, n=1, cutoff=_LIKENESS)
    if near:
        return f"did you mean {near[0]}?"
    more = f" (and {len(valid) - _MOST_NAMED} more)" if len(valid) > _MOST_NAMED else ""
    return f"use one of {', '.join(valid[:_MOST_NAMED])}{more}"
