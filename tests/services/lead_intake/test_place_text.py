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
    ],
)
def test_a_text_without_a_street_is_one_place(text: str, adcode: str) -> None:
    answer = read_place(text, PLACES)

    assert answer.place is not None
    assert (answer.place.adcode, answer.remark) == (adcode, "")


@pytest.mark.parametrize("text", ["江苏省苏州市工业园区", "苏州工业园区", "苏州 工业园区", "苏州市南京路1号"])
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
        ("Hebei", ["天津市河北区", "河北省"]),
    ],
)
def test_what_may_be_several_places_names_them_and_is_none(text: str, names: list[str]) -> None:
    answer = read_place(text, PLACES)

    assert answer.place is None
    assert [unit.name for unit in answer.candidates] == names


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("南京路", NOT_UNDERSTOOD),
        ("上海市南京路", NOT_UNDERSTOOD),
        ("南京西路，上海", NOT_UNDERSTOOD),
        ("Nanjing Road, Shanghai", NOT_UNDERSTOOD),
        ("鼓楼区南京路", NOT_UNDERSTOOD),
        ("西安路街道", NOT_UNDERSTOOD),
        ("苏州虎丘路1号", NOT_UNDERSTOOD),
        ("苏州宿迁工业园区", NOT_UNDERSTOOD),
        ("鼓楼区 徐州", NOT_UNDERSTOOD),
        ("北京市海淀区", NOT_UNDERSTOOD),
        ("南京 吴中区", CONTRADICTION),
        ("Suzhou, Anhui", NOT_LISTED),
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
