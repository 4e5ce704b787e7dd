from datetime import UTC, datetime

import pytest

from services.audit.db.reader import Window
from services.audit.moments import BEGINNING, window_of
from shared.errors import UserError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_without_bounds_a_window_is_everything_up_to_now() -> None:
    assert window_of(None, None, NOW) == Window(BEGINNING, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 3, 2, 7, 0, tzinfo=UTC)),
        ("30m", datetime(2026, 3, 2, 8, 30, tzinfo=UTC)),
        ("45s", datetime(2026, 3, 2, 8, 59, 15, tzinfo=UTC)),
        ("1d", datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T10:00", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("2026-03-01T10:00+08:00", datetime(2026, 3, 1, 2, 0, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_people_type_them(text: str, expected: datetime) -> None:
    assert window_of(text, None, NOW).since == expected


@pytest.mark.parametrize(("since", "until"), [("yesterday", None), (None, "2026-13-01"), ("1h", "2h"), ("1h", "1h")])
def test_what_is_no_window_is_refused_in_words(since: str | None, until: str | None) -> None:
    with pytest.raises(UserError):
        window_of(since, until, NOW)
