"""What answers decide: one place, several that are told, or nothing; and which leads are asked about at all."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.draft import Draft
from services.lead_intake.geocoding.judging import NOTHING, judge
from services.lead_intake.geocoding.port import Found, Question
from services.lead_intake.nearness import distance_m
from services.lead_intake.sources.json import read_json
from shared.vocabulary import Accuracy, Datum
from tests.services.lead_intake.builders import accept, draft, lead_json

LHASA = Found(29.65, 91.11, Accuracy.POINT, "拉萨市城关区", "540102", Datum.GCJ02)
BESIDE = Found(29.66, 91.12, Accuracy.POINT, "拉萨市城关区", "540102", Datum.GCJ02)
NYINGCHI = Found(29.64, 94.36, Accuracy.CITY, "林芝市", "540400", Datum.GCJ02)
NANJING = Found(32.06, 118.77, Accuracy.POINT, "南京市鼓楼区", "320106", Datum.GCJ02)
GULOU = ("320106", "320302", "350102", "410204")


def question(**location: Any) -> Question | None:
    return accept(draft(location=location)).question


def test_one_answer_is_the_place_in_the_datum_that_it_came_in() -> None:
    place = judge([LHASA]).place

    assert place is not None
    assert (place.lat, place.lon, place.accuracy) == (29.65, 91.11, Accuracy.POINT)
    assert (place.adcode, place.given_datum) == ("540102", Datum.GCJ02)


def test_answers_near_each_other_are_their_middle_and_claim_less() -> None:
    place = judge([LHASA, BESIDE]).place

    assert place is not None
    assert (place.lat, place.accuracy) == (29.655, Accuracy.DISTRICT)


def test_answers_far_apart_decide_nothing_and_are_told() -> None:
    judged = judge([LHASA, NYINGCHI, NYINGCHI])

    assert judged.place is None
    assert list(map(str, judged.candidates)) == ["@29.65,91.11 拉萨市城关区", "@29.64,94.36 林芝市"]


def test_an_answer_in_another_province_than_the_words_name_is_none() -> None:
    assert judge([LHASA], province="32") == NOTHING
    assert judge([LHASA, NANJING], province="54") == judge([LHASA])


def test_no_answer_changes_nothing() -> None:
    assert judge([]) == judge([], GULOU) == NOTHING


def test_among_several_meanings_a_house_in_one_of_them_decides() -> None:
    place = judge([NANJING], GULOU).place

    assert place is not None
    assert place.adcode == "320106"


@pytest.mark.parametrize(
    "found",
    [
        Found(32.06, 118.77, Accuracy.DISTRICT, "南京市鼓楼区", "320106", Datum.GCJ02),
        LHASA,
        Found(32.06, 118.77, Accuracy.CITY, "Nanjing"),
    ],
    ids=["only the district that was named", "in none of them", "only a city"],
)
def test_among_several_meanings_the_services_pick_of_a_name_decides_nothing(found: Found) -> None:
    assert judge([found], GULOU) == NOTHING


@given(
    st.lists(
        st.builds(Found, st.floats(20, 40), st.floats(100, 120), st.sampled_from(Accuracy), st.text(max_size=5)),
        max_size=5,
    )
)
def test_a_place_is_never_farther_from_any_answer_than_it_claims(found: list[Found]) -> None:
    place = judge(found).place

    limits = {Accuracy.POINT: 310, Accuracy.DISTRICT: 10_010, Accuracy.CITY: 30_010}
    for one in found if place else ():
        assert place is not None
        assert distance_m(place.lat, place.lon, one.lat, one.lon) <= limits[place.accuracy]


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ({"city": "拉瓦市"}, Question("拉瓦市", "拉瓦市")),
        ({"text": "拉瓦市某路1号 850000"}, Question("拉瓦市某路1号")),
        ({"text": "某路1号", "postal_code": "850000"}, Question("某路1号")),
        (
            {"province": "西藏", "city": "拉瓦", "text": "拉瓦某路1号"},
            Question("西藏自治区拉瓦某路1号", "拉瓦", "54"),
        ),
        ({"province": "CN-XZ", "city": "拉瓦市"}, Question("西藏自治区拉瓦市", "拉瓦市", "54")),
        ({"text": "西藏自治区拉瓦市某路1号"}, Question("西藏自治区拉瓦市某路1号", province="54")),
        ({"text": "海南某州某县"}, Question("海南某州某县")),
        ({"text": "Some Road 1", "city": "Lawa"}, Question("Lawa, Some Road 1", "Lawa")),
        ({"text": "鼓楼区"}, Question("鼓楼区")),
    ],
)
def test_what_the_lists_do_not_settle_is_asked_in_the_words_of_the_location(
    location: dict[str, str], asked: Question
) -> None:
    assert question(**location) == asked


@pytest.mark.parametrize(
    "location",
    [
        {"text": "苏州市吴江区"},
        {"text": "苏州市南京路1号"},
        {"city": "苏州", "district": "工业园区"},
        {"text": "江苏省"},
        {"province": "江苏", "city": "西安"},
        {"postal_code": "215000"},
        {"text": "215000"},
        {"adcode": "540102"},
        {"plus_code": "8J22+22 Atlantis"},
        {"lat": 29.6, "lon": 91.1, "datum": "wgs84"},
        {"text": "拉瓦市某路1号 电话13800138000"},
        {"text": "拉瓦市 me@example.com"},
    ],
    ids=[
        "listed",
        "in a listed city",
        "unlisted district",
        "a whole province",
        "a contradiction",
        "a code alone",
        "a text that is a code",
        "an official code",
        "a plus code",
        "a point",
        "a phone among the words",
        "an address among the words",
    ],
)
def test_what_is_settled_or_wrong_or_personal_is_asked_of_nobody(location: dict[str, Any]) -> None:
    assert question(**location) is None


@given(
    st.fixed_dictionaries(
        {"text": st.text("拉瓦市路号省0123456789@ -+abc", min_size=1, max_size=60)},
        optional={"city": st.text(min_size=1, max_size=20), "province": st.sampled_from(["JS", "西藏", "海南", "??"])},
    )
)
def test_no_question_holds_a_phone_number_or_an_address(location: dict[str, str]) -> None:
    item = read_json(orjson.dumps(lead_json(location=location)))
    asked = accept(item).question if isinstance(item, Draft) else None

    assert asked is None or (asked.text and not re.search(r"@|\d{7}", asked.text))
