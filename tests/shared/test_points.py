"""What is no position, and what stands in the wrong order; real places are never taken for either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datum import certainly_abroad, from_wgs84
from shared.points import is_point, look_swapped, no_position
from shared.vocabulary import Datum


@pytest.mark.parametrize(
    "point",
    [
        (0, 0),
        (-0.0, 0.0),
        (0.00001, -0.00003),
        (1e-9, 0),
        (0.006, 0.0065),
        (1, 1),
        (-1, -1),
        (0, 120.6),
        (31.3, 0),
        (90, 180),
        (-90, -180),
        (90, 0),
        (-90, 120.6),
    ],
)
def test_what_an_empty_field_becomes_is_no_position(point: tuple[float, float]) -> None:
    assert no_position(*point)
    assert not is_point(*point)


@given(st.sampled_from(Datum))
def test_the_dummy_is_known_in_every_datum(datum: Datum) -> None:
    assert no_position(*from_wgs84(0.0, 0.0, datum))


@pytest.mark.parametrize("point", [(5.6, -0.2), (0.39, 9.45), (0.34, 6.73), (1.29, 103.85), (51.48, -0.0015)])
def test_towns_near_zero_are_places(point: tuple[float, float]) -> None:
    """Accra, Libreville, Sao Tome, Singapore, Greenwich."""
    assert is_point(*point)


@given(st.floats(18.1, 53.6), st.floats(73.5, 134.8))
def test_china_in_the_other_order_is_seen_and_in_the_right_one_is_not(lat: float, lon: float) -> None:
    if certainly_abroad(lat, lon):
        return
    assert look_swapped(lon, lat)
    assert not look_swapped(lat, lon)


@pytest.mark.parametrize("point", [(91, 120), (37.566, 126.978), (-33.9, 151.2), (78.2, 15.6), (200, 31)])
def test_what_is_elsewhere_or_nowhere_is_not_called_swapped(point: tuple[float, float]) -> None:
    assert not look_swapped(*point)
