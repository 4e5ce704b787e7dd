"""Points and spans of time as people type them: `2h` (ago, or from now), a date, an ISO time.

Without an offset a past moment is in UTC, as in logs.
"""

import re
from datetime import UTC, datetime, timedelta

from shared.errors import UserError
from shared.numbers import quoted

_SPAN = re.compile(r"([0-9]{1,6})\s*([smhd])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?\s*(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_WAIT = timedelta(days=3_660)
"""What is meant to come later than in ten years is a slip of the pen."""


def moment_of(text: str, now: datetime, option: str) -> datetime:
    """The moment that `text` names. Raises UserError when it names none; `option` says where it was typed."""
    if _SPAN.fullmatch(text.strip()):
        return before(now, span_of(text, option))
    return _iso(text, option, "write 2h, 30m, 2026-03-01 or 2026-03-01T10:00+08:00", now, needs_offset=False)


def coming_moment_of(text: str, now: datetime, option: str) -> datetime:
    """The moment to come that `text` names: `2h` from now, an ISO time with its offset, or `now`.

    Raises UserError when it names none. An offset is asked for: three in the morning is not the same everywhere.
    Whether the moment has passed is not looked at.
    """
    wanted = text.strip()
    if wanted == "now":
        return now
    if _SPAN.fullmatch(wanted):
        span = span_of(wanted, option)
        if span > _LONGEST_WAIT:
            raise UserError(f"{option} {quoted(text)} is more than ten years ahead", "write an earlier time")
        return now + span
    return _iso(text, option, "write 2h, 30m or 2026-03-01T03:00+08:00", now, needs_offset=True)


def before(now: datetime, span: timedelta) -> datetime:
    """The moment that lies `span` before `now`; 1970 for what lies before that: there is nothing to look for."""
    return max(_EARLIEST, now - span) if span < now - _EARLIEST else _EARLIEST


def _iso(text: str, option: str, hint: str, now: datetime, *, needs_offset: bool) -> datetime:
    wanted = text.strip()
    try:
        moment = datetime.fromisoformat(wanted) if _ISO.fullmatch(wanted) else None
    except ValueError as error:
        raise UserError(f"{option} {quoted(text)} is no time: {error}", hint) from error
    if moment is None:
        raise UserError(f"{option} {quoted(text)} is no time", hint)
    if moment.tzinfo is None:
        if needs_offset:
            raise UserError(f"{option} {quoted(text)} does not say in which zone", hint)
        moment = moment.replace(tzinfo=UTC)
    # Compared as it is: to turn the last hours of the year 9999 into UTC would overflow.
    if moment < _EARLIEST:
        raise UserError(f"{option} {quoted(text)} lies before 1970", hint)
    if moment > now + _LONGEST_WAIT:
        raise UserError(f"{option} {quoted(text)} is more than ten years ahead", hint)
    return moment.astimezone(UTC)


def span_of(text: str, option: str) -> timedelta:
    """The length of time that `text` names. Raises UserError when it names none."""
    span = _SPAN.fullmatch(text.strip())
    if span is None:
        raise UserError(f"{option} {quoted(text)} is no length of time", "write 7d, 12h, 30m or 45s")
    return timedelta(**{_UNIT[span[2]]: int(span[1])})
