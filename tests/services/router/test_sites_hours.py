"""When a site works: spans of a local day, the clock that runs only while it is open, and texts that say no hours."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.router.sites import ALWAYS, Schedule, WorkingTime
from services.router.sites.hours import read_days, read_zone
from services.router.sites.hours_text import HoursInvalid, read_hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
GOLDEN_WEEK = (date(2026, 10, 1), date(2026, 10, 7))
OFFICE = WorkingTime("Mo-Fr 09:00-12:00,13:30-18:00; Sa 10:00-16:00", closures=(GOLDEN_WEEK,))
LATE = WorkingTime("Mo-Su 20:00-02:00")
BERLIN = WorkingTime("Mo-Su 00:00-24:00", "Europe/Berlin")


def local(day: int, clock: str, month: int = 9, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.combine(date(2026, month, day), time.fromisoformat(clock), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (local(28, "08:59:59"), False),
        (local(28, "09:00"), True),
        (local(28, "12:00"), False),
        (local(28, "13:30"), True),
        (local(28, "18:00"), False),
        (local(26, "15:59"), True),
        (local(27, "12:00"), False),
        (local(1, "10:00", month=10), False),
        (local(8, "10:00", month=10), True),
    ],
)
def test_a_site_is_open_from_the_first_second_of_its_hours_to_the_last_and_on_no_closed_day(
    at: datetime, is_open: bool
) -> None:
    assert Schedule(OFFICE).is_open(at) is is_open


def test_a_lead_at_ten_to_ten_at_night_is_due_half_an_hour_after_the_next_opening() -> None:
    due = Schedule(OFFICE).after_open_time(local(28, "21:50"), timedelta(minutes=30))
    assert due == local(29, "09:30")


def test_the_clock_stands_still_over_lunch() -> None:
    assert Schedule(OFFICE).after_open_time(local(28, "11:50"), timedelta(minutes=30)) == local(28, "13:50")


def test_the_clock_stands_still_over_the_holidays() -> None:
    assert Schedule(OFFICE).after_open_time(local(30, "17:45"), timedelta(minutes=30)) == local(8, "09:15", month=10)


def test_hours_past_midnight_go_on_until_their_end() -> None:
    schedule = Schedule(LATE)
    assert schedule.is_open(local(28, "01:59"))
    assert not schedule.is_open(local(28, "02:00"))
    assert schedule.after_open_time(local(28, "23:30"), timedelta(hours=1)) == local(29, "00:30")


def test_a_closed_day_closes_its_first_hours_too() -> None:
    late = Schedule(LATE._replace(closures=((date(2026, 9, 29), date(2026, 9, 29)),)))
    assert late.is_open(local(28, "23:59"))
    assert not late.is_open(local(29, "00:00"))
    assert late.is_open(local(30, "00:00"))


def test_a_day_of_a_clock_change_has_its_real_length() -> None:
    [span] = Schedule(BERLIN).spans(date(2026, 10, 25))
    assert span[1] - span[0] == timedelta(hours=25)


def test_a_site_without_hours_is_always_open() -> None:
    schedule = Schedule(ALWAYS)
    assert schedule.is_open(local(27, "03:00"))
    assert schedule.after_open_time(local(27, "03:00"), timedelta(minutes=10)) == local(27, "03:10")


def test_a_site_that_never_opens_has_a_clock_all_the_same() -> None:
    due = Schedule(WorkingTime("2020 Jan 01-31 09:00-18:00")).after_open_time(local(28, "10:00"), timedelta(hours=1))
    assert due == local(28, "11:00")


def test_a_business_begins_and_ends_with_its_days_in_its_own_zone() -> None:
    schedule = Schedule(WorkingTime(opens_on=date(2026, 9, 28), closes_on=date(2026, 9, 29)))
    moments = [local(27, "23:59:59"), local(28, "00:00"), local(29, "23:59:59"), local(30, "00:00")]
    assert [schedule.is_in_business(at) for at in moments] == [False, True, True, False]
    assert schedule.opened_at == local(28, "00:00")


@given(
    st.sampled_from([OFFICE, LATE, BERLIN, WorkingTime("Mo-Fr 09:00-18:00"), WorkingTime(closures=(GOLDEN_WEEK,))]),
    st.integers(0, 90 * 24 * 60).map(lambda minutes: datetime(2026, 9, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.integers(1, 3_000),
)
@example(BERLIN, datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 1_600)
def test_the_moment_found_is_the_first_with_so_many_open_minutes_before_it(
    when: WorkingTime, at: datetime, minutes: int
) -> None:
    schedule = Schedule(when)

    due = schedule.after_open_time(at, timedelta(minutes=minutes))

    waited = round((due - at) / timedelta(minutes=1))
    open_minutes = sum(schedule.is_open(at + timedelta(minutes=minute)) for minute in range(waited))
    assert open_minutes == minutes
    assert schedule.is_open(due - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Mon-Fri 9-18", "did you mean Mo-Fr 09:00-18:00?"),
        ("Monday-Friday 9:00-18:00; Saturday 10-17", "did you mean Mo-Fr 09:00-18:00; Sa 10:00-17:00?"),
        ("Mo-Fr 0900-1800", "did you mean Mo-Fr 09:00-18:00?"),
        ("whenever", "write them as OpenStreetMap does, such as Mo-Fr 09:00-18:00; Sa 10:00-17:00"),
        ("Mo-Fr 09:00-18:00; PH off", "PH depends on more than the clock"),
        ("sunrise-sunset", "sunrise depends on more than the clock"),
        ("Mo-Fr 25:00-26:00", "cannot be read at character 7"),
        ("24/7" * 200, "longer than 500 characters"),
    ],
)
def test_a_text_that_says_no_hours_is_refused_with_what_was_meant(text: str, advice: str) -> None:
    with pytest.raises(HoursInvalid) as refused:
        read_hours(text, date(2026, 9, 1))
    assert advice in str(refused.value)


def test_days_are_one_or_a_run_and_never_backwards() -> None:
    assert read_days("2026-10-01..2026-10-07") == GOLDEN_WEEK
    assert read_days("2027-01-01") == (date(2027, 1, 1), date(2027, 1, 1))
    with pytest.raises(ValueError, match="ends before it begins"):
        read_days("2026-10-07..2026-10-01")


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../../etc/passwd", "Asia", "localtime", "posixrules", "right/UTC", "a\0b"]
)
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use an IANA name such as Asia/Shanghai"):
        read_zone(name)
