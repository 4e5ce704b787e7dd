"""The window that an audit looks at, from its two ends as people type them."""

from datetime import UTC, datetime

from services.audit.db.reader import Window
from shared.errors import UserError
from shared.moments import moment_of

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
