"""Places written as one text: what is understood, what is never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_intake.place_text import NOT_UNDERSTOOD, read_place
from services.lead_intake.places import CENTRE_USED, CONTRADICTION, NOT_LISTED, PROVINCE_ONLY, load_places

PLACES = load_places()


@pytest.mark.parametrize(
    ("text", "adcode"),
    [
        ("江苏省苏州市吴中区", "320506"),
        ("江苏省，苏州市，吴中区。", "320506"),
        ("苏州 吴中区", "320506"),
        ("苏州吴中", "320506"),
        ("中国江苏省苏州市吴中区", "320506"),
        ("２１５０００　江苏省　苏州市（吴中区）", "320506"),
        ("Wuzhong District, Suzhou, Jiangsu", "320506"),
        ("Suzhou Wuzhong", "320506"),
        ("WUZHONG QU / SUZHOU SHI", "320506"),
        ("Ｓｕｚｈｏｕ，Ｊｉａｎｇｓｕ，Ｃｈｉｎａ", "320500"),
        ("Sūzhōu Shì, Jiāngsū", "320500"),
        ("Xi An", "610100"),
        ("Chang’an District, Xi’an", "610116"),
        ("长沙", "430100"),
        ("长沙县", "430121"),
        ("长沙市长沙县", "430121"),
        ("重庆市重庆市渝中区", "500103"),
        ("天津河北", "120105"),
        ("Shi Jia Zhuang, Yuhua", "130108"),
        ("江苏省吴江市", "320509"),
        ("昆山", "320583"),
        ("苏州市虎丘区某路1号", "320505"),
        ("Suzhou, Anhui", "341300"),
        ("北京市海淀区", "110108"),
        ("鼓楼区 徐州", "320302"),
        ("天津市市辖区河西区", "120103"),
        ("天津市 市辖区 河西区", "120103"),
        ("天津市市辖区", "120000"),
        ("重庆市县城口县", "500229"),
        ("湖北省省直辖县级行政区划仙桃市", "429004"),
        ("江苏省/苏州市/其他", "320500"),
        ("江蘇省蘇州市吳江區", "320509"),
        ("江苏省 江苏省苏州市 苏州市吴江区", "320509"),
        ("吉林省延边朝鲜族自治州延吉市", "222401"),
        ("延边州延吉", "222401"),
        ("內蒙古自治區錫林郭勒盟錫林浩特市", "152502"),
        ("Yanji, Yanbian Korean Autonomous Prefecture, Jilin Province", "222401"),
        ("北京市崇文区", "110101"),
    ],
)
def test_a_text_without_a_street_is_one_place(text: str, adcode: str) -> None:
    answer = read_place(text, PLACES)

    assert answer.place is not None
    assert (answer.place.adcode, answer.remark) == (adcode, "")


@pytest.mark.parametrize(
    "text", ["江苏省苏州市工业园区", "苏州工业园区", "苏州 工业园区", "苏州市南京路1号", "苏州市 苏州市某园"]
)
def test_what_is_finer_than_the_list_is_the_citys_centre_with_a_remark(text: str) -> None:
    answer = read_place(text, PLACES)

    assert answer.place is not None
    assert (answer.place.adcode, answer.remark) == ("320500", CENTRE_USED)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("鼓楼区", ["南京市鼓楼区", "徐州市鼓楼区", "福州市鼓楼区", "开封市鼓楼区"]),
        ("Chang'an", ["石家庄市长安区", "西安市长安区"]),
        ("Suzhou", ["苏州市", "宿州市", "酒泉市肃州区"]),
        ("Suzhou Industrial Park", ["苏州市", "宿州市", "酒泉市肃州区"]),
        ("江苏 鼓楼", ["南京市鼓楼区", "徐州市鼓楼区"]),
        ("朝阳区", ["北京市朝阳区", "长春市朝阳区"]),
        ("朝陽", ["北京市朝阳区", "朝阳市", "朝阳市朝阳县", "长春市朝阳区"]),
        ("江北区", ["宁波市江北区", "重庆市两江新区"]),
    ],
)
def test_what_may_be_several_places_names_them_and_is_none(text: str, names: list[str]) -> None:
    answer = read_place(text, PLACES)

    assert answer.place is None
    assert [unit.name for unit in answer.candidates] == names


def test_a_whole_province_is_told_and_not_offered() -> None:
    """Nobody could choose it: its code alone says nothing finer."""
    answer = read_place("Hebei", PLACES)

    assert answer.place is None
    assert [unit.name for unit in answer.candidates] == ["天津市河北区"]
    assert "天津市河北区 (120105), the whole of 河北省" in answer.remark


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("南京路", NOT_UNDERSTOOD),
        ("南京西路，上海", NOT_UNDERSTOOD),
        ("Nanjing Road, Shanghai", NOT_UNDERSTOOD),
        ("鼓楼区南京路", NOT_UNDERSTOOD),
        ("西安路街道", NOT_UNDERSTOOD),
        ("苏州虎丘路1号", NOT_UNDERSTOOD),
        ("苏州宿迁工业园区", NOT_UNDERSTOOD),
        ("鼓楼区 某州", NOT_UNDERSTOOD),
        ("北京市海淀区 徐州", CONTRADICTION),
        ("南京 吴中区", CONTRADICTION),
        ("台湾省台北市", NOT_UNDERSTOOD),
        ("江苏省", PROVINCE_ONLY),
        ("中国", NOT_LISTED),
        ("。", NOT_LISTED),
    ],
)
def test_a_citys_name_in_a_streets_is_no_place(text: str, remark: str) -> None:
    answer = read_place(text, PLACES)

    assert answer.place is None
    assert answer.remark == remark


@given(st.text(max_size=128) | st.text(alphabet="江苏省市州南京吴中区县路鼓楼西安长沙 ,Suzhohgn", max_size=40))
def test_any_text_has_an_answer_that_does_not_repeat_it(text: str) -> None:
    answer = read_place(text, PLACES)

    assert answer.place or answer.remark
    assert not (answer.place and answer.candidates)
