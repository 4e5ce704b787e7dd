"""Points are named by the network's own cities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.gaps.places import DISTRICT_REACH_KM, NO_NETWORK, Place, places_of
from services.router.sites import Site
from shared.vocabulary import SiteKind, SiteStatus
from tests.services.router.networks import site


def named(site_id: str, city: str, district: str, lat: float, lon: float) -> Site:
    """A site of a city that has begun to recruit."""
    plain = site(site_id, lat, lon, kind=SiteKind.AGENT_STORE, capabilities=(), status=SiteStatus.RECRUITING)
    return Site.from_row({**plain.to_row(), "city": city, "district": district})


NETWORK = [named("hf", "Hefei", "Shushan", 31.85, 117.26), named("sz", "Suzhou", "Wuzhong", 31.22, 120.58)]


def place_of(lat: float, lon: float) -> Place:
    [place] = places_of(np.array([(lat, lon)]), NETWORK)
    return place


def test_near_a_site_of_any_status_a_point_is_in_its_district() -> None:
    assert place_of(31.80, 117.30).label == "Hefei Shushan"
    assert place_of(31.30, 120.50).label == "Suzhou Wuzhong"


@pytest.mark.parametrize(
    ("point", "label"),
    [
        ((32.85, 117.26), "about 100 km north of Hefei"),
        ((32.55, 118.10), "about 100 km north-east of Hefei"),
        ((30.22, 120.58), "about 100 km south of Suzhou"),
        ((31.85, 115.70), "about 150 km west of Hefei"),
        ((31.58, 117.04), "about 50 km south-west of Hefei"),
    ],
)
def test_far_from_all_sites_a_point_is_named_by_direction_and_distance(point: tuple[float, float], label: str) -> None:
    assert place_of(*point).label == label


def test_without_a_network_no_point_has_a_name() -> None:
    assert places_of(np.array([(31.0, 120.0), (32.0, 120.0)]), []) == [NO_NETWORK, NO_NETWORK]
    assert places_of(np.empty((0, 2)), NETWORK) == []


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_point_of_the_earth_has_a_place(lat: float, lon: float) -> None:
    place = place_of(lat, lon)
    assert place.city in {"Hefei", "Suzhou"}
    assert (place.beyond_km is None) == bool(place.district)
    assert place.beyond_km is None or place.beyond_km >= DISTRICT_REACH_KM
