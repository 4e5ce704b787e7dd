"""Texts of a file as the fields of a draft take them: never longer, and the sender is told when something was cut."""

from services.lead_intake.faults import Fault

LONGEST_LINE, LONGEST_NAME = 128, 64
"""Characters of `draft.Line` and `draft.Short`."""


def line_of(text: str, pointer: str, remarks: list[Fault], longest: int = LONGEST_LINE) -> str:
    """The text, cut to the longest that its field takes."""
    if len(text) > longest:
        remarks.append(Fault(pointer, f"is longer than {longest} characters; the rest was cut off"))
    return text[:longest].strip()
