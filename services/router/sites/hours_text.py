"""Opening hours as people write them into a network file: OpenStreetMap's, and only if they say when.

The language (https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification) and the library that reads it are
generous: days without times, a remark in quotes and 00:00-00:00 are open day and night to them, 30 February is every
day, and 9:00-6:00 is twenty-one hours. What nobody can have meant is refused, with what was probably meant.

What depends on more than the clock on the site's wall is refused too: public holidays (`PH`, `SH`) are given as dates
in `closures`, because a calendar built into a library would change decisions with its version; sunrise and sunset are
not hours that a customer is told.
"""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from opening_hours import ParserError as _ParserError  # type: ignore[attr-defined]  # missing in its stub
from opening_hours import State

from services.router.sites.hours import parsed
from services.router.sites.hours_advice import (
    DAY,
    HOUR,
    NOON,
    Span,
    are_in_order,
    bare_ends,
    begins_at_night,
    is_long_night,
    respelt,
    spans_in,
)
from shared.numbers import quoted
from shared.words import counted

LONGEST_TEXT = 500
_A_YEAR = timedelta(days=366)
_HOW = "write them as OpenStreetMap does, such as Mo-Fr 09:00-18:00; Sa 10:00-17:00"

_MOVABLE = re.compile(r"\b(PH|SH|easter|sunrise|sunset|dawn|dusk)", re.IGNORECASE)
_REMARK = re.compile(r"\"[^\"]*\"")
_UNKNOWN = re.compile(r"\bunknown\b", re.IGNORECASE)
_OPEN_END = re.compile(r"\d{2}:\d{2}\+")
_STEPS = re.compile(r"\d{2}:\d{2}-\d{2}:\d{2}/[\d:]+")
_MONTH_DAY = re.compile(r"(?:(?<!\d)(\d{4}) ?)?\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{1,2})(?![\d:])")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_A_LEAP_YEAR = 2024
_YEAR = re.compile(r"(?<![\d:])\d{4}(?![\d:])")
_WHOLE_DAYS = re.compile(r"24/7|(?<!\d)0?0:00\s*-\s*24:00")


class HoursInvalid(ValueError):  # noqa: N818 - it names a state
    """A text that says no opening hours; the message says what is wrong and what to write."""


def read_hours(text: str, today: date) -> str:
    """The hours that `text` says, spelt as networks keep them.

    Raises HoursInvalid with what is wrong and, where it is plain, what was meant. `today` only says where to look for
    days that are open from midnight to midnight; whether they are still to come is asked elsewhere.
    """
    if len(text) > LONGEST_TEXT:
        raise HoursInvalid(f"are longer than {LONGEST_TEXT} characters")
    spelt, why = _judged(text, today)
    if why is not None:
        raise HoursInvalid(why)
    return spelt


class _Objection(NamedTuple):
    """Why nobody can have meant hours that the library can read."""

    why: str
    otherwise: str = ""
    """What to write when it was meant all the same."""
    is_slip: bool = False
    """Whether it may be another spelling of something plain."""


# Sites of one network share a few dozen texts.
@lru_cache(maxsize=4_096)
def _judged(text: str, today: date) -> tuple[str, str | None]:
    """The canonical text, or why the text is refused."""
    if movable := _MOVABLE.search(text):
        return "", (
            f"{movable[0]} depends on more than the clock; give holidays as dates in closures, and times as hh:mm"
        )
    try:
        spelt = str(parsed(text))
    except _ParserError as error:
        place = re.search(r"--> \d+:(\d+)", str(error))
        where = f" at character {place[1]}" if place else ""
        how = _HOW if re.search(r"\d", text) else f"{_HOW}, or leave it empty"
        return "", f"cannot be read{where}; {_meant(text, today) or how}"
    objection = _objection(text, spelt, today)
    if objection is None:
        return spelt, None
    meant = _meant(text, today) if objection.is_slip else None
    advice = f"{meant} ({objection.otherwise})" if meant and objection.otherwise else meant or objection.otherwise
    return "", f"{objection.why}; {advice}" if advice else objection.why


def _meant(text: str, today: date) -> str | None:
    """What the text probably means, in a spelling that this very reader takes; None when that is not plain."""
    for spelling in respelt(text):
        if spelling == text or _MOVABLE.search(spelling):
            continue
        try:
            spelt = str(parsed(spelling))
        except _ParserError:
            continue
        if _objection(spelling, spelt, today) is None:
            return f"did you mean {spelling}?"
    return None


