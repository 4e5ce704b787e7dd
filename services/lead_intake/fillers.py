"""What fills a field for a place and names none: rows that official lists need for their form, and ways to say nothing.

The Ministry's and the statistical office's lists put 市辖区 between a municipality and its districts, and
省直辖县级行政区划 between a province and its county-level cities (https://www.stats.gov.cn/sj/tjbz/qhdm/). Forms add
其他, `-` and `N/A`.
"""

import re

from services.lead_intake.place_names import fold

_OF_THE_LISTS = """
市辖区 市辖县 辖区 辖县 市区 直辖市 直辖 直辖县 直辖县级 省直辖 省辖 省辖县 县级市
"""
_BELOW = "县级行政区划 县级行政单位 县级行政区 行政单位 行政区划 县级单位 县行政单位 县级市 县市"
_KINDS_ALONE = "省 市 区 县 州 盟 旗 地区 自治州 自治县 城市 城区 区县 市县 区域 省份 省市 区划"
_NOTHING = """
全部 全市 全省 全国 全境 所有 不限 不详 未知 未填 未填写 无 暂无 没有 空 默认 未选择 选择 请选择
other others none null nil na nan undefined unknown empty all any select notset pleaseselect notapplicable
municipaldistrict municipaldistricts shixiaqu xiaqu qita wu province city district 0 00
"""
_BEFORE_A_KIND = re.compile("其他|其它|请选择|不限")
_LISTED = (
    *_OF_THE_LISTS.split(),
    *(f"{above}直辖{below}" for above in ("", "省", "自治区", "市") for below in _BELOW.split()),
)
_KINDS = frozenset(_KINDS_ALONE.split())
# 城区 is a district in three cities.
_FILLERS = frozenset(map(fold, (*_LISTED, *_NOTHING.split()))) | _KINDS - {"城区"}
_GLUED = tuple(sorted({*_LISTED, "县", "其他", "其它"}, key=len, reverse=True))


def is_filler(name: str) -> bool:
    """Whether a field or a word names no place, whatever it is written in; marks alone do not, either."""
    folded = fold(name)
    if not folded or folded in _FILLERS:
        return True
    rest = _BEFORE_A_KIND.sub("", folded, count=1)
    return rest != folded and (not rest or rest in _KINDS)


def filler_at(word: str, position: int) -> int:
    """How many characters of a filler stand at this position of a folded Chinese word; 0: none."""
    return next((len(filler) for filler in _GLUED if word.startswith(filler, position)), 0)
