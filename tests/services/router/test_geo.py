import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.geo import SEMI_MAJOR_AXIS_M, chord_m, ecef_m, lat_lon_deg, surface_mm

points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def metres(one: tuple[float, float], two: tuple[float, float]) -> float:
    a, b = ecef_m([one[0], two[0]], [one[1], two[1]])
    return float(surface_mm(np.linalg.norm(a - b))) / 1000


def test_a_point_on_the_equator_is_one_axis_from_the_centre() -> None:
    assert ecef_m([0], [0]).tolist() == [[SEMI_MAJOR_AXIS_M, 0, 0]]


@pytest.mark.parametrize(
    ("one", "two", "expected_m"),
    [
        # Lengths of one degree on WGS-84: along the equator a * pi / 180; along a meridian by its arc integral.
        ((0.0, 0.0), (0.0, 1.0), 111_319.491),
        ((0.0, 0.0), (1.0, 0.0), 110_574.389),
        ((89.0, 0.0), (90.0, 0.0), 111_693.865),
        ((44.5, 7.0), (45.5, 7.0), 111_131.778),
    ],
)
def test_one_degree_is_as_long_as_the_ellipsoid_says(
    one: tuple[float, float], two: tuple[float, float], expected_m: float
) -> None:
    assert metres(one, two) == pytest.approx(expected_m, abs=0.05)


def test_the_two_names_of_the_antimeridian_are_one_place() -> None:
    assert metres((18.2, 180.0), (18.2, -180.0)) == 0
    assert metres((18.2, 179.9995), (18.2, -179.9995)) < 110


def test_every_longitude_meets_at_the_pole() -> None:
    assert metres((90.0, 12.0), (90.0, -140.0)) == 0


def test_antipodes_count_as_half_a_turn() -> None:
    assert metres((0.0, 0.0), (0.0, 180.0)) == pytest.approx(20_015_114, abs=5)


@given(points, points)
def test_distance_is_symmetric_and_never_negative(one: tuple[float, float], two: tuple[float, float]) -> None:
    assert metres(one, two) == metres(two, one) >= 0


@given(st.lists(points, min_size=1, max_size=40))
def test_one_point_alone_gives_the_bits_that_it_gives_among_others(batch: list[tuple[float, float]]) -> None:
    together = ecef_m([lat for lat, _ in batch], [lon for _, lon in batch])

    alone = np.concatenate([ecef_m([lat], [lon]) for lat, lon in batch])

    assert np.array_equal(together, alone)


@given(st.floats(0, 20_000_000))
def test_a_chord_leads_back_to_its_metres_along_the_ground(ground_m: float) -> None:
    assert int(surface_mm(chord_m(ground_m))) / 1000 == pytest.approx(ground_m, abs=0.002)


@given(points, st.floats(-5_000, 5_000))
def test_a_point_under_or_over_the_ground_has_the_coordinates_of_its_plumb_line(
    point: tuple[float, float], height_m: float
) -> None:
    lat, lon = np.radians(point)
    [ground] = ecef_m([point[0]], [point[1]])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    [found] = lat_lon_deg((ground + height_m * up)[None, :])
    assert metres(point, (float(found[0]), float(found[1]))) < 0.002
