"""Places by code, Chinese name or pinyin; what is ambiguous is said, what is unknown is not refused."""

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.places import Ambiguous, load_places
from shared.vocabulary import Accuracy

PLACES = load_places()
with (resources.files("services.lead_intake") / "data" / "cn17_districts.csv").open(encoding="utf-8") as _lines:
    ROWS = list(csv.DictReader(_lines))
DISTRICTS = [row for row in ROWS if row["district"]]


def test_the_list_has_the_seventeen_cities_and_all_their_districts() -> None:
    assert len({row["city"] for row in ROWS}) == 17
    assert len(DISTRICTS) == 192


@given(st.sampled_from(ROWS))
def test_every_code_is_found(row: dict[str, str]) -> None:
    known = PLACES.by_adcode(row["adcode"])

    assert known is not None
    assert (known.city, known.district) == (row["city"], row["district"])


@given(st.sampled_from(DISTRICTS), st.sampled_from(["full", "pinyin", "pinyin with suffix", "short city"]))
def test_every_district_is_found_by_its_names(row: dict[str, str], spelling: str) -> None:
    city, district = {
        "full": (row["city"], row["district"]),
        "pinyin": (row["city_pinyin"].title(), row["district_pinyin"].title()),
        "pinyin with suffix": (row["city_pinyin"] + " City", row["district_pinyin"] + " District"),
        "short city": (row["city"].removesuffix("市"), row["district"]),
    }[spelling]

    known = PLACES.by_name(city, district)

    assert known is not None
    assert known.city == row["city"]
    homonyms = [
        r["adcode"] for r in DISTRICTS if r["city"] == row["city"] and r["district_pinyin"] == row["district_pinyin"]
    ]
    assert known.adcode in homonyms


def test_names_without_their_ending_are_found() -> None:
    known = PLACES.by_name("苏州", "虎丘")

    assert known is not None
    assert known.adcode == "320505"


def test_a_name_that_two_cities_have_is_ambiguous_without_a_city() -> None:
    with pytest.raises(Ambiguous, match=r"石家庄市长安区 \(130102\), 西安市长安区 \(610116\)"):
        PLACES.by_name(None, "长安区")


def test_the_city_settles_an_ambiguous_name() -> None:
    known = PLACES.by_name("Xi'an", "Chang'an")

    assert known is not None
    assert known.adcode == "610116"


def test_a_district_without_a_point_is_at_its_citys_centre_and_says_so() -> None:
    district, city = PLACES.by_adcode("320508"), PLACES.by_adcode("320500")

    assert district is not None
    assert city is not None
    assert (district.district, district.accuracy) == ("姑苏区", Accuracy.CITY)
    assert (district.lat, district.lon) == (city.lat, city.lon)


def test_a_development_zone_is_its_city() -> None:
    known = PLACES.by_name("苏州市", "工业园区")

    assert known is not None
    assert (known.adcode, known.accuracy) == ("320500", Accuracy.CITY)
    assert PLACES.by_adcode("320571") == known


def test_a_district_of_another_city_does_not_win_over_the_city_that_was_said() -> None:
    known = PLACES.by_name("天津", "姑苏区")

    assert known is not None
    assert known.adcode == "120000"


@pytest.mark.parametrize(("city", "district"), [("拉萨市", None), ("Lhasa", "Chengguan"), (None, "城关区")])
def test_a_place_outside_the_list_is_unknown(city: str | None, district: str | None) -> None:
    assert PLACES.by_name(city, district) is None
    assert PLACES.by_adcode("540102") is None


def test_a_district_is_found_in_a_street() -> None:
    known = PLACES.in_text("苏州", "江苏省苏州市虎丘区某路1号")

    assert known is not None
    assert known.adcode == "320505"
