"""Hours as people write them: what the library would take for something that nobody means, and what was meant."""

import re
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening_hours import OpeningHours, State

from services.router.sites import Schedule, WorkingTime, read_csv
from services.router.sites.hours_text import HoursInvalid, read_hours

TODAY = date(2026, 12, 1)
MONDAY = datetime(2026, 12, 7)  # noqa: DTZ001 - the library reads the clock on the wall


def objection(text: str) -> str:
    with pytest.raises(HoursInvalid) as refused:
        read_hours(text, TODAY)
    return str(refused.value)


def library_says(text: str, days: int = 7) -> list[tuple[datetime, datetime, str]]:
    """When the library holds a text for open, in the week from a Monday in December."""
    found = OpeningHours(text, auto_country=False, auto_timezone=False)
    return [
        (start, end, str(state))
        for start, end, state, _ in found.intervals(MONDAY, MONDAY + timedelta(days=days))
        if state is State.OPEN
    ]


ALL_WEEK = [(MONDAY, MONDAY + timedelta(days=7), "open")]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("9:00-18:00", "09:00-18:00"),
        ("Mo-Fr 9:00-12:00,13:30-18:00;Sa 10:00-16:00", "Mo-Fr 09:00-12:00,13:30-18:00; Sa 10:00-16:00"),
        ("18:00-02:00", "18:00-02:00"),
        ("18:00-2:00", "18:00-02:00"),
        ("22:00-6:00", "22:00-06:00"),
        ("20:00-9:00", "20:00-09:00"),
        ("14:00-06:00", "14:00-06:00"),
        ("9:00-0:30", "09:00-00:30"),
        ("22:00-06:00", "22:00-06:00"),
        ("10:00-02:00", "10:00-02:00"),
        ("06:00-00:00", "06:00-00:00"),
        ("10:00-26:00", "10:00-26:00"),
        ("24/7", "24/7"),
        ("00:00-24:00", "24/7"),
        ("24/7; Su off", "24/7; Su closed"),
        ("Mo-Sa 09:00-18:00; Su closed", "Mo-Sa 09:00-18:00; Su closed"),
        ("00:00-04:00,08:00-24:00", "00:00-04:00,08:00-24:00"),
        ("00:01-23:59", "00:01-23:59"),
        ("Su off; Mo-Sa 09:00-18:00", "Su closed; Mo-Sa 09:00-18:00"),
        ("Mo-Sa 09:00-18:00; Sa 10:00-12:00", "Mo-Sa 09:00-18:00; Sa 10:00-12:00"),
        ("Mo-Fr 09:00-18:00; Feb 29 off", "Mo-Fr 09:00-18:00; Feb 29 closed"),
        ("Mo-Fr 09:00-18:00; 2025 Dec 25 off", "Mo-Fr 09:00-18:00; 2025 Dec 25 closed"),
        ("May-Sep 08:00-20:00; Oct-Apr 09:00-17:00", "May-Sep 08:00-20:00; Oct-Apr 09:00-17:00"),
    ],
)
def test_hours_that_somebody_can_mean_are_kept_in_one_spelling(text: str, kept: str) -> None:
    assert read_hours(text, TODAY) == kept


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("9:00-6:00", "09:00-18:00"),
        ("9:00-12:00,13:30-5:30", "09:00-12:00,13:30-17:30"),
        ("14:00-6:00", "14:00-18:00"),
        ("Tu-Sa 8:30-5:30", "Tu-Sa 08:30-17:30"),
        ("9-5", "09:00-17:00"),
        ("Mo-Fr 9-5; Sa 9-1", "Mo-Fr 09:00-17:00; Sa 09:00-13:00"),
        ("9am-6pm", "09:00-18:00"),
        ("9:00 AM - 6:30 p.m.", "09:00-18:30"),
        ("9am to 6pm daily", "Mo-Su 09:00-18:00"),
        ("9:00 to 18:00", "09:00-18:00"),
        ("09.00-18.00", "09:00-18:00"),
        ("9h-18h", "09:00-18:00"),
        ("9h30-18h", "09:30-18:00"),
        ("09:00–18:00", "09:00-18:00"),
        ("周一至周五 9:00-18:00", "Mo-Fr 09:00-18:00"),
        ("星期一到星期六 上午9点-下午6点半", "Mo-Sa 09:00-18:30"),
        ("每天 9：00－21：00", "Mo-Su 09:00-21:00"),
        ("９：００～１８：００", "09:00-18:00"),
        ("24小时", "24/7"),
        ("Mo-Fr 24/7", "Mo-Fr 00:00-24:00"),
        ("0-24", "00:00-24:00"),
        ("18-2", "18:00-02:00"),
        ("22-6", "22:00-06:00"),
        ("10:00-10:00", "10:00-22:00"),
        ("09:00-12:00,01:00-06:00", "09:00-12:00,13:00-18:00"),
        ("8:30-12, 1:30-5:30", "08:30-12:00,13:30-17:30"),
        ("Sa 1:00-5:00", "Sa 13:00-17:00"),
        ("Mon-Fri: 9am-6pm, Sat 10am-4pm", "Mo-Fr 09:00-18:00; Sa 10:00-16:00"),
        ("9:00-18:00 Mo-Fr", "Mo-Fr 09:00-18:00"),
        ("from 9 to 5", "09:00-17:00"),
        ("M-F 9-5", "Mo-Fr 09:00-17:00"),
        ("0900-1700hrs", "09:00-17:00"),
        ("7 days a week 9-6", "Mo-Su 09:00-18:00"),
        ("open 24 hours", "24/7"),
        ("Mo-Fr 8:00-12:00 & 13:00-17:00", "Mo-Fr 08:00-12:00,13:00-17:00"),
        ("营业时间：周一到周五 9:00-12:00、13:30-18:00；周日 10-17", "Mo-Fr 09:00-12:00,13:30-18:00; Su 10:00-17:00"),
        ("Mon-Fri 9:00AM-5:00PM, Sat-Sun closed", "Mo-Fr 09:00-17:00; Sa-Su closed"),
        ("\u200b09:00-18:00,", "09:00-18:00"),
        ("6:30-3:30", "06:30-15:30"),
        ("9:00-1:00", "09:00-13:00"),
        ("Mo-Fr 9:00-18:00; Sa 10:00-2:00", "Mo-Fr 09:00-18:00; Sa 10:00-14:00"),
        ("12:00-4:00", "12:00-16:00"),
        ("上午9:00-12:00 下午1:30-6:00", "09:00-12:00,13:30-18:00"),
        ("18-9", "18:00-09:00"),
        ("20-10", "20:00-10:00"),
        ("13:30-6:00", "13:30-18:00"),
    ],
)  # fmt: skip
def test_other_spellings_are_asked_back_in_openstreetmaps(text: str, meant: str) -> None:
    assert f"did you mean {meant}?" in objection(text)


