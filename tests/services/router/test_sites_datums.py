"""Network files in every datum, CSV and GeoJSON: one point on earth, whichever map its numbers come from."""

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.sites import NetworkFile, read_csv, read_geojson
from services.router.sites.site import Site
from shared.datum import from_wgs84
from shared.vocabulary import Datum
from tests.shared.test_datum import INNER_CHINA, metres_between

CENTIMETRE_DEGREES = 1e-7
"""Sites are kept to seven decimals."""

# One point as three independent converters give it.
PUBLISHED = {
    Datum.WGS84: (31.1774276, 121.5272106),
    Datum.GCJ02: (31.1753040, 121.5315419),
    Datum.BD09: (31.1813286, 121.5380157),
}


def as_csv(lat: float, lon: float, datum: str) -> NetworkFile:
    return read_csv(
        "site_id,name,kind,city,lat,lon,datum,capabilities\n"
        f"one,One,agent_store,Shanghai,{lat!r},{lon!r},{datum},sales\n"
    )


def as_geojson(lat: float, lon: float, datum: str) -> NetworkFile:
    properties = {"site_id": "one", "name": "One", "kind": "agent_store", "city": "Shanghai", "capabilities": "sales"}
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": properties | {"datum": datum},
    }
    return read_geojson(json.dumps({"type": "FeatureCollection", "features": [feature]}))


Reader: TypeAlias = Callable[[float, float, str], NetworkFile]
READERS = pytest.mark.parametrize("read", [as_csv, as_geojson])


def only(file: NetworkFile) -> Site:
    assert file.bad == ()
    [site] = file.sites
    return site


@READERS
@pytest.mark.parametrize("datum", Datum)
def test_a_published_point_is_one_site_in_every_datum(read: Reader, datum: Datum) -> None:
    site = only(read(*PUBLISHED[datum], datum))

    assert site.datum is datum
    assert metres_between((site.lat, site.lon), PUBLISHED[Datum.WGS84]) < 0.02


@READERS
@given(point=INNER_CHINA, datum=st.sampled_from(Datum))
def test_a_site_is_kept_to_the_last_decimal(read: Reader, point: tuple[float, float], datum: Datum) -> None:
    site = only(read(*from_wgs84(*point, datum), datum))

    assert abs(site.lat - point[0]) <= CENTIMETRE_DEGREES
    assert abs(site.lon - point[1]) <= CENTIMETRE_DEGREES


@READERS
@pytest.mark.parametrize("datum", Datum)
def test_a_site_abroad_is_not_moved(read: Reader, datum: Datum) -> None:
    site = only(read(37.566, 126.978, datum))

    assert (site.lat, site.lon) == (37.566, 126.978)


@READERS
def test_a_site_without_a_datum_is_refused(read: Reader) -> None:
    [bad] = read(31.3, 120.6, "").bad

    assert (bad.field, "never guessed" in bad.reason) == ("datum", True)
