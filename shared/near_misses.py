"""What somebody probably meant by a name that nobody knows."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 3
LIKENESS = 0.6
"""The share of letters in common from which `difflib` calls two names alike."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The question that ends a refusal, with the nearest names first; empty when none is near."""
    near = get_close_matches(name.strip().lower()[:64], sorted(set(names)), n=MOST, cutoff=LIKENESS)
    return f"did you mean {', '.join(near[:-1])}{' or ' if len(near) > 1 else ''}{near[-1]}?" if near else ""
