"""Words that every part of Waypost writes alike."""


def counted(number: int, noun: str) -> str:
    """`1 minute`, `2 minutes`: the number and its noun, in the plural unless it is one."""
    if abs(number) == 1:
        return f"{number} {noun}"
    is_y_after_consonant = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    plural = (
        f"{noun[:-1]}ies" if is_y_after_consonant else f"{noun}es" if noun.endswith(("s", "x", "ch")) else f"{noun}s"
    )
    return f"{number} {plural}"
