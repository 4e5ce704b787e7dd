"""What fills a field for a place and names none: rows that official lists need for their form, and ways to say nothing.

The Ministry's and the statistical office's lists put 市辖区 between a municipality and its districts, and
省直辖县级行政区划 between a province and its county-level cities (https://www.stats.gov.cn/sj/tjbz/qhdm/). Forms add
其他, `-` and `N/A`.
"""

from services.lead_intake.place_names import fold

_OF_THE_LISTS = (
    *(
        "市辖区",
        "市辖县",
        "辖区",
        "辖县",
        "市区",
        "直辖市",
        "直辖",
        "直辖县",
        "直辖县级",
        "省直辖",
        "省辖",
        "省辖县",
        "县级市",
    ),
    *(
        f"{above}{word}"
        for above in ("", "省", "自治区", "市")
        for word in (
            *("直辖县级行政区划", "直辖县级行政单位", "直辖县级行政区", "直辖行政单位", "直辖行政区划", "直辖县级单位"),
            *("直辖县行政单位", "直辖县级市", "直辖县市"),
        )
    ),
)
_KINDS_ALONE = (
    "省",
    "市",
    "区",
    "县",
    "州",
    "盟",
    "旗",
    "地区",
    "自治州",
    "自治县",
    "城市",
    "区县",
    "市县",
    "province",
    "city",
    "district",
)
_NOTHING = (
    *(
        "其他",
        "其它",
        "其他区",
        "其它区",
        "其他区县",
        "其它区县",
        "其他市",
        "其它市",
        "其他地区",
        "其它地区",
        "其他城市",
        "其它城市",
    ),
    *(
        "全部",
        "全市",
        "全省",
        "全国",
        "全境",
        "所有",
        "不限",
        "不详",
        "未知",
        "未填",
        "未填写",
        "无",
        "暂无",
        "没有",
        "空",
        "默认",
    ),
    *(
        "请选择",
        "请选择省",
        "请选择市",
        "请选择区",
        "请选择省份",
        "请选择城市",
        "请选择区县",
        "请选择地区",
        "未选择",
        "选择",
    ),
    *(
        "other",
        "others",
        "none",
        "null",
        "nil",
        "na",
        "nan",
        "undefined",
        "unknown",
        "empty",
        "all",
        "any",
        "select",
        "notset",
    ),
    *(
        "pleaseselect",
        "notapplicable",
        "municipaldistrict",
        "municipaldistricts",
        "shixiaqu",
        "xiaqu",
        "qita",
        "wu",
        "0",
        "00",
    ),
)
_FILLERS = frozenset(map(fold, (*_OF_THE_LISTS, *_KINDS_ALONE, *_NOTHING)))
_GLUED = tuple(sorted({*map(fold, _OF_THE_LISTS), "县", "其他", "其它"}, key=len, reverse=True))


def is_filler(name: str) -> bool:
    """Whether a field or a word names no place, whatever it is written in; marks alone do not, either."""
    folded = fold(name)
    return not folded or folded in _FILLERS


def filler_at(word: str, position: int) -> int:
    """How many characters of a filler stand at this position of a folded Chinese word; 0: none."""
    return next((len(filler) for filler in _GLUED if word.startswith(filler, position)), 0)
