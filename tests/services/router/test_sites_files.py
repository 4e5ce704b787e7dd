"""Network files: read whole, or refused with every bad row, its field, the reason and the way out."""

import json
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.sites import NetworkFile, Site, WorkingTime, read_csv, read_geojson
from shared.datum import from_wgs84
from shared.vocabulary import Capability, Datum, SiteKind, SiteStatus

HEADER = "site_id,name,kind,city,district,lat,lon,datum,capabilities,status,weight,open_lead_limit"
GOOD: dict[str, Any] = {
    "site_id": "suzhou-01",
    "name": "Suzhou Center",
    "kind": "delivery_center",
    "city": "Suzhou",
    "district": "Wuzhong",
    "lat": "31.2989",
    "lon": "120.5853",
    "datum": "wgs84",
    "capabilities": "sales|test_drive|vehicle_delivery",
    "status": "open",
    "weight": "2",
    "open_lead_limit": "40",
}


def csv_of(*rows: dict[str, str]) -> str:
    columns = HEADER.split(",")
    return "\n".join([HEADER, *(",".join(f'"{row[column]}"' for column in columns) for row in rows)]) + "\n"


def row(**changes: str) -> dict[str, str]:
    return GOOD | changes


def reasons(file: NetworkFile) -> list[tuple[int, str, str]]:
    return [(bad.row, bad.field, bad.reason) for bad in file.bad]


def test_a_good_row_becomes_a_site() -> None:
    file = read_csv(csv_of(row()))

    assert file.bad == ()
    [site] = file.sites
    assert (site.site_id, site.kind, site.status) == ("suzhou-01", SiteKind.DELIVERY_CENTER, SiteStatus.OPEN)
    assert (site.lat, site.lon, site.weight, site.open_lead_limit) == (31.2989, 120.5853, 2, 40)
    assert site.capabilities == {Capability.SALES, Capability.TEST_DRIVE, Capability.VEHICLE_DELIVERY}


WORKING = {
    "hours": "Mo-Fr 9:00-18:00;Sa 10:00-16:00",
    "time_zone": "Asia/Urumqi",
    "closures": "2027-01-01|2026-10-01..2026-10-07",
    "opens_on": "2026-09-01",
    "closes_on": "2028-12-31",
}


def csv_with(columns: dict[str, str]) -> str:
    header, first = csv_of(row()).splitlines()
    return "\n".join([",".join([header, *columns]), ",".join([first, *(f'"{text}"' for text in columns.values())])])


def test_a_site_says_when_it_works_and_its_row_says_so_again() -> None:
    [site] = read_csv(csv_with(WORKING)).sites

    assert site.working_time == WorkingTime(
        "Mo-Fr 09:00-18:00; Sa 10:00-16:00",
        "Asia/Urumqi",
        ((date(2026, 10, 1), date(2026, 10, 7)), (date(2027, 1, 1), date(2027, 1, 1))),
        date(2026, 9, 1),
        date(2028, 12, 31),
    )
    assert Site.from_row(site.to_row()) == site


def test_a_site_that_says_nothing_of_its_hours_has_the_row_it_always_had() -> None:
    [site] = read_csv(csv_of(row())).sites

    assert site.to_row().keys() == set(HEADER.split(","))
    assert Site.from_row(site.to_row()) == site


@pytest.mark.parametrize(
    ("field", "text", "advice"),
    [
        ("hours", "Mon-Fri 9-18", "did you mean Mo-Fr 09:00-18:00?"),
        ("time_zone", "Beijing", "use an IANA name such as Asia/Shanghai"),
        ("closures", "2026-10-01|1 October", "'1 October' is no day"),
        ("closures", "2026-10-07..2026-10-01", "is no day"),
        ("opens_on", "soon", "'soon' is no day; write it as 2026-10-01"),
        ("closes_on", "2026-08-31", "lies before opens_on"),
    ],
)
def test_a_working_time_that_nobody_can_read_is_refused_with_the_way_out(field: str, text: str, advice: str) -> None:
    [bad] = read_csv(csv_with(WORKING | {field: text})).bad

    assert (bad.row, bad.site_id, bad.field) == (2, "suzhou-01", field)
    assert advice in bad.reason


def test_what_is_left_out_has_its_default() -> None:
    text = "site_id,name,kind,city,lat,lon,datum,capabilities\none,One,agent_store,苏州,31.3,120.6,wgs84,sales\n"

    [site] = read_csv(text).sites

    assert (site.district, site.status, site.weight, site.open_lead_limit) == ("", SiteStatus.OPEN, 1, None)


