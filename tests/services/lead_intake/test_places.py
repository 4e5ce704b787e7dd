"""Places by code, Chinese name or pinyin; what is ambiguous is named, what is unknown is not refused."""

import csv
from importlib import resources
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.place_names import stem
from services.lead_intake.place_text import read_place
from services.lead_intake.places import (
    CENTRE_USED,
    CONTRADICTION,
    MOST_CANDIDATES,
    NOT_LISTED,
    PROVINCE_ONLY,
    PROVINCE_UNKNOWN,
    Answer,
    load_places,
)
from services.lead_intake.traditional import simplified
from services.lead_intake.units import KnownPlace
from shared.vocabulary import Accuracy

PLACES = load_places()


def rows_of(name: str) -> list[dict[str, str]]:
    with (resources.files("services.lead_intake") / "data" / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


ROWS = rows_of("cn_places.csv")
FORMER = rows_of("cn_former.csv")
DISTRICTS = [row for row in ROWS if row["district"]]


def named(city: str | None, district: str | None = None, province: str | None = None) -> Answer:
    return PLACES.named(province, city, district)


def place(city: str | None, district: str | None = None, province: str | None = None) -> KnownPlace:
    known = named(city, district, province).place
    assert known is not None
    return known


def test_the_list_has_every_city_and_district_of_the_mainland_and_the_two_regions() -> None:
    """The Ministry's list of 2026: 31 provinces, 333 prefectures, 2,847 county-level units; and Hong Kong, Macau."""
    municipalities = {row["province"] for row in ROWS if row["city"] == row["province"] and row["adcode"] < "81"}
    prefectures = [row for row in ROWS if not row["district"] and row["adcode"].endswith("00")]
    below = [row for row in ROWS if not row["adcode"].endswith("00")]

    assert municipalities == {"北京市", "天津市", "上海市", "重庆市"}
    assert len([row for row in prefectures if not row["adcode"].endswith("0000")]) == 333
    assert len(below) == 2847
    assert len({row["province"] for row in ROWS if row["adcode"] < "70"}) == 31
    assert {row["city"] for row in ROWS if row["adcode"] > "70"} == {"香港特别行政区", "澳门特别行政区"}
    assert len({row["adcode"] for row in ROWS}) == len(ROWS)


def test_every_city_has_a_point_and_most_districts_have_one() -> None:
    without = [row for row in ROWS if not row["lat"]]

    assert not [row for row in without if not row["district"]]
    assert len(without) == 269
    assert all(18 < float(row["lat"]) < 54 or row["province"] == "海南省" for row in ROWS if row["lat"])


@given(st.sampled_from(ROWS))
def test_every_code_is_found(row: dict[str, str]) -> None:
    known = PLACES.by_adcode(row["adcode"])

    assert known is not None
    assert (known.city, known.district) == (row["city"], row["district"])


@given(st.sampled_from(DISTRICTS), st.sampled_from(["full", "pinyin", "pinyin with suffix", "short city"]))
def test_every_district_is_found_by_its_names(row: dict[str, str], spelling: str) -> None:
    home = next(other for other in ROWS if other["city"] == row["city"] and not other["district"])
    city_pinyin, pinyin = home["pinyin"].split("|")[0], row["pinyin"].split("|")[0]
    city, district = {
        "full": (row["city"], row["district"]),
        "pinyin": (city_pinyin.title(), pinyin.title()),
        "pinyin with suffix": (city_pinyin + _latin_kind(row["city"]), pinyin + _latin_kind(row["district"])),
        "short city": (row["city"].removesuffix("市"), row["district"]),
    }[spelling]

    answer = named(city, district, row["province"])

    # 通化市 has a 东昌区 and a 通化县; 浦口区 has no namesake in Nanjing.
    namesakes = [r["adcode"] for r in DISTRICTS if r["city"] == row["city"] and pinyin in r["pinyin"].split("|")]
    found = [unit.adcode for unit in ([answer.place] if answer.place else answer.candidates)]
    if spelling in ("full", "short city") or (len(namesakes) == 1 and pinyin != city_pinyin):
        assert found == [row["adcode"]]
    else:
        assert row["adcode"] in found or found == [home["adcode"]]


def _latin_kind(name: str) -> str:
    kinds = {"市": " City", "区": " District", "县": " County", "旗": " Banner", "州": " Prefecture", "盟": " League"}
    return " Prefecture" if name.endswith("地区") else kinds[name[-1]]


@pytest.mark.parametrize("row", [row for row in ROWS if not row["district"]], ids=lambda row: row["pinyin"])
def test_every_city_is_found_by_its_short_name(row: dict[str, str]) -> None:
    assert place(row["city"].removesuffix("市")).adcode == row["adcode"]
    assert place(row["pinyin"].split("|")[0], None, row["province"]).adcode == row["adcode"]


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


@pytest.mark.parametrize(
    "province", ["Jiangsu", "江苏省", "江苏", "江蘇", "苏", "JS", "CN-JS", "32", "320000", "Jiangsu Province"]
)
def test_the_province_settles_which_suzhou(province: str) -> None:
    assert place("Suzhou", None, province).adcode == "320500"


def test_a_district_settles_which_suzhou() -> None:
    assert place("Suzhou", "Wujiang").adcode == "320509"


def test_the_other_suzhou_is_a_place_too() -> None:
    assert place("Suzhou", None, "Anhui").adcode == "341300"
    assert PLACES.by_adcode("341300") == place("宿州市")


def test_a_city_in_another_province_is_a_contradiction() -> None:
    assert named("西安", None, "江苏") == Answer(remark=CONTRADICTION)


def test_a_province_that_is_not_known_settles_nothing() -> None:
    assert named("苏州", None, "Texas") == Answer(remark=PROVINCE_UNKNOWN)
    assert named(None, None, "江苏") == Answer(remark=PROVINCE_ONLY)


def test_a_word_for_the_kind_must_fit_unless_the_city_is_known() -> None:
    assert named("Xian County").place is None
    assert place("温州", "乐清县").adcode == "330382"
    assert named(None, "龙泉县").place is None


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


@pytest.mark.parametrize(("city", "district"), [("台北市", None), ("Springfield", "Downtown"), (None, "东京区")])
def test_a_place_outside_the_list_is_unknown(city: str | None, district: str | None) -> None:
    assert named(city, district) == Answer(remark=NOT_LISTED)
    assert PLACES.by_adcode("999999") is None


def test_a_city_is_known_by_the_name_that_the_world_calls_it() -> None:
    assert place("Lhasa", "Chengguan").adcode == "540102"
    assert place("Ürümqi").adcode == "650100"
    assert place("Hong Kong").adcode == "810000"


def test_a_district_is_found_in_a_street() -> None:
    assert PLACES.district_in("苏州", "江苏省苏州市虎丘区某路1号") == "虎丘区"
    assert PLACES.district_in("Suzhou", "虎丘区某路1号") == "虎丘区"
    assert PLACES.district_in("南京", "虎丘区某路1号") is None


VARIANTS: dict[str, list[str]] = {}
for _number in range(0x3400, 0xA000):
    if simplified(chr(_number)) != chr(_number):
        VARIANTS.setdefault(simplified(chr(_number)), []).append(chr(_number))
"""Traditional and old forms of each simplified character."""


@given(st.sampled_from(ROWS), st.randoms(use_true_random=False))
def test_a_name_in_traditional_characters_is_the_same_place(row: dict[str, str], chance: Random) -> None:
    written = [
        "".join(chance.choice(VARIANTS.get(letter, [letter])) for letter in row[field])
        for field in ("province", "city", "district")
    ]

    assert PLACES.named(written[0], written[1], written[2] or None) == Answer(PLACES.by_adcode(row["adcode"]))


def test_whatever_is_offered_can_be_chosen() -> None:
    """Of every name, stem and pinyin that the lists have, as a field and as a text."""
    names = {
        spelling
        for row in ROWS
        for name in (row["district"] or row["city"],)
        for spelling in (name, stem(name), *row["pinyin"].split("|"))
    } | {spelling for row in FORMER for spelling in (row["name"], stem(row["name"]), row["pinyin"]) if spelling}
    answers = [answer for name in names for answer in (named(name), named(None, name), read_place(name, PLACES))]
    answers += [PLACES.coded(row["adcode"]) for row in FORMER]

    offered = {unit for answer in answers for unit in answer.candidates}

    assert len(offered) > 500
    assert all(PLACES.coded(unit.adcode) == Answer(unit) for unit in offered)
    assert max(len(answer.candidates) for answer in answers) < MOST_CANDIDATES


@pytest.mark.parametrize(
    "filler",
    [
        *(
            "市辖区",
            "市轄區",
            "县",
            "区",
            "市辖县",
            "省直辖县级行政区划",
            "自治区直辖县级行政区划",
            "直辖",
            "省直辖",
            "市区",
        ),
        *(
            "-",
            "--",
            "/",
            ".",
            "无",
            "其他",
            "其它区",
            "其他區",
            "暂无",
            "请选择",
            "请选择…",
            "N/A",
            "none",
            "NULL",
            "0",
            "全部",
        ),
    ],
)
def test_what_only_fills_a_field_counts_as_absent_wherever_it_stands(filler: str) -> None:
    assert place(filler, "河西区", "天津市").adcode == "120103"
    assert place("天津市", filler, filler).adcode == "120000"
    assert place("苏州", "吴江区", filler).adcode == "320509"
    assert named("苏州", filler) == Answer(PLACES.by_adcode("320500"))
    assert named(filler, filler, filler) == Answer(remark=NOT_LISTED)


@pytest.mark.parametrize(
    ("province", "city", "district", "adcode"),
    [
        ("重庆市", "县", "城口县", "500229"),
        ("重庆市", "重庆郊县", "城口县", "500229"),
        ("北京市", "北京城区", "朝阳区", "110105"),
        ("湖北省", "省直辖县级行政区划", "仙桃市", "429004"),
        ("湖北省", "仙桃市", None, "429004"),
        ("新疆维吾尔自治区", "自治区直辖县级行政区划", "石河子市", "659001"),
        ("海南", "直辖县", "定安", "469021"),
        ("广东", "东莞市", "市辖区", "441900"),
        ("云南省", "大理州", "大理市", "532901"),
        ("Yunnan", "Xishuangbanna Dai Autonomous Prefecture", None, "532800"),
        ("Yunnan", "Dali Bai Autonomous Prefecture", "Yangbi Yi Autonomous County", "532922"),
        ("Hubei", "Enshi Tujia and Miao Autonomous Prefecture", None, "422800"),
        ("Yunnan", "Xishuangbanna Autonomous Prefecture", "Jinghong", "532801"),
        ("Inner Mongolia", "Xilingol League", None, "152500"),
        ("内蒙古", "鄂尔多斯", "鄂托克旗", "150624"),
        ("北京", None, "亦庄", "110000"),
        ("深圳市", "深圳市", "南山区", "440305"),
        ("粤", "深圳", None, "440300"),
        ("内蒙", "呼和浩特", "新城区", "150102"),
        ("香港", None, "油尖旺区", "810000"),
    ],
)
def test_every_kind_of_unit_is_found(province: str, city: str | None, district: str | None, adcode: str | None) -> None:
    answer = named(city, district, province)

    assert (answer.place.adcode if answer.place else None) == adcode


@pytest.mark.parametrize(
    ("name", "adcodes"),
    [
        ("崇文区", ["110101"]),
        ("宣武区", ["110102"]),
        ("下关区", ["320106"]),
        ("闸北区", ["310106"]),
        ("南市区", ["130606", "310101"]),
        ("上虞市", ["330604"]),
        ("吴江市", ["320509"]),
        ("襄樊市", ["420600"]),
        ("襄樊", ["420600"]),
        ("Xiangfan", ["420600"]),
        ("思茅地区", ["530800"]),
        ("巢湖市", ["340181"]),
        ("莱芜市", ["370116", "370117"]),
        ("莱芜", ["370116"]),
        ("下城区", ["330105"]),
        ("塘沽区", ["120116"]),
        ("達縣", ["511703"]),
        ("江北区", ["330205", "500157"]),
        ("海东地区", ["630200"]),
    ],
)
def test_a_former_name_is_what_stands_for_it_today(name: str, adcodes: list[str]) -> None:
    for answer in (named(name), named(None, name)):
        assert [unit.adcode for unit in ([answer.place] if answer.place else answer.candidates)] == adcodes


def test_a_former_name_inside_its_city_is_certain() -> None:
    assert place("上海", "南市区").adcode == "310101"
    assert place("重庆", "江北区").adcode == "500157"
    assert place("莱芜市", "钢城区").adcode == "370117"
    assert place("莱芜", "钢城区", "山东").adcode == "370117"
    assert place("巢湖市", "庐江县", "安徽").adcode == "340124"
    assert [unit.adcode for unit in named("石家庄", "桥东区").candidates] == ["130102", "130104"]
    assert place("北京", "Chongwen").adcode == "110101"


@given(st.sampled_from(FORMER))
def test_every_former_code_leads_to_places_of_today(row: dict[str, str]) -> None:
    answer = PLACES.coded(row["adcode"])

    assert answer.place or answer.candidates
    assert row["now"].split("|")[0] in {unit["adcode"] for unit in ROWS} | {"710000"}


def test_a_former_code_is_its_successor_or_asks_which() -> None:
    assert PLACES.by_adcode("320584") == PLACES.by_adcode("320509")
    assert PLACES.by_adcode("310108") == PLACES.by_adcode("310106")
    assert PLACES.by_adcode("110100") == PLACES.by_adcode("110000")
    assert [unit.adcode for unit in PLACES.coded("341400").candidates] == ["340100", "340200", "340500"]


def test_a_city_called_as_a_province_is_not_mistaken_for_it() -> None:
    assert place("吉林").adcode == "220200"
    assert place("海南", None, "青海").adcode == "632500"
    assert [unit.adcode for unit in named("海南").candidates] == ["632500"]
    assert "the whole of 海南省" in named("海南").remark
