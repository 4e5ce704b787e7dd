"""Places by code, Chinese name or pinyin; what is ambiguous is named, what is unknown is not refused."""

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.places import (
    CENTRE_USED,
    CONTRADICTION,
    NOT_LISTED,
    PROVINCE_ONLY,
    PROVINCE_UNKNOWN,
    Answer,
    KnownPlace,
    load_places,
)
from shared.vocabulary import Accuracy

PLACES = load_places()
with (resources.files("services.lead_intake") / "data" / "cn17_districts.csv").open(encoding="utf-8") as _lines:
    ROWS = list(csv.DictReader(_lines))
DISTRICTS = [row for row in ROWS if row["district"]]


def named(city: str | None, district: str | None = None, province: str | None = None) -> Answer:
    return PLACES.named(province, city, district)


def place(city: str | None, district: str | None = None, province: str | None = None) -> KnownPlace:
    known = named(city, district, province).place
    assert known is not None
    return known


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

    answer = named(city, district, row["province"])

    namesakes = [
        r["adcode"] for r in DISTRICTS if r["city"] == row["city"] and r["district_pinyin"] == row["district_pinyin"]
    ]
    expected = [row["adcode"]] if len(namesakes) == 1 or spelling in ("full", "short city") else namesakes
    assert [unit.adcode for unit in ([answer.place] if answer.place else answer.candidates)] == expected


@pytest.mark.parametrize("row", [row for row in ROWS if not row["district"]], ids=lambda row: row["city_pinyin"])
def test_every_city_is_found_by_its_short_name(row: dict[str, str]) -> None:
    assert place(row["city"].removesuffix("市")).adcode == row["adcode"]
    assert place(row["city_pinyin"], None, row["province"]).adcode == row["adcode"]


def test_a_name_that_two_cities_have_is_ambiguous_without_a_city() -> None:
    answer = named(None, "长安区")

    assert answer.place is None
    assert [(unit.name, unit.adcode) for unit in answer.candidates] == [
        ("石家庄市长安区", "130102"),
        ("西安市长安区", "610116"),
    ]
    assert "石家庄市长安区 (130102), 西安市长安区 (610116)" in answer.remark


def test_the_city_settles_an_ambiguous_name() -> None:
    assert place("Xi'an", "Chang'an").adcode == "610116"


def test_a_namesake_outside_the_list_counts_too() -> None:
    assert [unit.name for unit in named(None, "鼓楼区").candidates] == [
        "南京市鼓楼区",
        "徐州市鼓楼区",
        "福州市鼓楼区",
        "开封市鼓楼区",
    ]
    assert [unit.name for unit in named("Suzhou").candidates] == ["苏州市", "宿州市"]


@pytest.mark.parametrize("province", ["Jiangsu", "江苏省", "江苏", "JS", "CN-JS", "32", "320000", "Jiangsu Province"])
def test_the_province_settles_which_suzhou(province: str) -> None:
    assert place("Suzhou", None, province).adcode == "320500"


def test_a_district_settles_which_suzhou() -> None:
    assert place("Suzhou", "Wujiang").adcode == "320509"


def test_the_other_suzhou_is_not_served() -> None:
    assert named("Suzhou", None, "Anhui") == Answer(remark=NOT_LISTED)


def test_a_city_in_another_province_is_a_contradiction() -> None:
    assert named("西安", None, "江苏") == Answer(remark=CONTRADICTION)


def test_a_province_that_is_not_known_settles_nothing() -> None:
    assert named("苏州", None, "Texas") == Answer(remark=PROVINCE_UNKNOWN)
    assert named(None, None, "江苏") == Answer(remark=PROVINCE_ONLY)


def test_a_word_for_the_kind_must_fit_unless_the_city_is_known() -> None:
    assert named("Xian County").place is None
    assert place("苏州", "吴江市").adcode == "320509"
    assert named(None, "吴江市").place is None


def test_a_city_is_not_mistaken_for_a_district_elsewhere_of_its_name() -> None:
    assert place("西安").adcode == "610100"
    assert [unit.name for unit in named(None, "西安区").candidates] == ["辽源市西安区", "牡丹江市西安区"]


def test_a_county_level_city_is_found_as_a_city() -> None:
    assert place("昆山").adcode == "320583"


def test_a_district_without_a_point_is_at_its_citys_centre_and_says_so() -> None:
    district, city = PLACES.by_adcode("320508"), PLACES.by_adcode("320500")

    assert district is not None
    assert city is not None
    assert (district.district, district.accuracy) == ("姑苏区", Accuracy.CITY)
    assert (district.lat, district.lon) == (city.lat, city.lon)


def test_a_development_zone_is_its_city() -> None:
    answer = named("苏州市", "工业园区")

    assert answer.place is not None
    assert (answer.place.adcode, answer.place.accuracy, answer.remark) == ("320500", Accuracy.CITY, CENTRE_USED)
    assert PLACES.by_adcode("320571") == answer.place


def test_a_district_of_another_city_does_not_win_over_the_city_that_was_said() -> None:
    assert place("天津", "姑苏区").adcode == "120000"


@pytest.mark.parametrize(("city", "district"), [("拉萨市", None), ("Lhasa", "Chengguan"), (None, "城关区")])
def test_a_place_outside_the_list_is_unknown(city: str | None, district: str | None) -> None:
    assert named(city, district) == Answer(remark=NOT_LISTED)
    assert PLACES.by_adcode("540102") is None


def test_a_namesakes_code_is_no_place_of_the_list() -> None:
    assert PLACES.by_adcode("320302") is None
    assert PLACES.by_adcode("341300") is None


def test_a_district_is_found_in_a_street() -> None:
    assert PLACES.district_in("苏州", "江苏省苏州市虎丘区某路1号") == "虎丘区"
    assert PLACES.district_in("Suzhou", "虎丘区某路1号") == "虎丘区"
    assert PLACES.district_in("南京", "虎丘区某路1号") is None
