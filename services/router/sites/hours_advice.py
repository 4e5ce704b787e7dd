"""What people mean who write hours in another way: other words for days, bare hours, a clock of twelve hours.

Whatever is proposed here is only advice, and only what the reader of hours takes itself is proposed.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

HOUR = 60
DAY = 24 * HOUR
NOON = 12 * HOUR
LONGEST_NIGHT = 16 * HOUR
"""Minutes. Who closes after midnight has not opened sixteen hours before: it is six in the evening that was meant."""
FIRST_MORNING = 4 * HOUR
"""Nobody opens between one and four at night: it is the afternoon that was meant."""

LEAST_OPEN = 2 * HOUR
"""Whoever opens stays open for so long; a shorter day is not what was meant."""

_TO = r"\s*(?:-|\u2010|\u2012|\u2013|\u2014|\u2212|~|\u301c|\bto\b|\btill?\b|\buntil\b|至|到)\s*"
_BEFORE = r"(?P<before{n}>上午|早上|早|凌晨|下午|晚上|晚|中午)?\s*"
_CLOCK = (
    r"(?P<hour{n}>\d{{1,2}})(?:(?:\s*[:.h点时](?:\s*(?P<minute{n}>\d{{2}}|半))?(?:\s*分)?)|(?P<joined{n}>\d{{2}}))?"
)
_AFTER = r"(?:\s*(?P<after{n}>[ap]\.?\s?m\b\.?))?"
_TIME = _BEFORE + _CLOCK + _AFTER
_RANGE = re.compile(r"(?<![\d:.\[])" + _TIME.format(n=1) + _TO + _TIME.format(n=2) + r"(?![\d:\]])", re.IGNORECASE)
_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_BARE_END = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2})\s*-\s*([1-9]):(\d{2})(?![\d:])")
_RULES = re.compile(r";|\|\||,\s*(?=[A-Za-z])")
_AFTERNOON = ("下午", "晚上", "晚", "中午", "p")
_MORNING = ("上午", "早上", "早", "凌晨", "a")

_WEEK = dict(zip("一二三四五六日天", ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "Su"), strict=True))
_DAY_NAME = (
    r"\b(?:(mo)(?:n(?:day)?s?)?|(tu)(?:e(?:s(?:day)?)?s?)?|(we)(?:d(?:nesday)?s?)?|(th)(?:u(?:r(?:s(?:day)?)?)?s?)?"
    r"|(fr)(?:i(?:day)?s?)?|(sa)(?:t(?:urday)?s?)?|(su)(?:n(?:day)?s?)?)\b\.?"
)
_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_WORDS: tuple[tuple[str, str], ...] = (
    (r"营业时间\s*:?|\b(?:opening )?hours\s*:|\bopen\b|\bfrom\b", " "),
    (r"24\s*(?:小时|h\b|hours?\b)(?:营业)?|全天|\ball day\b|\baround the clock\b", "24/7"),
    (r"\b7 ?days(?: a week)?\b|每天|每日|天天|周一\s*[至到\-]\s*周日|\bdaily\b|\bevery ?day\b", "Mo-Su "),
    (r"\bM\s?-\s?F\b", "Mo-Fr "),
    (r"(?<=\d)\s*(?:hours|hrs?\.?)(?=\s|$)", " "),
    (r"(?<=[\dm])\s*(?:&|\band\b|/)\s*(?=\d)(?!7\b)", ","),
    (r"工作日|\bweekdays?\b", "Mo-Fr "),
    (r"周末|\bweekends?\b", "Sa-Su "),
    (r"休息|关闭|不营业|\brest\b", " off "),
)


class Span(NamedTuple):
    """Times of one day, in minutes after its midnight; an end after 24:00 lies in the next day."""

    begin: int
    end: int
    text: str
    """As it is written."""

    @property
    def minutes(self) -> int:
        """How long it is."""
        return self.end - self.begin

    @property
    def spelt(self) -> str:
        """As networks keep it."""
        return f"{_clock(self.begin)}-{_clock(self.end % DAY)}"

    @property
    def as_two(self) -> str:
        """The same times of every day without running past midnight."""
        return f"00:00-{_clock(self.end - DAY)},{_clock(self.begin)}-24:00"


def spans_in(spelt: str) -> list[tuple[Span, ...]]:
    """The times of each rule of hours that are spelt as networks keep them."""
    return [tuple(_span(found) for found in _SPAN.finditer(rule)) for rule in _RULES.split(spelt)]


def is_long_night(span: Span) -> bool:
    """Whether it runs past midnight for longer than anybody works."""
    return span.end > DAY and span.minutes > LONGEST_NIGHT


def bare_ends(text: str) -> Iterator[Span]:
    """Spans that end past midnight at an hour written with one digit, which is a likely end of the same day as well.

    Who writes `9:00-1:00` closes at noon and an hour, and `13:30-5:30` is an afternoon; a clock of twenty-four hours
    says `09:00-01:00`. Of `18:00-2:00` nobody can mean the afternoon.
    """
    for found in _BARE_END.finditer(text):
        span = _span(found)
        if span.end > DAY and span.end - NOON - span.begin >= LEAST_OPEN and span.begin != span.end - DAY:
            yield span


def begins_at_night(span: Span) -> bool:
    """Whether it begins in the night, before anybody opens."""
    return HOUR <= span.begin < FIRST_MORNING


def are_in_order(spans: tuple[Span, ...]) -> bool:
    """Whether each begins when the one before it is over."""
    return all(later.begin >= earlier.end for earlier, later in pairwise(spans))


def respelt(text: str) -> Iterator[str]:
    """Texts that may have been meant, the likelier first: with times of twelve hours as such, then as they stand."""
    words = _words(text)
    for is_half_day in (True, False):
        rules = [_rule(rule, is_half_day=is_half_day) for rule in words.split(";")]
        yield "; ".join(filter(None, rules))


def _words(text: str) -> str:
    """The text with OpenStreetMap's words for days, one rule after another with semicolons between."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    spelt = plain.replace("\u3001", ",").rstrip(" ,;")
    for wording, meant in _WORDS:
        spelt = re.sub(wording, meant, spelt, flags=re.IGNORECASE)
    spelt = re.sub(
        rf"(?:周|星期|礼拜)([一二三四五六日天]){_TO}(?:周|星期|礼拜)?([一二三四五六日天])",
        lambda found: f"{_WEEK[found[1]]}-{_WEEK[found[2]]} ",
        spelt,
    )
    spelt = re.sub(r"(?:周|星期|礼拜)([一二三四五六日天])", lambda found: f"{_WEEK[found[1]]} ", spelt)
    spelt = re.sub(_DAY_NAME, lambda found: found[found.lastindex or 0].capitalize(), spelt, flags=re.IGNORECASE)
    spelt = re.sub(rf"({_DAY})\s*{_TO}\s*({_DAY})", r"\1-\2", spelt)
    spelt = re.sub(rf"({_DAY})\s*(?:&|\band\b|/|,)\s*(?={_DAY})", r"\1,", spelt)
    spelt = re.sub(rf"({_DAY})\s*:\s*", r"\1 ", spelt)
    spelt = re.sub(rf"\A([^A-Z;]*\d[^A-Z;]*?)\s+({_DAY}[A-Za-z,\-]*)\s*\Z", r"\2 \1", spelt)
    spelt = re.sub(rf"(?<=[\d分半mM])\s*[,\s]\s*(?={_DAY})", "; ", spelt)
    spelt = re.sub(r"\bMo-Su\s+24/7", "24/7", spelt)
    spelt = re.sub(rf"({_DAY})\s+24/7", r"\1 00:00-24:00", spelt)
    return re.sub(r"\s*[;\n]\s*", ";", spelt.strip())


