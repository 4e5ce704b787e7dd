"""The epoch that a path names."""

import re

LARGEST = 2**31 - 1
"""Epochs are PostgreSQL integers."""
_EPOCH = re.compile(r"0*([1-9][0-9]{0,9})", re.ASCII)


def epoch_of(text: str) -> int | None:
    """The epoch as a number; None for anything that nobody ever had, however many digits it has.

    Python refuses to read numbers of more than 4,300 digits, so they are looked at as text first.
    """
    digits = _EPOCH.fullmatch(text)
    epoch = int(digits[1]) if digits else 0
    return epoch if 1 <= epoch <= LARGEST else None
