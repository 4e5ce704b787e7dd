"""Files of postal codes: taken whole, or refused with every fault."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.nearness import distance_m
from services.lead_intake.postal_files import load_postal_codes, read_postal_file
from shared.datum import from_wgs84
from shared.errors import UserError
from shared.vocabulary import Accuracy, Datum

HEADER = "postal_code,lat,lon,datum,name\n"
GEONAMES = (
    "CN\t215000\tSuzhou\tJiangsu\t04\tSuzhou Shi\t3205\t\t\t31.3041\t120.5954\t4\n"
    "CN\t215021\tIndustrial Park\tJiangsu\t04\t\t\t\t\t31.32\t120.72\t1\r\n"
    "DE\t10115\tBerlin\tBerlin\tBE\t\t00\tBerlin\t11000\t52.5323\t13.3846\t4\n"
)


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.row, fault.field) for fault in read_postal_file(text).bad]


@given(
    lat=st.floats(25, 40),
    lon=st.floats(105, 120),
    datum=st.sampled_from(Datum),
    code=st.from_regex(r"[0-9]{6}", fullmatch=True),
)
def test_a_row_of_any_datum_is_the_wgs84_point_that_it_means(lat: float, lon: float, datum: Datum, code: str) -> None:
    written_lat, written_lon = from_wgs84(lat, lon, datum)

    read = read_postal_file(f"{HEADER}{code},{written_lat!r},{written_lon!r},{datum},A district\n")

    [place] = read.codes.places_of(code)
    assert read.bad == ()
    assert distance_m(place.lat, place.lon, lat, lon) < 0.01
    assert (place.accuracy, place.name) == (Accuracy.DISTRICT, "A district")


def test_names_are_optional_and_a_code_may_have_several_places() -> None:
    read = read_postal_file(
        "\n".join(["Postal_Code,lon,lat,datum", "100000,116.4,39.9,wgs84", "100000,116.5,39.9,wgs84"])
    )

    assert len(read.codes) == 1
    assert [(place.lon, place.name) for place in read.codes.places_of("100000")] == [(116.4, ""), (116.5, "")]


def test_geonames_postal_export_is_read_and_only_its_chinese_rows() -> None:
    read = read_postal_file(GEONAMES)

    assert (read.bad, len(read.codes)) == ((), 2)
    [exact], [estimated] = read.codes.places_of("215000"), read.codes.places_of("215021")
    assert (exact.lat, exact.name, exact.accuracy) == (31.3041, "Suzhou", Accuracy.DISTRICT)
    assert estimated.accuracy is Accuracy.CITY


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [(0, "file")]),
        ("postal_code,lat,lon\n", [(1, "datum")]),
        ("postal_code,lat,lon,datum,lat\n", [(1, "lat")]),
        ("postal_code,lat,lon,datum,town\n", [(1, "town")]),
        (HEADER, [(0, "the file")]),
        (f"{HEADER}21500,31.3,120.6,wgs84,\n", [(2, "postal_code")]),
        (f"{HEADER}215000,31.3,,wgs84,\n\n215000,nan,120.6,gps,\n", [(2, "lon"), (4, "lat"), (4, "datum")]),
        (f"{HEADER}215000,31.3,120.6,,\n", [(2, "datum")]),
        (f"{HEADER}830000,87.6,43.8,wgs84,\n", [(2, "lat")]),
        (f"{HEADER}100000,0,0,wgs84,\n", [(2, "lat")]),
        (f"{HEADER}215000,31.3,120.6,wgs84\n", [(2, "row")]),
        (f'{HEADER}215000,31.3,120.6,wgs84,"open\n', [(2, "row")]),
        (f"{HEADER}215000,31.3,120.6,wgs84,{'x' * 65}\n", [(2, "name")]),
        ("CN\t215000\tSuzhou\t31.3\t120.6\n", [(1, "row")]),
        ("DE\t10115\tBerlin\tBerlin\tBE\t\t00\tBerlin\t11000\t52.5323\t13.3846\t4\n", [(0, "the file")]),
    ],
)
def test_every_fault_is_told_with_its_row_and_field(text: str, found: list[tuple[int, str]]) -> None:
    assert faults(text) == found


def test_a_row_without_a_position_is_told_so() -> None:
    [bad] = read_postal_file(f"{HEADER}830000,0,0.0,wgs84,\n").bad

    assert "no position" in str(bad)


def test_what_was_probably_meant_is_said() -> None:
    swapped, gps, far = read_postal_file(
        f"{HEADER}830000,87.6,43.8,wgs84,\n215000,31.3,120.6,gps,\n215000,120.6,31.3,wgs84,\n"
    ).bad

    assert "swapped" in str(swapped)
    assert "did you mean wgs84?" in str(gps)
    assert str(far) == "row 4 lat: must be a number of degrees between -90 and 90; are lat and lon swapped?"


@given(st.text(max_size=400) | st.text("cn\t\n,12.0", max_size=200).map(HEADER.__add__))
def test_whatever_a_file_holds_is_read_or_refused(text: str) -> None:
    read = read_postal_file(text)

    assert read.bad or len(read.codes)


def test_a_bad_file_is_refused_as_a_whole_in_words(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(HEADER + "215000,31.3,120.6,wgs84,\n" + "21500,31.3,120.6,wgs84,\n" * 30)

    with pytest.raises(UserError) as refused:
        load_postal_codes(file)

    assert "codes.csv is refused, 30 faults" in refused.value.message
    assert "row 3 postal_code" in refused.value.message
    assert "and 10 more" in refused.value.message


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "codes.csv"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(UserError, match=r"codes\.csv"):
        load_postal_codes(file)