def test_a_spreadsheet_export_is_read_as_it_comes() -> None:
    text = (
        "\ufeff"
        + csv_of(row(name="苏州, 吴中"), row(site_id="suzhou-02")).replace("\n", "\r\n")
        + "\r\n,,,,,,,,,,,\r\n"
    )

    file = read_csv(text)

    assert file.bad == ()
    assert [site.name for site in file.sites] == ["苏州, 吴中", "Suzhou Center"]


@pytest.mark.parametrize("datum", Datum)
def test_points_are_kept_in_wgs84_whatever_their_datum(datum: Datum) -> None:
    lat, lon = from_wgs84(31.2989, 120.5853, datum)

    [site] = read_csv(csv_of(row(lat=repr(lat), lon=repr(lon), datum=datum))).sites

    assert (site.lat, site.lon, site.datum) == (31.2989, 120.5853, datum)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"kind": "agent_store"}, "capabilities", "an agent store may never have vehicle_delivery: only"),
        (
            {"kind": "service_point", "capabilities": "used_vehicle_sales"},
            "capabilities",
            "a service point may never have used_vehicle_sales",
        ),
        ({"capabilities": "sales|test-drive"}, "capabilities", "did you mean test_drive?"),
        ({"capabilities": "paint"}, "capabilities", "did you mean paint_repair?"),
        ({"capabilities": "zzz"}, "capabilities", "use one of sales"),
        ({"capabilities": " | "}, "capabilities", "is empty"),
        ({"kind": "agentstore"}, "kind", "did you mean agent_store?"),
        ({"kind": ""}, "kind", "is empty; use one of delivery_center"),
        ({"status": "opened"}, "status", "did you mean open?"),
        ({"datum": ""}, "datum", "never guessed; say wgs84 (GPS), gcj02 (Amap, Tencent) or bd09 (Baidu)"),
        ({"datum": "wgs-84"}, "datum", "did you mean wgs84?"),
        ({"lat": "120.5853", "lon": "31.2989"}, "lat", "lat and lon look swapped"),
        ({"lat": "91", "lon": "120"}, "lat", "91 is outside -90 to 90"),
        ({"lon": "181"}, "lon", "181 is outside -180 to 180"),
        ({"lat": "0", "lon": "0"}, "lat", "0, 0"),
        ({"lat": "0.00001", "lon": "-0.0"}, "lat", "0, 0"),
        ({"lat": "31.3", "lon": "0"}, "lat", "0, 0"),
        ({"lat": "87.6169", "lon": "43.8256"}, "lat", "lat and lon look swapped"),
        ({"lat": "31,29"}, "lat", "is not a number of degrees"),
        ({"lat": "nan"}, "lat", "is not a number of degrees"),
        ({"lon": "inf"}, "lon", "is not a number of degrees"),
        ({"lon": ""}, "lon", "is empty; give a number of degrees"),
        ({"site_id": "Suzhou 01"}, "site_id", "lower-case letters"),
        ({"site_id": ""}, "site_id", "is empty"),
        ({"name": ""}, "name", "is empty"),
        ({"name": "x" * 200}, "name", "longer than 120"),
        ({"city": "Su\x00zhou"}, "city", "control characters"),
        ({"weight": "0"}, "weight", "0 is outside 1 to 1000"),
        ({"weight": "1.5"}, "weight", "is not a whole number"),
        ({"open_lead_limit": "-3"}, "open_lead_limit", "-3 is outside 1 to"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_with_the_way_out(changes: dict[str, str], field: str, words: str) -> None:
    file = read_csv(csv_of(row(site_id="first"), row(**changes)))

    [(number, named, reason)] = reasons(file)
    assert (number, named) == (3, field)
    assert words in reason


def test_every_fault_of_every_row_is_named_in_file_order() -> None:
    file = read_csv(csv_of(row(kind="x", lat="x"), row(site_id="good"), row(site_id="two", weight="x", datum="")))

    assert [(number, field) for number, field, _ in reasons(file)] == [
        (2, "kind"),
        (2, "lat"),
        (4, "datum"),
        (4, "weight"),
    ]
    assert [bad.site_id for bad in file.bad] == ["suzhou-01", "suzhou-01", "two", "two"]


def test_two_rows_of_one_id_are_refused() -> None:
    file = read_csv(csv_of(row(), row(site_id="other"), row(name="Again")))

    assert reasons(file) == [(4, "site_id", "is already the id of row 2; every site needs its own")]


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("", "file", "is empty"),
        (HEADER.replace("datum", "date") + "\n", "date", "unknown column; did you mean"),
        (HEADER.replace("datum,", "") + "\n", "datum", "missing from the header"),
        (HEADER + ",lat\n", "lat", "stands twice"),
        (HEADER + "\n", "file", "holds no site"),
        (HEADER + "\none,two\n", "row", "has 2 fields where the header has 12"),
        (HEADER + '\n"one\n', "row", "is not CSV"),
    ],
)
def test_a_file_that_is_no_network_says_why(text: str, field: str, words: str) -> None:
    file = read_csv(text)

    assert any(named == field and words in reason for _, named, reason in reasons(file))


