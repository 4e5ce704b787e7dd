"""Plus codes against the vectors that the specification's authors publish (open-location-code, test_data/*.csv)."""

import re

import pytest

from services.lead_intake.plus_code import BadPlusCode, FarFromTown, centre_near, centre_of, nearest, read_plus_code

# decoding.csv: code, south, west, north, east.
CELLS = [
    ("7FG49QCJ+2V", 20.37, 2.782125, 20.370125, 2.78225),
    ("7FG49QCJ+2VX", 20.3701, 2.78221875, 20.370125, 2.78225),
    ("7FG49QCJ+2VXGJ", 20.370113, 2.782234375, 20.370114, 2.78223632813),
    ("8FVC2222+22", 47.0, 8.0, 47.000125, 8.000125),
    ("4VCPPQGP+Q9", -41.273125, 174.785875, -41.273, 174.786),
    ("22222222+22", -90.0, -180.0, -89.999875, -179.999875),
    ("6FH32222+222", 1, 1, 1.000025, 1.00003125),
    ("CFX3X2X2+X2", 89.9998750, 1, 90, 1.0001250),
    ("6FH56C22+22", 1.2000000000000028, 3.4000000000000057, 1.2001249999999999, 3.4001250000000027),
    ("849VGJQF+VX7QR3J", 37.5396691200, -122.3750698242, 37.5396691600, -122.3750697021),
    ("849VGJQF+VX7QR3J7QR3J", 37.5396691200, -122.3750698242, 37.5396691600, -122.3750697021),
]
# shortCodeTests.csv: full code, reference point, short code.
SHORT = [
    ("9C3W9QCJ+2VX", 51.3701125, -1.217765625, "+2VX"),
    ("9C3W9QCJ+2VX", 51.3708675, -1.217765625, "CJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3693575, -1.217765625, "CJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3701125, -1.218520625, "CJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3701125, -1.217010625, "CJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3852125, -1.217765625, "9QCJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3550125, -1.217765625, "9QCJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3701125, -1.232865625, "9QCJ+2VX"),
    ("9C3W9QCJ+2VX", 51.3701125, -1.202665625, "9QCJ+2VX"),
    ("8FJFW222+", 42.899, 9.012, "22+"),
    ("796RXG22+", 14.95125, -23.5001, "22+"),
    ("8FRCXGRF+PM", 47.00, 8.55, "XGRF+PM"),
    ("CFX22222+22", 89.6, 0.0, "2222+22"),
    ("2CXXXXXX+XX", -81.0, 0.0, "XXXXXX+XX"),
]
# validityTests.csv.
VALID = {
    "8FWC2345+G6": False,
    "8FWC2345+G6G": False,
    "8fwc2345+": False,
    "8FWCX400+": False,
    "WC2345+G6g": True,
    "2345+G6": True,
    "45+G6": True,
    "+G6": True,
    "849VGJQF+VX7QR3J": False,
    "849VGJQF+VX7QR3JW": False,
}
INVALID = [
    "G+", "+", "8FWC2345+G", "8FWC2_45+G6", "8FWC2η45+G6", "8FWC2345+G6+", "8FWC2345G6+", "8FWC2300+G6",
    "WC2300+G6g", "WC2345+G", "WC2300+", "849VGJQF+VX7QR3U", "849VGJQF+VX7QR3JU",
]  # fmt: skip


@pytest.mark.parametrize(("code", "south", "west", "north", "east"), CELLS)
def test_a_full_code_is_the_middle_of_its_published_cell(
    code: str, south: float, west: float, north: float, east: float
) -> None:
    lat, lon = centre_of(read_plus_code(code))

    assert lat == pytest.approx((south + north) / 2, abs=1e-9)
    assert lon == pytest.approx((west + east) / 2, abs=1e-9)


@pytest.mark.parametrize(("full", "lat", "lon", "short"), SHORT)
def test_a_short_code_is_recovered_near_its_published_reference(full: str, lat: float, lon: float, short: str) -> None:
    assert nearest(read_plus_code(short), lat, lon) == pytest.approx(centre_of(read_plus_code(full)), abs=1e-9)


@pytest.mark.parametrize(("code", "short"), VALID.items())
def test_what_is_published_as_valid_is_read(code: str, short: bool) -> None:
    assert read_plus_code(code).is_short is short


@pytest.mark.parametrize("code", [*INVALID, "", "F2222222+22", "8X222222+22", "0000+", "00000000+"])
def test_what_is_published_as_invalid_is_refused(code: str) -> None:
    with pytest.raises(BadPlusCode, match="is no plus code"):
        read_plus_code(code)


@pytest.mark.parametrize("code", ["7FG49Q00+", "62G20000+", "84000000+"])
def test_a_cell_of_kilometres_is_too_coarse(code: str) -> None:
    with pytest.raises(BadPlusCode, match="too coarse"):
        centre_of(read_plus_code(code))


def test_case_blanks_and_full_width_do_not_count() -> None:
    assert read_plus_code(" ８ｆｖｃ２２２２＋２２ ") == read_plus_code("8FVC2222+22")


def test_a_short_code_on_the_other_side_of_the_date_line_stays_near() -> None:
    lat, lon = centre_near(read_plus_code("2222+22"), 0.1, 179.9)

    assert (lat, lon) == pytest.approx((0.0000625, -179.9999375))


def test_a_short_code_half_way_to_the_next_cell_is_uncertain() -> None:
    code = read_plus_code("2222+22")

    assert centre_near(code, 31.39, 120.39) == pytest.approx((31.0000625, 120.0000625))
    with pytest.raises(FarFromTown):
        centre_near(code, 31.41, 120.0)
    with pytest.raises(FarFromTown):
        centre_near(code, 31.0, 120.45)


@pytest.mark.parametrize("code", ["22+22", "+22"])
def test_a_code_without_its_first_six_digits_is_too_short_for_a_city(code: str) -> None:
    with pytest.raises(BadPlusCode, match=re.escape("four digits before the +")):
        centre_near(read_plus_code(code), 31.3, 120.6)