def _rule(rule: str, *, is_half_day: bool) -> str:
    """One rule with its times as hh:mm; `is_half_day`: those that follow each other only then are of the afternoon."""
    over = 0
    is_whole_day = any(int(found[f"hour{side}"]) > 12 for found in _RANGE.finditer(rule) for side in (1, 2))

    def spell(found: re.Match[str]) -> str:
        nonlocal over
        span = _read(found, over, is_half_day=is_half_day, is_whole_day=is_whole_day)
        if span is None:
            return found[0]
        over = span.end
        return f"{_clock(span.begin)}-{_clock(span.end if span.end <= DAY else span.end - DAY)}"

    spelt = _RANGE.sub(spell, rule.replace("24/7", "\0"))
    spelt = re.sub(rf"({_DAY})(?=\d)", r"\1 ", re.sub(r"\s*,\s*(?=\d)", ",", spelt)).replace("\0", "24/7")
    return re.sub(r"(?<=\d)\s+(?=\d{2}:)", ",", " ".join(spelt.split()))


def _read(found: re.Match[str], over: int, *, is_half_day: bool, is_whole_day: bool) -> Span | None:
    """The times that are written; None for a minute that no hour has.

    `is_whole_day`: the rule has a time past noon on a clock of twenty-four hours. Then only times at which nobody
    opens, a night that nobody works, and an end of one digit (`bare_ends`) are of the afternoon.
    """
    (begin, begin_half), (end, end_half) = _minutes(found, 1), _minutes(found, 2)
    if begin is None or end is None:
        return None
    if is_half_day:
        wants_noon = begin < FIRST_MORNING or (begin < over and not is_whole_day)
        if begin_half is None and HOUR <= begin < NOON and wants_noon and not over > NOON + begin:
            begin += NOON
        is_bare = len(found["hour2"]) == 1 and found["minute2"] is not None and end + NOON - begin >= LEAST_OPEN
        is_night = is_whole_day and end + DAY - begin <= LONGEST_NIGHT and not is_bare
        if end_half is None and HOUR <= end < NOON + HOUR and end <= begin < end + NOON and not is_night:
            end += NOON
    if end == 0 and begin > 0:
        end = DAY
    return Span(begin, end + DAY if end < begin else end, found[0])


def _minutes(found: re.Match[str], side: int) -> tuple[int | None, str | None]:
    """Minutes after midnight (None when no hour has so many), and the half of the day if the text says one."""
    hour, minute = int(found[f"hour{side}"]), found[f"minute{side}"] or found[f"joined{side}"] or "0"
    past = HOUR // 2 if minute == "半" else int(minute)
    minutes = hour * HOUR + past
    half = found[f"before{side}"] or (found[f"after{side}"] or "").lower()[:1] or None
    if half in _AFTERNOON and hour < 12:
        minutes += NOON
    elif half in _MORNING and hour == 12:
        minutes -= NOON
    return (minutes if past < HOUR else None), half


def _span(found: re.Match[str]) -> Span:
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return Span(begin, end + DAY if end <= begin else end, found[0])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