@pytest.mark.parametrize(
    ("text", "library", "says"),
    [
        # A remark, `open` alone, and days without times are day and night.
        ('"by appointment"', ALL_WEEK, "'by appointment' is a remark and no hours; say hours, or leave it empty"),
        ('"on request"', ALL_WEEK, "say hours, or leave it empty"),
        ('open "ask us"', ALL_WEEK, "say hours, or leave it empty"),
        ("open", ALL_WEEK, "says no times"),
        ("2026", ALL_WEEK, "says no times"),
        # The same moment twice is a whole day.
        ("00:00-00:00", ALL_WEEK, "24/7 or 00:00-24:00 is day and night, off a closed day"),
        ("Mo-Su 07:30-07:30", ALL_WEEK, "opens and closes at the same time"),
        # An end after the next midnight goes on into the day after.
        ("10:00-48:00", ALL_WEEK, "10:00-48:00 is 38 hours"),
        # Of days that no month has, the library knows nothing: they are every day.
        ("Feb 30", ALL_WEEK, "there is no 30 Feb"),
        ("Nov 31 00:00-24:00", ALL_WEEK, "there is no 31 Nov"),
        ("09:00-18:00; Apr 31 off", [], "there is no 31 Apr"),
        # Without a country there are no holidays; sun and Easter are worked out without a place.
        ("PH 09:00-18:00", [], "PH depends on more than the clock"),
        ("SH off", [], "SH depends on more than the clock"),
        ("easter 09:00-18:00", [], "easter depends on more than the clock"),
        # `unknown` is not open.
        ("unknown", [], "unknown says no hours; say hours, or leave it empty"),
        ("Mo-Fr 09:00-18:00 unknown", [], "unknown says no hours"),
    ],
)
def test_what_the_library_makes_of_a_text_that_says_nothing_is_known_and_refused(
    text: str, library: list[tuple[datetime, datetime, str]], says: str
) -> None:
    assert library_says(text) == library
    assert says in objection(text)


