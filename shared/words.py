"""Small parts of sentences that every room says alike."""


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 minute`, `2 minutes`, `0.5 hours`; `plural` for nouns that take more than an s."""
    written = f"{number:,}" if isinstance(number, int) else f"{number:g}"
    return f"{written} {noun if number == 1 else plural or noun + 's'}"
