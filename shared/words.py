"""Words that every part of Waypost writes alike."""


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 minute`, `2 cities`, `0.5 hours`; `plural` for irregular nouns."""
    written = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{written} {noun if abs(number) == 1 else plural or _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch")) else f"{noun}s"
