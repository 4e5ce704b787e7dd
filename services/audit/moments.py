"""Points in time as people type them: `2h` (ago), a date, an ISO time. Without an offset it is UTC, as in the logs."""

import re
from datetime import UTC, datetime, timedelta

from services.audit.db.reader import Window
from shared.errors import UserError

_AGO = re.compile(r"(\d{1,6})\s*([smhd])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any lead."""


def window_of(since: str | None, until: str | None, now: datetime) -> Window:
    """From `since` (default: everything) to `until` (default: now). Raises UserError when they make no window."""
    window = Window(
        BEGINNING if since is None else moment_of(since, now, "--from"),
        now if until is None else moment_of(until, now, "--to"),
    )
    if window.since >= window.until:
        raise UserError(f"the window ends ({window.until:%F %T}) before it begins ({window.since:%F %T})")
    return window


def moment_of(text: str, now: datetime, option: str) -> datetime:
    """The moment that `text` names. Raises UserError when it names none."""
    if ago := _AGO.fullmatch(text.strip()):
        return now - timedelta(**{_UNIT[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError(
            f"{option} {text!r} is no time", "write 2h, 30m, 2026-03-01 or 2026-03-01T10:00+08:00"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