def _objection(text: str, spelt: str, today: date) -> _Objection | None:
    if remark := _REMARK.search(text):
        return _Objection(f"{quoted(remark[0][1:-1])} is a remark and no hours", "say hours, or leave it empty")
    if unknown := _UNKNOWN.search(text):
        return _Objection(f"{unknown[0]} says no hours", "say hours, or leave it empty")
    if no_day := _no_day(spelt):
        return _Objection(f"there is no {no_day}", "it would be taken for other days")
    if found := _OPEN_END.search(spelt):
        return _Objection(f"{found[0]} does not say until when", "give opening and closing times")
    if found := _STEPS.search(spelt):
        return _Objection(f"{found[0]} is a rhythm of times and no hours", "give opening and closing times")
    for times in spans_in(spelt):
        if objection := _of_times(times):
            return objection
    for span in bare_ends(text):
        why = f"{span.text} is {_length(span)}, past midnight"
        return _Objection(why, f"if that is meant, write {span.spelt}", is_slip=True)
    if whole := _unsaid_whole_day(text, spelt, today):
        return _Objection(
            f"{whole} says no times and would be open day and night",
            "give them, or write 24/7 (for some days 00:00-24:00) if that is meant",
        )
    if reopened := _reopened(spelt, today):
        return _Objection(f"{reopened!r} is undone by a later rule for the same days", "write closed days last")
    if replaced := _replaced(spelt, today):
        return _Objection(
            f"{replaced!r} is replaced by a later rule for the same days",
            "write all times of a day in one rule, such as Mo-Fr 09:00-12:00,13:30-18:00",
        )
    return None


def _of_times(times: tuple[Span, ...]) -> _Objection | None:
    """Why the times of one rule are no hours of a day: twelve-hour clock, or disorder."""
    for span in times:
        if span.text[:5] == span.text[6:]:
            why, is_slip = f"{span.text} opens and closes at the same time", HOUR <= span.begin < NOON
            return _Objection(why, "24/7 or 00:00-24:00 is day and night, off a closed day", is_slip)
        if is_long_night(span):
            why = f"{span.text} is {_length(span)}, through the night"
            if span.minutes >= DAY:
                return _Objection(why, "24/7 is day and night")
            return _Objection(why, f"if it is that long, write {span.as_two}", is_slip=True)
        if begins_at_night(span):
            otherwise = "a night begins in its evening, such as 22:00-05:00"
            return _Objection(f"{span.text} begins in the middle of the night", otherwise, is_slip=True)
    if not are_in_order(times):
        return _Objection(
            "the times of a day do not follow each other", "list them from morning to night", is_slip=True
        )
    return None


def _length(span: Span) -> str:
    hours, minutes = divmod(span.minutes, HOUR)
    return counted(hours, "hour") + (f" and {counted(minutes, 'minute')}" if minutes else "")


def _no_day(spelt: str) -> str | None:
    """A day of a month that no year has; 29 February is one where no year is said."""
    for year, month, day in _MONTH_DAY.findall(spelt):
        try:
            date(int(year or _A_LEAP_YEAR), _MONTHS.index(month) + 1, int(day))
        except ValueError:
            return f"{day} {month}{f' {year}' if year else ''}"
    return None


def _unsaid_whole_day(text: str, spelt: str, today: date) -> str | None:
    """What opens a day from midnight to midnight without saying so; None when nothing does."""
    for part in re.split(r";|\|\|", text):
        is_said = _WHOLE_DAYS.search(part) or re.search(r"\d:\d\d", part)
        if not is_said and not re.search(r"\b(off|closed)\b", part, re.IGNORECASE):
            return quoted(part.strip())
    # Only after a comma may a rule without times have passed; to look at a year takes a millisecond.
    if ", " not in spelt or _WHOLE_DAYS.search(text):
        return None
    for start, end, state, _ in _in_a_year(spelt, today):
        if state is State.OPEN and end - start >= timedelta(days=1):
            return f"{start:%A}"
    return None


def _replaced(spelt: str, today: date) -> str | None:
    """A rule that says nothing because later ones hold for all its days; None when there is none."""
    rules = spelt.split("; ")
    if len(rules) == 1 or "||" in spelt or _YEAR.search(spelt):
        return None
    together = _in_a_year(spelt, today)
    if not _is_ever_open(together):
        return None
    for place, rule in enumerate(rules[:-1]):
        others = "; ".join(rules[:place] + rules[place + 1 :])
        if _is_ever_open(_in_a_year(rule, today)) and _in_a_year(others, today) == together:
            return rule
    return None


def _reopened(spelt: str, today: date) -> str | None:
    """Closed days that a later rule opens again, which nobody means; None when there are none."""
    rules = spelt.split("; ")
    for place, rule in enumerate(rules[:-1] if "||" not in spelt else ()):
        if rule.endswith("closed"):
            last = "; ".join([*rules[:place], *rules[place + 1 :], rule])
            if _in_a_year(last, today) != _in_a_year(spelt, today):
                return rule
    return None


def _is_ever_open(intervals: "_Intervals") -> bool:
    return any(state is State.OPEN for _, _, state, _ in intervals)


def _in_a_year(spelt: str, today: date) -> "_Intervals":
    begin = datetime.combine(today, time())
    return list(parsed(spelt).intervals(begin, begin + _A_YEAR))


_Intervals = list[tuple[datetime, datetime, State, str]]
