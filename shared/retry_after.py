"""The Retry-After field of an answer (RFC 9110, 10.2.3): how long to wait, or nothing that makes sense."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_DIGITS = 10


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds from `now`, never below 0 and without an upper bound; None when the field is missing or is garbage.

    It may be a number of seconds or a date in any of the three forms of RFC 9110, 5.6.7. The third, asctime's, names
    no zone and is UTC like the others. Callers bound the wait: a server may ask for more than it gets.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text.lstrip("0")[:_MOST_DIGITS] or "0")
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    except (ValueError, OverflowError, TypeError, IndexError):
        # The library documents the first; numbers beyond the range of a date are the second.
        return None
