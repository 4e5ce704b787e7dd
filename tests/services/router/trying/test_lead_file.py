import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.trying import LeadFile, read_lead_csv, read_lead_ndjson
from shared.datum import to_wgs84
from shared.vocabulary import Datum, Intent
from tests.services.router.networks import NOW

HEADER = "intent,lat,lon,datum,received_at\n"
GOOD = "purchase,31.2989,120.5853,wgs84,2026-03-01T10:00+08:00\n"
OBJECT = {"intent": "purchase", "lat": 31.2989, "lon": 120.5853, "datum": "wgs84"}

ROWS = st.fixed_dictionaries(
    {
        "intent": st.sampled_from(Intent),
        "lat": st.floats(22, 40),
        "lon": st.floats(105, 122),
        "datum": st.sampled_from(Datum),
        "received_at": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    }
)


def csv_of(text: str) -> LeadFile:
    """What a CSV file of this text says."""
    return read_lead_csv(StringIO(text, newline=""))


def faults(file: LeadFile) -> list[tuple[int, str, str]]:
    """Rows, fields and reasons."""
    return [(one.row, one.field, one.reason) for one in file.bad]


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_both_formats_say_the_same_in_the_order_of_time(rows: list[dict[str, object]]) -> None:
    texts = [{**row, "received_at": row["received_at"].isoformat()} for row in rows]  # type: ignore[attr-defined]
    as_csv = csv_of(HEADER + "".join("{intent},{lat},{lon},{datum},{received_at}\n".format(**row) for row in texts))
    as_ndjson = read_lead_ndjson([json.dumps(row) + "\n" for row in texts])
    assert not as_csv.bad
    assert not as_ndjson.bad
    found = [one.lead for part in as_csv.leads.arriving(NOW) for one in part]
    again = [one.lead for part in as_ndjson.leads.arriving(NOW) for one in part]
    wanted = sorted(
        ((row["intent"], to_wgs84(row["lat"], row["lon"], row["datum"]), row["received_at"]) for row in rows),  # type: ignore[arg-type]
        key=lambda one: one[2],  # type: ignore[arg-type, return-value]
    )
    assert [(one.intent, one.point, one.received_at) for one in found] == wanted
    assert [one[2:] for one in again] == [one[2:] for one in found]


def test_leads_without_times_come_at_once_in_file_order() -> None:
    file = csv_of("datum,lon,lat,intent\nwgs84,120.6,31.3,purchase\n\nwgs84,120.7,31.4,test_drive\n")
    assert not file.bad
    [[first, second]] = list(file.leads.arriving(NOW))
    assert (first.lead.received_at, second.lead.received_at) == (NOW, NOW)
    assert (first.lead.intent, second.lead.intent) == (Intent.PURCHASE, Intent.TEST_DRIVE)
    assert first.lead.person_id != second.lead.person_id