def feature(coordinates: Any = (120.5853, 31.2989), **changes: Any) -> dict[str, Any]:
    columns = {name: value for name, value in GOOD.items() if name not in ("lat", "lon")}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": columns | changes,
    }


def geojson(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.mark.parametrize("text", ["[" * 100_000, geojson().replace("[]", f"[{'9' * 5_000}]")], ids=["deep", "long"])
def test_what_is_told_of_json_is_no_text_for_programmers(text: str) -> None:
    [bad] = read_geojson(text).bad
    assert re.search(r"nested too deeply|a number has 5,000 digits", bad.reason)
    assert not re.search(r"sys\.|recursion", bad.reason)


def test_geojson_says_what_csv_says() -> None:
    natural = feature(weight=2, open_lead_limit=40, capabilities=["sales", "test_drive", "vehicle_delivery"])

    assert read_geojson(geojson(feature())) == read_geojson(geojson(natural)) == read_csv(csv_of(row()))


@pytest.mark.parametrize(
    ("one", "field", "words"),
    [
        (feature((31.2989, 120.5853)), "lat", "look swapped"),
        (feature(datum=None), "datum", "never guessed"),
        (feature((120.5,)), "geometry", "is not a Point"),
        (feature() | {"geometry": None}, "geometry", "is not a Point"),
        ({"type": "Feature", "geometry": None}, "geometry", "is not a feature with properties"),
        (7, "geometry", "is not a feature with properties"),
        (feature(("x", None)), "geometry", "'x' is no number"),
        (feature(kind="agent_store"), "capabilities", "only delivery centers may"),
    ],
)
def test_a_bad_feature_is_named_by_its_number(one: Any, field: str, words: str) -> None:
    file = read_geojson(geojson(feature(site_id="first"), one))

    assert any(number == 2 and named == field and words in reason for number, named, reason in reasons(file))


@pytest.mark.parametrize("text", ["{", "[1]", '{"type": "FeatureCollection"}', "[" * 100_000])
def test_what_is_no_geojson_says_so(text: str) -> None:
    [bad] = read_geojson(text).bad

    assert bad.row == 0
    assert "is not" in bad.reason


@given(st.text())
def test_no_text_at_all_breaks_a_reader(text: str) -> None:
    for file in (read_csv(text), read_csv(HEADER + "\n" + text), read_geojson(text)):
        assert file.sites or file.bad


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("opening_hours", "did you mean hours?"),
        ("openinghours", "did you mean hours?"),
        ("latitude", "did you mean lat?"),
        ("lng", "did you mean lon?"),
        ("store_id", "did you mean site_id?"),
        ("crs", "did you mean datum?"),
        ("营业时间", "did you mean hours?"),
        ("capabilites", "did you mean capabilities?"),
        ("zzz", "use one of site_id, name"),
    ],
)
def test_an_unknown_column_is_told_alike_in_both_kinds_of_file(column: str, meant: str) -> None:
    [from_csv] = read_csv(csv_with({column: "x"})).bad
    [from_geojson] = read_geojson(geojson(feature(**{column: "x"}), feature(**{"site_id": "two", column: "y"}))).bad
    assert (from_csv.field, from_csv.reason) == (from_geojson.field, from_geojson.reason)
    assert (from_csv.row, from_geojson.row) == (1, 1)
    assert meant in from_csv.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": "3_0"},
        {"weight": "٣"},
        {"weight": "nan"},
        {"open_lead_limit": "1e3"},
        {"open_lead_limit": "0x10"},
        {"kind": "agentstore"},
        {"hours": "9-5"},
        {"status": "opened"},
        {"capabilities": "sales|paint"},
    ],
)
def test_a_bad_text_is_refused_in_the_same_words_in_both_kinds_of_file(changes: dict[str, str]) -> None:
    text = csv_with({"hours": changes["hours"]}) if "hours" in changes else csv_of(row(**changes))
    assert [bad.reason for bad in read_csv(text).bad] == [
        bad.reason for bad in read_geojson(geojson(feature(**changes))).bad
    ]
    assert read_csv(text).bad


