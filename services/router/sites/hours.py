"""When a site works: opening hours in its own time zone, closed days, and the first and last day of its business.

Hours are written as OpenStreetMap writes them (https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification).
What depends on more than the clock on the site's wall is refused: public holidays (`PH`, `SH`) are given as dates in
`closures`, because a calendar built into a library would change decisions with its version; sunrise and sunset are not
hours that a customer is told. Everything is cut into spans of UTC, a local day at a time.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opening_hours import OpeningHours, State
from opening_hours import ParserError as _ParserError  # type: ignore[attr-defined]  # missing in its stub

DEFAULT_ZONE = "Asia/Shanghai"
"""One zone holds for all of China."""
MAX_HOURS_TEXT = 500

Span = tuple[datetime, datetime]
"""From (included) to (excluded), in UTC."""
Days = tuple[date, date]
"""First and last day, both included."""

_LOOK_AHEAD_DAYS = 370
_KEPT_DAYS = 1_000

_MOVABLE = re.compile(r"\b(PH|SH|easter|sunrise|sunset|dawn|dusk)\b", re.IGNORECASE)
_DAY_NAMES = re.compile(r"\b(mo|tu|we|th|fr|sa|su)[a-z]+\b", re.IGNORECASE)
_BARE_HOURS = re.compile(r"(?<![\d:])(\d{1,2})(?::?(\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?::?(\d{2}))?(?![\d:])")


class HoursInvalid(ValueError):  # noqa: N818 - it names a state
    """A text that says no opening hours; the message says what is wrong and what to write."""


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
        self._hours = read_hours(when.hours) if when.hours else None
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


def read_hours(text: str) -> OpeningHours:
    """The hours that `text` says. Raises HoursInvalid with what is wrong and, where it is plain, what was meant."""
    if len(text) > MAX_HOURS_TEXT:
        raise HoursInvalid(f"are longer than {MAX_HOURS_TEXT} characters")
    if movable := _MOVABLE.search(text):
        raise HoursInvalid(
            f"{movable[0]} depends on more than the clock; give holidays as dates in closures, and times as hh:mm"
        )
    try:
        return _parsed(text)
    except _ParserError as error:
        place = re.search(r"--> \d+:(\d+)", str(error))
        where = f" at character {place[1]}" if place else ""
        raise HoursInvalid(f"cannot be read{where}; {_meant(text)}") from None


def read_zone(text: str) -> str:
    """The IANA name in `text`. Raises ValueError for a zone that nobody knows."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {text[:64]!r}; use an IANA name such as {DEFAULT_ZONE}") from error
    return text


def read_days(text: str) -> Days:
    """One day (`2026-10-01`) or a run of them (`2026-10-01..2026-10-07`). Raises ValueError for anything else."""
    first, dots, last = text.partition("..")
    days = date.fromisoformat(first.strip()), date.fromisoformat((last if dots else first).strip())
    if days[1] < days[0]:
        raise ValueError(f"{text} ends before it begins")
    return days


def _parsed(text: str) -> OpeningHours:
    # Without a place the library guesses neither zone nor country.
    return OpeningHours(text, auto_country=False, auto_timezone=False)


def _meant(text: str) -> str:
    """The nearest text that says hours, for the slips that people make: long day names and bare hours."""
    spelt = _DAY_NAMES.sub(lambda found: found[1].capitalize(), text)
    spelt = _BARE_HOURS.sub(lambda t: f"{int(t[1]):02}:{t[2] or '00'}-{int(t[3]):02}:{t[4] or '00'}", spelt)
    spelt = re.sub(r"\s*[;\n]\s*", "; ", spelt.strip())
    try:
        _parsed(spelt)
    except _ParserError:
        return "write them as OpenStreetMap does, such as Mo-Fr 09:00-18:00; Sa 10:00-17:00"
    return f"did you mean {spelt}?"
