"""When a site works: opening hours in its own time zone, closed days, and the first and last day of its business.

Everything is cut into spans of UTC, a local day at a time. What a network keeps is taken as it is: whether somebody
meant it is asked when a file is read (`hours_text`), and what was imported before that was asked decides as it did.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from opening_hours import OpeningHours, State

DEFAULT_ZONE = "Asia/Shanghai"
"""One zone holds for all of China."""

Span = tuple[datetime, datetime]
"""From (included) to (excluded), in UTC."""
Days = tuple[date, date]
"""First and last day, both included."""

_LOOK_AHEAD_DAYS = 370
_KEPT_DAYS = 1_000


class WorkingTime(NamedTuple):
    """What a network says of when a site works; the names are those of the columns of its file."""

    hours: str = ""
    """Opening hours as OpenStreetMap writes them; empty: not known, and the site counts as always open."""
    time_zone: str = DEFAULT_ZONE
    """IANA name of the zone in which hours and days are meant."""
    closures: tuple[Days, ...] = ()
    """Days on which it is closed whatever its hours say, in order."""
    opens_on: date | None = None
    """First day of its business; None: it has begun."""
    closes_on: date | None = None
    """Last day of its business; None: no end is known."""


ALWAYS = WorkingTime()
"""Nothing is known that restricts the site."""


class Schedule:
    """A working time, ready to be asked. Safe to share between threads, and between sites that work alike."""

    def __init__(self, when: WorkingTime) -> None:
        self._when = when
        self._hours = parsed(when.hours) if when.hours else None
        self._zone = ZoneInfo(when.time_zone)
        # Worked out once per local day: the same days are asked for with every lead.
        self._spans: dict[date, tuple[Span, ...]] = {}

    @property
    def has_hours(self) -> bool:
        """False when nothing is known of opening hours and closed days: then the site counts as always open."""
        return self._hours is not None or bool(self._when.closures)

    @property
    def is_dated(self) -> bool:
        """Whether its business has a first or a last day."""
        return self._when.opens_on is not None or self._when.closes_on is not None

    @property
    def opened_at(self) -> datetime | None:
        """The first moment of its business; None when it was never given one."""
        first = self._when.opens_on
        return None if first is None else datetime.combine(first, time(), self._zone).astimezone(UTC)

    def is_in_business(self, at: datetime) -> bool:
        """Whether `at` lies between the first and the last day of its business."""
        today = at.astimezone(self._zone).date()
        first, last = self._when.opens_on, self._when.closes_on
        return (first is None or first <= today) and (last is None or today <= last)

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is there at this moment."""
        if not self.has_hours:
            return True
        return any(start <= at < end for start, end in self.spans(at.astimezone(self._zone).date()))

    def opens_within_a_year(self, day: date) -> bool:
        """Whether it opens at all in the year that begins with `day`, as far as `after_open_time` looks."""
        if not self.has_hours:
            return True
        return any(self._cut(day + timedelta(days=later)) for later in range(_LOOK_AHEAD_DAYS))

    def after_open_time(self, at: datetime, wanted: timedelta) -> datetime:
        """The moment at which the site will have been open for `wanted` since `at`, in UTC.

        A site that does not open within a year has no such moment: its clock runs as if it were always open.
        """
        at = at.astimezone(UTC)
        if not self.has_hours:
            return at + wanted
        today = at.astimezone(self._zone).date()
        left = wanted
        for day in range(_LOOK_AHEAD_DAYS):
            for start, end in self.spans(today + timedelta(days=day)):
                begun = max(start, at)
                if end <= begun:
                    continue
                if end - begun >= left:
                    return begun + left
                left -= end - begun
        return at + wanted

    def spans(self, day: date) -> tuple[Span, ...]:
        """When the site is open on one local day; what runs past midnight is cut there."""
        spans = self._spans.get(day)
        if spans is None:
            if len(self._spans) > _KEPT_DAYS:
                self._spans = {}
            spans = self._spans[day] = self._cut(day)
        return spans

    def _cut(self, day: date) -> tuple[Span, ...]:
        if any(first <= day <= last for first, last in self._when.closures):
            return ()
        midnight, next_midnight = datetime.combine(day, time()), datetime.combine(day + timedelta(days=1), time())
        if self._hours is None:
            return (self._utc(midnight, next_midnight),)
        return tuple(
            self._utc(max(start, midnight), min(end, next_midnight))
            for start, end, state, _ in self._hours.intervals(midnight, next_midnight)
            if state is State.OPEN
        )

    def _utc(self, start: datetime, end: datetime) -> Span:
        return (start.replace(tzinfo=self._zone).astimezone(UTC), end.replace(tzinfo=self._zone).astimezone(UTC))


def read_zone(text: str) -> str:
    """The IANA name in `text`. Raises ValueError for a zone that nobody knows."""
    # Only what is listed: `localtime` is another zone on another machine, and `right/UTC` has leap seconds.
    if text not in _zones():
        raise ValueError(f"unknown time zone {text[:64]!r}; use an IANA name such as {DEFAULT_ZONE}")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def read_days(text: str) -> Days:
    """One day (`2026-10-01`) or a run of them (`2026-10-01..2026-10-07`). Raises ValueError for anything else."""
    first, dots, last = text.partition("..")
    days = date.fromisoformat(first.strip()), date.fromisoformat((last if dots else first).strip())
    if days[1] < days[0]:
        raise ValueError(f"{text} ends before it begins")
    return days


def parsed(text: str) -> OpeningHours:
    """What the library makes of hours that a network keeps. Raises its ParserError for what it cannot read."""
    # Without a place the library guesses neither zone nor country.
    return OpeningHours(text, auto_country=False, auto_timezone=False)
