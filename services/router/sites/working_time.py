"""The columns of a network file that say when a site works: all optional, all read strictly."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

from services.router.sites.hours import DEFAULT_ZONE, Days, Schedule, WorkingTime, read_zone
from services.router.sites.hours_text import HoursInvalid, read_hours
from shared.numbers import quoted

Refuse = Callable[[str, str], None]
"""Takes a field and why it is refused."""


WORKING_TIME_COLUMNS = WorkingTime._fields
MOST_CLOSURES = 400
"""Enough to close each weekend for four years."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_SOME_DAY = date(2024, 1, 1)
"""Of a leap year: where hours are looked at without a day to come."""
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)
"""Beyond these nobody means the day, and at the ends of the calendar a zone's offset would overflow."""


def read_working_time(fields: Mapping[str, str], refuse: Refuse, today: date | None) -> WorkingTime:
    """The working time of one row; what cannot be read is refused and left out.

    `today`: when the site gets leads from now on, and must open at some time; None: it gets none.
    """
    opens_on, closes_on = _day("opens_on", fields, refuse), _day("closes_on", fields, refuse)
    if opens_on and closes_on and closes_on < opens_on:
        refuse("closes_on", f"{closes_on} lies before opens_on, {opens_on}")
    hours, closures = _hours(fields, refuse, today or _SOME_DAY), _closures(fields, refuse)
    when = WorkingTime(hours, _zone(fields, refuse), closures, opens_on, closes_on)
    if today is not None and (closes_on is None or today <= closes_on):
        begin = max(today, opens_on or today)
        if not _opens(hours, (), begin):
            refuse("hours", f"{quoted(fields.get('hours', ''))} never opens in the year from {begin}; {_NEVER_OPEN}")
        elif not _opens(hours, closures, begin):
            refuse("closures", f"leave no open day in the year from {begin}; {_NEVER_OPEN}")
    return when


_NEVER_OPEN = "say so with status (closed, planned), opens_on or closes_on, or correct it"


# Sites of one network share a few dozen hours.
@lru_cache(maxsize=4_096)
def _opens(hours: str, closures: tuple[Days, ...], begin: date) -> bool:
    return Schedule(WorkingTime(hours, closures=closures)).opens_within_a_year(begin)


def _hours(fields: Mapping[str, str], refuse: Refuse, today: date) -> str:
    text = fields.get("hours", "")
    try:
        # As the library writes it: the same hours written otherwise change no digest.
        return read_hours(text, today) if text else ""
    except HoursInvalid as problem:
        refuse("hours", str(problem))
        return ""


def _zone(fields: Mapping[str, str], refuse: Refuse) -> str:
    try:
        return read_zone(fields.get("time_zone") or DEFAULT_ZONE)
    except ValueError as problem:
        refuse("time_zone", str(problem))
        return DEFAULT_ZONE


def _closures(fields: Mapping[str, str], refuse: Refuse) -> tuple[Days, ...]:
    parts = [part.strip() for part in fields.get("closures", "").split("|") if part.strip()]
    if len(parts) > MOST_CLOSURES:
        refuse("closures", f"lists {len(parts)} days or runs of days; {MOST_CLOSURES} are the most")
        return ()
    found = []
    for text in parts:
        first, dots, last = text.partition("..")
        try:
            days = _read_day(first.strip()), _read_day((last if dots else first).strip())
        except ValueError as problem:
            refuse(
                "closures", f"{quoted(text, 40)} is no day{_why(problem)}; write 2026-10-01 or 2026-10-01..2026-10-07"
            )
            continue
        if days[1] < days[0]:
            refuse("closures", f"{days[0]}..{days[1]} is no day: it ends before it begins")
        else:
            found.append(days)
    return tuple(sorted(found))


def _day(field: str, fields: Mapping[str, str], refuse: Refuse) -> date | None:
    text = fields.get(field, "")
    try:
        return _read_day(text) if text else None
    except ValueError as problem:
        refuse(field, f"{quoted(text)} is no day{_why(problem)}; write it as 2026-10-01")
        return None


def _read_day(text: str) -> date:
    if not _DAY.match(text):
        raise ValueError
    day = date.fromisoformat(text)
    if not _FIRST <= day <= _LAST:
        raise ValueError(f"it is not between {_FIRST} and {_LAST}")
    return day


def _why(problem: ValueError) -> str:
    return f" ({problem})" if str(problem) else ""