def test_a_late_row_goes_where_its_time_puts_it() -> None:
    rows = [OBJECT | {"received_at": (NOW + timedelta(hours=hours)).isoformat()} for hours in (2, 0, 1)]
    file = read_lead_ndjson(map(json.dumps, rows))
    assert file.leads.rows.tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ("buy,31.3,120.6,wgs84,2026-03-01T10:00Z", "intent", "unknown name; use one of purchase"),
        ("purchace,31.3,120.6,wgs84,2026-03-01T10:00Z", "intent", "did you mean purchase?"),
        ("purchase,x,120.6,wgs84,2026-03-01T10:00Z", "lat", "valid number"),
        ("purchase,nan,120.6,wgs84,2026-03-01T10:00Z", "lat", "valid number"),
        ("purchase,3_1.3,120.6,wgs84,2026-03-01T10:00Z", "lat", "valid number"),
        ("purchase,٣١.٣,120.6,wgs84,2026-03-01T10:00Z", "lat", "valid number"),
        ("purchase,31.3,120.6,wgs84,9999-12-31T23:59-12:00", "received_at", "between the years 2000 and 2100"),
        ("purchase,120.6,31.3,wgs84,2026-03-01T10:00Z", "lat", "are lat and lon swapped?"),
        ("purchase,31.3,190,wgs84,2026-03-01T10:00Z", "lon", "outside -180 to 180"),
        ("purchase,0,0,wgs84,2026-03-01T10:00Z", "lat, lon", "a point in the sea"),
        ("purchase,0.0001,-0.0,wgs84,2026-03-01T10:00Z", "lat, lon", "a point in the sea"),
        ("purchase,87.6,43.8,wgs84,2026-03-01T10:00Z", "lat, lon", "look swapped"),
        ("purchase,31.3,120.6,,2026-03-01T10:00Z", "datum", "never guessed"),
        ("purchase,31.3,120.6,gcj,2026-03-01T10:00Z", "datum", "did you mean gcj02?"),
        ("purchase,89.9999,120.6,gcj02,2026-03-01T10:00Z", "lat, lon", "no WGS-84 position"),
        ("purchase,31.3,120.6,wgs84,2026-03-01T10:00", "received_at", "offset from UTC"),
        ("purchase,31.3,120.6,wgs84,1772330400", "received_at", "no ISO time"),
        ("purchase,31.3,120.6,wgs84,", "received_at", "give it to all of them or to none"),
        ("purchase,31.3,120.6,wgs84", "row", "has 4 fields where the header has 5"),
        ('purchase,"31.3"x,120.6,wgs84,2026-03-01T10:00Z', "row", "is not CSV"),
    ],
)
def test_a_bad_row_is_named_with_field_and_reason(row: str, field: str, says: str) -> None:
    [(number, named, reason)] = faults(csv_of(f"{HEADER}{GOOD}{row}\n{'' if 'is not CSV' in says else GOOD}"))
    assert (number, named) == (3, field)
    assert says in reason


def test_every_bad_row_and_every_bad_field_is_named_and_no_cell_is_quoted() -> None:
    file = csv_of(f"{HEADER}Ms Example,1390000,,wgs84,2026-03-01T10:00Z\n{GOOD}purchase,31,120,nothing,never\n")
    found = faults(file)
    assert [one[:2] for one in found] == [(2, "intent"), (2, "lat"), (2, "lon"), (4, "datum"), (4, "received_at")]
    assert not any("Example" in reason or "1390000" in reason for _, _, reason in found)


@pytest.mark.parametrize(
    ("header", "field", "says"),
    [
        ("intent,lat,lon,received_at", "datum", "missing from the header"),
        ("intent,lat,lon,datum,phone", "phone", "unknown column"),
        ("intent,lat,lon,datum,lat", "lat", "stands twice"),
    ],
)
def test_a_header_is_checked_before_any_row(header: str, field: str, says: str) -> None:
    [(number, named, reason)] = faults(csv_of(f"{header}\n1,2,3,4,5\n"))
    assert (number, named) == (1, field)
    assert says in reason


@pytest.mark.parametrize(
    ("line", "field", "says"),
    [
        ("{nope", "row", "is no JSON"),
        ("[1]", "row", "object"),
        (json.dumps(OBJECT | {"lat": "31.3"}), "lat", "valid number"),
        (json.dumps(OBJECT | {"phone": "x"}), "phone", "unknown field"),
        (json.dumps(OBJECT | {"received_at": 1772330400}), "received_at", "ISO time"),
        (json.dumps({"intent": "purchase", "lat": 31.3, "lon": 120.6}), "datum", "never guessed"),
    ],
)
def test_a_bad_line_of_ndjson_is_named(line: str, field: str, says: str) -> None:
    [(number, named, reason)] = faults(read_lead_ndjson([json.dumps(OBJECT), "\n", line]))
    assert (number, named) == (3, field)
    assert says in reason


@pytest.mark.parametrize("text", ["", HEADER], ids=["nothing", "header"])
def test_a_file_without_leads_says_so(text: str) -> None:
    assert faults(csv_of(text))
    assert "holds no lead" in faults(read_lead_ndjson([]))[0][2]