@pytest.mark.parametrize(
    ("text", "first", "says"),
    [
        # An open end is the next midnight, and a rhythm of times is taken for hours.
        ("10:00+", ("10:00", "00:00"), "10:00+ does not say until when"),
        ("10:00-18:00+", ("10:00", "18:00"), "does not say until when"),
        ("09:00-18:00/01:00", ("09:00", "18:00"), "is a rhythm of times"),
        # A later rule replaces an earlier one for its days; after a comma it adds to it.
        ("Mo-Fr 09:00-12:00; Mo-Fr 13:00-18:00", ("13:00", "18:00"), "is replaced by a later rule for the same days"),
        (
            "Sa-Su off; Mo-Su 09:00-18:00",
            ("09:00", "18:00"),
            "is undone by a later rule",
        ),
        ("Dec 25 off; 09:00-18:00", ("09:00", "18:00"), "'Dec 25 closed' is undone by a later rule"),
        ("Mo-Fr, Sa 10:00-12:00", ("00:00", "00:00"), "says no times and would be open day and night"),
        ("sunrise-sunset", ("07:00", "19:00"), "sunrise depends on more than the clock"),
        ("09:00-02:00", ("00:00", "02:00"), "if it is that long, write 00:00-02:00,09:00-24:00"),
    ],
)
def test_what_the_library_reads_otherwise_than_people_do_is_refused(
    text: str, first: tuple[str, str], says: str
) -> None:
    start, end, _ = library_says(text)[0]
    assert (f"{start:%H:%M}", f"{end:%H:%M}") == first
    assert says in objection(text)


@pytest.mark.parametrize("text", ["Mo-Fr", "Mo-Sa 09:00-18:00; Su", "Mo-Fr 09:00-18:00, Sa", "2020-2021"])
def test_days_without_times_are_no_hours(text: str) -> None:
    assert "says no times" in objection(text)


@pytest.mark.parametrize("text", ["N/A", "-", "by appointment", "TBD", "预约"])
def test_a_word_instead_of_hours_is_asked_to_be_left_out(text: str) -> None:
    assert "or leave it empty" in objection(text)


@pytest.mark.parametrize("text", ["23:00-22:00", "18:00-18:00", "12:00-12:00", "10:00-34:00", "00:00-25:00"])
def test_nothing_is_proposed_where_nothing_is_plain(text: str) -> None:
    assert "did you mean" not in objection(text)


@pytest.mark.parametrize("text", ["week 54 10:00-12:00", "Jan 32 09:00-18:00", "2027-2026 09:00-18:00", "", "whenever"])
def test_what_cannot_be_read_at_all_says_how_hours_are_written(text: str) -> None:
    assert "write them as OpenStreetMap does" in objection(text)


_CLOCK = st.builds(
    lambda hour, minute, form: form.format(hour, minute),
    st.integers(0, 24),
    st.sampled_from(["00", "15", "30", "45"]),
    st.sampled_from(["{0}:{1}", "{0:02}:{1}", "{0}.{1}", "{0}h{1}", "{0:02}{1}", "{0}：{1}", "{0}点{1}分"]),
)
_SPANS = st.lists(
    st.tuples(_CLOCK, st.sampled_from(["-", " - ", "–", "~", " to ", "至"]), _CLOCK).map("".join),
    min_size=1,
    max_size=3,
).map(",".join)
_RULES = st.lists(
    st.tuples(st.sampled_from(["", "Mo-Fr ", "Sat ", "周一至周五 ", "每天 "]), _SPANS).map("".join),
    min_size=1,
    max_size=2,
).map("; ".join)


def clock_faces(text: str) -> list[tuple[int, int]]:
    """The times of a text as hands of a clock show them, in order."""
    found = re.findall(r"(\d{1,2})(?:[:.h：点](\d{2})|(?<=\d{2})(\d{2}))", text)
    return [(int(hour) % 12, int(minute or joined)) for hour, minute, joined in found]


