"""Datums: published points, exact round trips, and nothing moved abroad."""

import csv
from importlib import resources
from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datum import (
    bd09_to_gcj02,
    certainly_abroad,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)
from shared.vocabulary import Datum

METRES_PER_DEGREE = 111_320


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    return METRES_PER_DEGREE * hypot(a[0] - b[0], (a[1] - b[1]) * cos(radians(a[0])))


CHINA = st.tuples(st.floats(18.2, 53.5), st.floats(73.7, 134.9))
INNER_CHINA = st.tuples(st.floats(21.6, 43.4), st.floats(80.6, 124.8))
"""No box of foreign land is near."""


@pytest.mark.parametrize(
    ("wgs84", "gcj02", "within_m"),
    [
        ((35, 105), (34.99909863, 105.00328624), 0.001),
        ((39.90105, 116.42079), (39.90245, 116.42703), 1.0),
        ((31.1774276, 121.5272106), (31.1753040, 121.5315419), 0.02),
        ((39.915, 116.404), (39.9164043, 116.4102445), 0.02),
    ],
)
def test_published_points_convert_to_gcj02(
    wgs84: tuple[float, float], gcj02: tuple[float, float], within_m: float
) -> None:
    assert metres_between(wgs84_to_gcj02(*wgs84), gcj02) < within_m
    assert metres_between(to_wgs84(*gcj02, Datum.GCJ02), wgs84) < within_m


@pytest.mark.parametrize(
    ("wgs84", "bd09"),
    [
        ((31.1774276, 121.5272106), (31.1813286, 121.5380157)),
        ((39.915, 116.404), (39.9226996, 116.4166272)),
    ],
)
def test_published_points_convert_to_bd09(wgs84: tuple[float, float], bd09: tuple[float, float]) -> None:
    assert metres_between(from_wgs84(*wgs84, Datum.BD09), bd09) < 0.02
    assert metres_between(to_wgs84(*bd09, Datum.BD09), wgs84) < 0.02


def test_one_gate_named_by_two_map_vendors_is_one_place() -> None:
    amap, baidu = (33.920445, 118.284614), (33.926284, 118.291152)

    assert metres_between(gcj02_to_bd09(*amap), baidu) < 6.9


@given(CHINA)
def test_gcj02_round_trip_is_below_a_millimetre(point: tuple[float, float]) -> None:
    assert metres_between(gcj02_to_wgs84(*wgs84_to_gcj02(*point)), point) < 0.001


@given(CHINA)
def test_bd09_round_trip_is_below_a_millimetre(point: tuple[float, float]) -> None:
    assert metres_between(bd09_to_gcj02(*gcj02_to_bd09(*point)), point) < 0.001


@given(INNER_CHINA, st.sampled_from(Datum))
def test_a_tagged_point_comes_back_within_a_millimetre(point: tuple[float, float], datum: Datum) -> None:
    assert metres_between(to_wgs84(*from_wgs84(*point, datum), datum), point) < 0.001
    assert metres_between(from_wgs84(*to_wgs84(*point, datum), datum), point) < 0.001


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_wgs84_point_is_never_moved(lat: float, lon: float) -> None:
    assert to_wgs84(lat, lon, Datum.WGS84) == (lat, lon)


@pytest.mark.parametrize("datum", Datum)
@pytest.mark.parametrize(
    "point",
    [
        (37.566, 126.978),
        (21.028, 105.854),
        (47.921, 106.918),
        (33.590, 130.402),
        (28.614, 77.209),
        (51.507, -0.128),
        (-33.87, 151.21),
    ],
    ids=["Seoul", "Hanoi", "Ulaanbaatar", "Fukuoka", "Delhi", "London", "Sydney"],
)
def test_a_point_abroad_is_not_moved_whatever_its_tag(point: tuple[float, float], datum: Datum) -> None:
    assert to_wgs84(*point, datum) == from_wgs84(*point, datum) == point


@pytest.mark.parametrize(
    "point",
    [
        (53.48, 122.37),
        (48.36, 134.73),
        (40.05, 124.38),
        (22.30, 114.17),
        (25.03, 121.56),
        (16.83, 112.34),
        (21.54, 107.97),
        (21.46, 101.56),
        (30.29, 81.17),
        (39.47, 75.99),
        (43.65, 111.97),
    ],
    ids=[
        "Mohe", "Fuyuan", "Dandong", "Hong Kong", "Taipei", "Sansha",
        "Dongxing", "Mengla", "Burang", "Kashgar", "Erenhot",
    ],
)  # fmt: skip
def test_every_corner_of_china_is_moved_by_its_tag(point: tuple[float, float]) -> None:
    assert metres_between(to_wgs84(*point, Datum.GCJ02), point) > 100
    assert metres_between(to_wgs84(*point, Datum.BD09), point) > 300


def test_no_place_of_the_list_is_taken_for_abroad() -> None:
    with (resources.files("services.lead_intake") / "data" / "cn_places.csv").open(encoding="utf-8") as lines:
        points = [(float(row["lat"]), float(row["lon"])) for row in csv.DictReader(lines) if row["lat"]]

    assert points
    assert not any(certainly_abroad(*point) for point in points)


def test_a_chinese_datum_at_the_pole_is_refused() -> None:
    with pytest.raises(ValueError, match="far from China"):
        to_wgs84(90, 0, Datum.GCJ02)
