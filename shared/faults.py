"""Faults of a file, told within bounds: the first of them in full, the others counted by kind.

A file with a separator that nobody expected has a fault on every line; a hundred thousand lines tell a person less than
twenty, and a terminal nothing at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.words import counted

MOST_TOLD = 20
LONGEST_TOLD = 400
"""Characters of one fault."""
_MOST_KINDS = 8

Fault = TypeVar("Fault")


@dataclass(frozen=True, slots=True)
class Bounded(Generic[Fault]):
    """Faults as they are kept: the first ones, and of what kind the others are."""

    first: tuple[Fault, ...]
    more: Mapping[str, int]
    """How many others there are of each kind."""

    @property
    def total(self) -> int:
        """All of them."""
        return len(self.first) + sum(self.more.values())

    def __bool__(self) -> bool:
        return bool(self.first)


class Faults(Generic[Fault]):
    """Gathers faults in bounded memory, in the order in which they are found."""

    def __init__(self, kind_of: Callable[[Fault], str], most: int = MOST_TOLD) -> None:
        """`kind_of` names the kind of a fault, such as its column; kinds must be few."""
        self._kind_of = kind_of
        self._most = most
        self._first: list[Fault] = []
        self._more: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._first)

    def add(self, fault: Fault) -> None:
        """Keep the fault, or count it when enough are kept."""
        if len(self._first) < self._most:
            self._first.append(fault)
        else:
            self._more[self._kind_of(fault)] += 1

    def extend(self, faults: Iterable[Fault]) -> None:
        """Add them all."""
        for fault in faults:
            self.add(fault)

    def bounded(self) -> Bounded[Fault]:
        """What was gathered."""
        return Bounded(tuple(self._first), dict(self._more))


def refusal(what: str, faults: Bounded[Fault], line_of: Callable[[Fault], str]) -> str:
    """The message that begins with `what` (`x is refused`): how many faults, the first of them, the others by kind."""
    lines = [f"  {cut(line_of(fault))}" for fault in faults.first]
    if faults.more:
        kinds = sorted(faults.more.items(), key=lambda kind: (-kind[1], kind[0]))
        named = [f"{number:,} of {cut(kind, 64)}" for kind, number in kinds[:_MOST_KINDS]]
        named += [f"{len(kinds) - _MOST_KINDS} kinds more"] if len(kinds) > _MOST_KINDS else []
        lines.append(f"  and {sum(faults.more.values()):,} more like these: {', '.join(named)}")
    return "\n".join([f"{what}, {counted(faults.total, 'fault')}:", *lines])


def cut(text: str, most: int = LONGEST_TOLD) -> str:
    """The text, or its beginning and `...`; line breaks and what moves a cursor are escaped."""
    shown = text if len(text) <= most else f"{text[: most - 3]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
