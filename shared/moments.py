"""Points and spans of time as people type them: `2h` (ago, or from now), a date, an ISO time.

Without an offset a past moment is in UTC, as in logs.
"""

import re
from datetime import UTC, datetime, timedelta

from shared.errors import UserError

_SPAN = re.compile(r"(\d{1,6})\s*([smhd])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment_of(text: str, now: datetime, option: str) -> datetime:
    """The moment that `text` names. Raises UserError when it names none; `option` says where it was typed."""
    if _SPAN.fullmatch(text.strip()):
        return now - span_of(text, option)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError(
            f"{option} {text!r} is no time", "write 2h, 30m, 2026-03-01 or 2026-03-01T10:00+08:00"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def coming_moment_of(text: str, now: datetime, option: str) -> datetime:
    """The moment to come that `text` names: `2h` from now, an ISO time with its offset, or `now`.

    Raises UserError when it names none. An offset is asked for: three in the morning is not the same everywhere.
    Whether the moment has passed is not looked at.
    """
    wanted = text.strip()
    if wanted == "now":
        return now
    if _SPAN.fullmatch(wanted):
        return now + span_of(wanted, option)
    hint = "write 2h, 30m or 2026-03-01T03:00+08:00"
    try:
        moment = datetime.fromisoformat(wanted)
    except ValueError as error:
        raise UserError(f"{option} {text!r} is no time", hint) from error
    if moment.tzinfo is None:
        raise UserError(f"{option} {text!r} does not say in which zone", hint)
    return moment.astimezone(UTC)


def span_of(text: str, option: str) -> timedelta:
    """The length of time that `text` names. Raises UserError when it names none."""
    span = _SPAN.fullmatch(text.strip())
    if span is None:
        raise UserError(f"{option} {text!r} is no length of time", "write 7d, 12h, 30m or 45s")
    return timedelta(**{_UNIT[span[2]]: int(span[1])})