@given(_RULES)
def test_advice_is_what_this_reader_takes_and_shows_the_same_hands_of_the_clock(text: str) -> None:
    try:
        read_hours(text, TODAY)
    except HoursInvalid as refused:
        if advised := re.search(r"did you mean ([^?]*)\?", str(refused)):
            assert read_hours(advised[1], TODAY)
            assert clock_faces(advised[1]) == clock_faces(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        said = read_hours(text, TODAY)
    except HoursInvalid as refused:
        said = str(refused)
    assert len(said) < 400


HEADER = "site_id,name,kind,city,lat,lon,datum,capabilities,status,hours,closures,opens_on,closes_on"


def faults_of(**columns: str) -> list[tuple[str, str]]:
    names = HEADER.split(",")[8:]
    cells = ",".join(f'"{columns.get(name, "")}"' for name in names)
    file = read_csv(f"{HEADER}\none,One,agent_store,Lakeside,31.3,120.6,wgs84,sales,{cells}\n", TODAY)
    return [(bad.field, bad.reason) for bad in file.bad]


@pytest.mark.parametrize(
    "hours",
    [
        "off",
        "closed",
        "24/7 closed",
        "Mo-Su off",
        "2020 Mo-Fr 09:00-18:00",
        "2024-2025 09:00-18:00",
        "2028+ 09:00-18:00",
        "Feb 29 10:00-12:00",
        "09:00-18:00; Mo-Su off",
    ],
)
def test_a_site_whose_hours_never_come_is_refused_with_the_way_to_say_so(hours: str) -> None:
    [(field, reason)] = faults_of(hours=hours)
    assert field == "hours"
    assert (
        "never opens in the year from 2026-12-01; say so with status (closed, planned), opens_on or closes_on" in reason
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"hours": "off", "status": "closed"},
        {"hours": "off", "status": "planned"},
        {"hours": "off", "closes_on": "2026-11-30"},
        {"hours": "2028+ 09:00-18:00", "opens_on": "2028-01-01"},
        {"hours": "2026-2030 Mo-Fr 09:00-18:00"},
        {"hours": "Jan 10-20 10:00-12:00"},
        {"closures": "2020-01-01..2020-12-31|2026-12-01..2027-06-30"},
    ],
)
def test_a_site_that_gets_no_leads_now_or_opens_some_day_is_taken(columns: dict[str, str]) -> None:
    assert faults_of(**columns) == []


@pytest.mark.parametrize(
    ("columns", "field", "says"),
    [
        ({"closures": "2026-01-01..2028-12-31"}, "closures", "leave no open day in the year from 2026-12-01"),
        ({"hours": "Jan 10-20 10:00-12:00", "closures": "2027-01-01..2027-01-31"}, "closures", "leave no open day"),
        ({"closures": "2027-02-30"}, "closures", "'2027-02-30' is no day (day is out of range for month)"),
        ({"closures": "2027-03-05..2027-03-01"}, "closures", "is no day: it ends before it begins"),
        ({"closures": "20270301"}, "closures", "'20270301' is no day"),
        ({"closures": "2027-W10-1"}, "closures", "is no day"),
        ({"closures": "|".join(f"2027-01-{day % 28 + 1:02}" for day in range(500))}, "closures", "400 are the most"),
        ({"opens_on": "0001-01-01"}, "opens_on", "not between 1900-01-01 and 2199-12-31"),
        ({"closes_on": "9999-12-31"}, "closes_on", "not between 1900-01-01 and 2199-12-31"),
        ({"closes_on": "2026-02-29"}, "closes_on", "day is out of range for month"),
    ],
)
def test_days_that_are_none_and_closures_without_end_are_refused(
    columns: dict[str, str], field: str, says: str
) -> None:
    assert [(named, says in reason) for named, reason in faults_of(**columns)] == [(field, True)]


def test_what_an_older_network_keeps_still_has_its_times() -> None:
    # Imported before such texts were refused: revisions are for ever, and what was decided under them is replayed.
    noon = datetime.combine(TODAY, time(4)).astimezone()
    for text in ('24/7 "by appointment"', "00:00-00:00", "09:00-06:00", "Feb 30"):
        assert Schedule(WorkingTime(text)).is_open(noon)
    assert not Schedule(WorkingTime("24/7 closed")).is_open(noon)


@pytest.mark.parametrize(
    "text", ["Mo-Fr 13:00-18:00,09:00-12:00", "Mo-Fr 09:60-18:00", "9:75-5", "9:00-18:00,7:00-9:00"]
)
def test_nothing_is_proposed_where_a_clock_of_twenty_four_hours_or_no_clock_is_written(text: str) -> None:
    assert "did you mean" not in objection(text)


def test_an_end_past_midnight_says_how_to_write_it_if_it_is_meant() -> None:
    said = objection("9:00-1:00")
    assert (
        said == "9:00-1:00 is 16 hours, past midnight; did you mean 09:00-13:00? (if that is meant, write 09:00-01:00)"
    )
    assert read_hours("09:00-01:00", TODAY) == "09:00-01:00"


def test_a_length_is_told_to_the_minute() -> None:
    assert "13:30-06:00 is 16 hours and 30 minutes, through the night" in objection("13:30-06:00")