@pytest.mark.parametrize(
    ("one", "field", "words"),
    [
        (feature(weight=True), "weight", "is true or false; give a text or a number"),
        (feature(name=False), "name", "is true or false"),
        (feature(name={"zh": "湖滨"}), "name", "is an object"),
        (feature(capabilities=[["sales"]]), "capabilities", "is a list of lists"),
        (feature(weight=1.5), "weight", "is not a whole number"),
        (feature(lat=31.3), "lat", "comes from the point of the geometry"),
        (feature(["120.58", "31.29"]), "geometry", "'120.58' is no number; write it without quotes"),
        (feature([True, False]), "geometry", "is no number"),
        (feature([120.58, 31.29, 4.0, 1.0]), "geometry", "is not a Point"),
        (feature([13_423_000.5, 3_669_000.25]), "lat", "are metres of a map projection"),
        (feature([43.8, 87.6]), "lat", "look swapped"),
        (feature([1e400, 31.29]), "geometry", ""),
        (feature() | {"geometry": {"type": "Polygon", "coordinates": []}}, "geometry", "it is a 'Polygon'"),
        (feature() | {"geometry": {"type": "MultiPoint", "coordinates": [[1, 2]]}}, "geometry", "is not a Point"),
    ],
)  # fmt: skip
def test_a_feature_is_read_as_strictly_as_a_row(one: Any, field: str, words: str) -> None:
    file = read_geojson(geojson(one))
    if "Infinity" in geojson(one):
        field = "file"
    assert [(bad.field, words in bad.reason) for bad in file.bad] == [(field, True)]


def test_a_height_is_passed_over_and_whole_floats_are_whole() -> None:
    assert read_geojson(geojson(feature([120.5853, 31.2989, 4.5], weight=2.0))) == read_csv(csv_of(row()))


def test_properties_are_named_in_any_case_and_once() -> None:
    renamed = feature()
    renamed["properties"] = {name.upper().replace("_", " "): value for name, value in renamed["properties"].items()}
    assert read_geojson(geojson(renamed)) == read_csv(csv_of(row()))
    twice = geojson(feature()).replace('"weight": "2"', '"weight": "2", "weight": "9"')
    assert [(bad.field, bad.reason) for bad in read_geojson(twice).bad] == [
        ("weight", "this column stands twice in the properties")
    ]


@pytest.mark.parametrize(
    ("crs", "is_taken"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", True),
        ("EPSG:4326", True),
        ("urn:ogc:def:crs:EPSG::4490", True),
        ("EPSG:3857", False),
        ("urn:ogc:def:crs:EPSG::4549", False),
    ],
)
def test_only_plain_degrees_are_read(crs: str, is_taken: bool) -> None:
    document = {"type": "FeatureCollection", "features": [feature()], "crs": {"properties": {"name": crs}}}
    bad = read_geojson(json.dumps(document)).bad
    assert [fault.field for fault in bad] == ([] if is_taken else ["file"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (json.dumps(feature()), "it is a Feature"),
        ('{"type": "Topology", "objects": {}}', "it is a Topology"),
        ('{"type": "FeatureCollection", "features": [NaN]}', "NaN is no number of JSON"),
    ],
)
def test_a_file_that_holds_something_else_names_it(text: str, says: str) -> None:
    [bad] = read_geojson(text).bad
    assert (bad.field, says in bad.reason) == ("file", True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lat": "3_1.3"}, "'3_1.3' is not a number of degrees, such as 31.2989; did you mean 31.3?"),
        ({"lat": "٣١.٣"}, "did you mean 31.3?"),
        ({"lat": "31,2989"}, "did you mean 31.2989?"),
        ({"lon": "1.205853E+02"}, "did you mean 120.5853?"),
        ({"lat": "87.6", "lon": "43.8"}, "look swapped"),
        ({"lat": "3669000", "lon": "13423000"}, "are metres of a map projection; give degrees"),
        ({"weight": "2.0"}, "did you mean 2?"),
        ({"open_lead_limit": "1,000"}, "did you mean 1000?"),
    ],
)
def test_a_number_in_another_spelling_is_asked_back(changes: dict[str, str], words: str) -> None:
    [(_, _, reason)] = reasons(read_csv(csv_of(row(**changes))))
    assert words in reason


def test_a_hundred_thousand_faults_are_counted_and_the_first_told() -> None:
    file = read_csv(csv_of(*(row(site_id=f"site-{number}", datum="") for number in range(30_000))))
    assert (len(file.bad), file.faults.total, file.sites) == (20, 30_000, ())
    assert file.faults.more == {"datum": 29_980}


@pytest.mark.parametrize("column", ["name", "kind", "capabilities", "lat", "datum", "status", "weight", "site_id"])
def test_a_cell_of_megabytes_is_told_in_a_line(column: str) -> None:
    huge = "x" * 100_000
    texts = [csv_of(row(**{column: huge})), csv_of(row(**{column: "|".join(["\x1b[2J"] * 20_000)}))]
    for file in map(read_csv, texts):
        assert file.bad
        assert all(len(str(bad)) < 500 for bad in file.bad)
    features = [feature(**{column: huge * 20})] if column != "lat" else [feature([huge * 20, 1])]
    assert all(len(str(bad)) < 500 for bad in read_geojson(geojson(*features)).bad)
