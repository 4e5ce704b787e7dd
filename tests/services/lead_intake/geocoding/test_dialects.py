"""Reading what map services answer: points in WGS-84, never finer than said, and nothing that can break the intake."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.geocoding.amap import Amap
from services.lead_intake.geocoding.nominatim import Nominatim
from services.lead_intake.geocoding.port import Dialect, Failure, Found, GeocoderFailed, Question
from services.lead_intake.nearness import distance_m
from shared.datum import from_wgs84
from shared.vocabulary import Accuracy, Datum
from tests.services.lead_intake.geocoding.map_service import amap_answer, amap_failure, geocode, osm_place

AMAP, NOMINATIM = Amap("key"), Nominatim("cn")


def read(dialect: Dialect, document: Any) -> tuple[Found, ...]:
    return dialect.read(orjson.dumps(document))


@given(lat=st.floats(25, 40), lon=st.floats(105, 120))
def test_amaps_point_is_converted_from_gcj02(lat: float, lon: float) -> None:
    gcj_lat, gcj_lon = from_wgs84(lat, lon, Datum.GCJ02)

    [found] = read(AMAP, amap_answer(geocode(round(gcj_lon, 6), round(gcj_lat, 6), "门牌号")))

    assert distance_m(found.lat, found.lon, lat, lon) < 0.2
    assert (found.given, found.adcode, found.name) == (Datum.GCJ02, "540102", "西藏自治区拉萨市城关区")


@pytest.mark.parametrize(
    ("level", "accuracy"),
    [
        ("门牌号", Accuracy.POINT),
        ("兴趣点", Accuracy.POINT),
        ("公交站台、地铁站", Accuracy.POINT),
        ("道路", Accuracy.DISTRICT),
        ("区县", Accuracy.DISTRICT),
        ("市", Accuracy.CITY),
        ("省", None),
        ("国家", None),
        ("未知", None),
        ("a new level", None),
        ([], None),
    ],
)
def test_amaps_level_says_how_accurate_an_answer_is(level: Any, accuracy: Accuracy | None) -> None:
    found = read(AMAP, amap_answer(geocode(91.1, 29.6, level)))

    assert [one.accuracy for one in found] == ([accuracy] if accuracy else [])


def test_amap_ranks_beijing_with_the_provinces_and_it_is_a_city_all_the_same() -> None:
    [beijing] = read(
        AMAP, amap_answer(geocode(116.4, 39.9, "省", "110000", city="北京市", province="北京市", district=[]))
    )

    assert (beijing.accuracy, beijing.name) == (Accuracy.CITY, "北京市")


@pytest.mark.parametrize(
    ("rank", "addresstype", "accuracy"),
    [
        (30, "building", Accuracy.POINT),
        (26, "road", Accuracy.DISTRICT),
        (19, "suburb", Accuracy.DISTRICT),
        (16, "city", Accuracy.CITY),
        (12, "county", Accuracy.CITY),
        (8, "city", Accuracy.CITY),
        (8, "state", None),
        (4, "country", None),
        (None, "city", None),
    ],
)
def test_nominatims_rank_says_how_accurate_an_answer_is(rank: Any, addresstype: str, accuracy: Accuracy | None) -> None:
    found = read(NOMINATIM, [osm_place(91.1, 29.6, rank, addresstype=addresstype)])

    assert [one.accuracy for one in found] == ([accuracy] if accuracy else [])


def test_nominatims_point_is_wgs84_and_its_name_has_no_street() -> None:
    [found] = read(NOMINATIM, [osm_place(91.1234567, 29.6543211, 30)])

    assert (found.lat, found.lon, found.given) == (29.6543211, 91.1234567, Datum.WGS84)
    assert (found.name, found.adcode) == ("Tibet, Lhasa, Chengguan", None)


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.00001, -0.00001), (0.006, 0.0065)])
def test_a_service_that_answers_without_a_position_has_found_nothing(point: tuple[float, float]) -> None:
    assert read(AMAP, amap_answer(geocode(*point, "门牌号"))) == ()
    assert read(NOMINATIM, [osm_place(*point, 30)]) == ()


@pytest.mark.parametrize(
    ("infocode", "failure", "at_once"),
    [
        ("10003", Failure.QUOTA, True),
        ("10044", Failure.QUOTA, True),
        ("40000", Failure.QUOTA, True),
        ("10004", Failure.TOO_FAST, True),
        ("10021", Failure.TOO_FAST, False),
        ("10001", Failure.KEY, True),
        ("10009", Failure.KEY, True),
        ("10016", Failure.SERVER, False),
        ("20003", Failure.SERVER, False),
        ("", Failure.GARBAGE, False),
    ],
)
def test_amaps_failures_are_told_apart(infocode: str, failure: Failure, at_once: bool) -> None:
    with pytest.raises(GeocoderFailed) as failed:
        read(AMAP, amap_failure(infocode))

    assert failed.value.failure is failure
    assert (failed.value.pause_s > 0) == at_once


@pytest.mark.parametrize("infocode", ["30001", "20000", "20012"])
def test_an_address_that_amap_cannot_read_is_no_failure_of_the_service(infocode: str) -> None:
    assert read(AMAP, amap_failure(infocode)) == ()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"status":"1"}', b'{"infocode":"10000","status":"1"}']
)
def test_what_amap_never_says_is_garbage(body: bytes) -> None:
    with pytest.raises(GeocoderFailed, match="garbage"):
        AMAP.read(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": {"code": 400}}', b"3"])
def test_what_nominatim_never_says_is_garbage(body: bytes) -> None:
    with pytest.raises(GeocoderFailed, match="garbage"):
        NOMINATIM.read(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_ODD_GEOCODE = st.fixed_dictionaries(
    {}, optional={name: _JSON | st.just("市") for name in ("level", "location", "adcode", "city")}
) | st.builds(lambda lon, lat: geocode(lon, lat, "市"), st.floats(), st.floats())
_ODD_PLACE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("lat", "lon", "place_rank", "addresstype", "address"), _JSON)
) | st.builds(lambda lon, lat, rank: osm_place(lon, lat, rank), st.floats(), st.floats(), st.integers(0, 30))


@given(geocodes=st.lists(_ODD_GEOCODE | _JSON, max_size=4), places=st.lists(_ODD_PLACE | _JSON, max_size=4))
def test_whatever_stands_in_an_answer_gives_good_points_or_none(geocodes: list[Any], places: list[Any]) -> None:
    for found in (*read(AMAP, amap_answer(*geocodes)), *read(NOMINATIM, places)):
        assert abs(found.lat) <= 90
        assert abs(found.lon) <= 180
        assert found.accuracy in Accuracy


@given(st.binary(max_size=64) | _JSON.map(orjson.dumps))
def test_whatever_a_body_holds_is_read_or_a_named_failure(body: bytes) -> None:
    for dialect in (AMAP, NOMINATIM):
        with suppress(GeocoderFailed):
            assert all(found.accuracy in Accuracy for found in dialect.read(body))


def test_a_question_is_one_address_and_its_city_is_said_once() -> None:
    question = Question("拉萨市某路1号|某路2号", "拉萨市")

    assert AMAP.parameters(question)["address"] == "拉萨市某路1号 某路2号"
    assert AMAP.parameters(question)["city"] == "拉萨市"
    assert NOMINATIM.parameters(question)["q"] == "拉萨市某路1号|某路2号"
    assert NOMINATIM.parameters(Question("Some Road 1", "Lhasa"))["q"] == "Some Road 1, Lhasa"
    assert "countrycodes" not in Nominatim().parameters(question)
    assert "拉萨" not in repr(question)
