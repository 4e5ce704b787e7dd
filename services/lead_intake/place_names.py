"""How the names of Chinese places are spelt: one form for comparing, and every form that one unit may be written in."""

import re
import unicodedata

from services.lead_intake.traditional import simplified

# Longest first: 新区 must go before 区, or 滨海新区 would be looked up as 滨海新.
_KINDS = (
    "特别行政区",
    "自治区",
    "自治州",
    "自治县",
    "自治旗",
    "地区",
    "林区",
    "特区",
    "新区",
    "省",
    "市",
    "区",
    "县",
    "州",
    "盟",
    "旗",
)
_SHORT_KINDS = {"自治州": "州", "自治县": "县", "自治旗": "旗", "林区": "区", "特区": "区", "新区": "区"}
"""Officially 延边朝鲜族自治州, and 延边州 to everybody."""
_WITH_PEOPLES = frozenset({"自治区", "自治州", "自治县", "自治旗", "区"})
_PEOPLES = (
    *("蒙古族", "蒙古", "回族", "藏族", "维吾尔", "苗族", "彝族", "壮族", "布依族"),
    *("朝鲜族", "满族", "侗族", "瑶族", "白族", "土家族", "哈尼族", "哈萨克族", "哈萨克"),
    *("傣族", "黎族", "傈僳族", "佤族", "畲族", "拉祜族", "水族", "东乡族", "纳西族"),
    *("景颇族", "柯尔克孜", "土族", "达斡尔族", "仫佬族", "羌族", "布朗族", "撒拉族", "毛南族"),
    *("仡佬族", "锡伯", "塔吉克", "怒族", "裕固族", "保安族", "独龙族", "各族", "族"),
)
"""The peoples that autonomous units are named after, as they stand in those names."""
_PEOPLES_IN_ENGLISH = re.compile(
    r"(?:\b(?:and|mongol(?:ian)?|hui|tibetan|zang|uy?i?gh?ur|miao|hmong|yi|zhuang|bu?ou?yei|buyi|korean|chaoxian|manchu|man"
    r"|dong|kam|yao|bai|tujia|hani|kazakh?|dai|li|lisu|wa|va|she|lahu|sui|shui|dongxiang|na(?:x|kh)i|jingpo|ky?i?rgh?[iy]z"
    r"|tu|daur|mulao|mulam|qiang|blang|bulang|salar|sala|maonan|gelao|xibe|sibe|tajik|nu|yugur|bonan|bao'?an|derung"
    r"|dulong|various nationalities|multi-?ethnic)\b[\s,&-]*)+(?=autonomous)"
)
# What pinyin and English say for the word for the kind.
_LATIN_KINDS = {
    "省": ("province", "sheng"),
    "市": ("municipality", "city", "shi"),
    "区": ("autonomousregion", "newdistrict", "newarea", "district", "zizhiqu", "xinqu", "qu"),
    "地区": ("prefecture", "region", "area", "diqu"),
    "县": ("autonomouscounty", "county", "zizhixian", "xian"),
    "州": ("autonomousprefecture", "prefecture", "zizhizhou", "zhou"),
    "盟": ("league", "prefecture", "meng"),
    "旗": ("autonomousbanner", "banner", "zizhiqi", "qi"),
    "特别行政区": ("specialadministrativeregion", "sar"),
}
# Of a bare zhou, meng or qi nobody knows whether it is a kind: Suzhou is no prefecture called Su.
_LATIN_ENDINGS = tuple(
    sorted(
        {kind for kinds in _LATIN_KINDS.values() for kind in kinds} - {"zhou", "meng", "qi", "sar", "area"},
        key=len,
        reverse=True,
    )
)
_ALL_ENDINGS = (*_KINDS, *_LATIN_ENDINGS)
LONGEST_CHINESE_NAME = 15
"""双江拉祜族佤族布朗族傣族自治县 and 积石山保安族东乡族撒拉族自治县."""

_NOT_LETTERS = re.compile(r"[\W_]+")


def fold(name: str) -> str:
    """One spelling for comparing: traditional and full-width forms, case, blanks, apostrophes, accents do not count.

    Nor do the peoples in an English name: the Dai Autonomous Prefecture of Xishuangbanna is the only one there.
    """
    # An accent stands apart after NFKD, and is no letter.
    apart = without_peoples(simplified(unicodedata.normalize("NFKD", name)).casefold())
    return apart if apart.isalnum() else _NOT_LETTERS.sub("", apart)


def without_peoples(text: str) -> str:
    """A text in lower case without the peoples that an autonomous unit is named after in English."""
    return _PEOPLES_IN_ENGLISH.sub("", text) if "autonomous" in text else text


def stem(name: str) -> str:
    """The folded name without the word for its kind (区, 自治州, District, ...) and the peoples it is named after."""
    return stem_of_folded(fold(name))


def stem_of_folded(folded: str) -> str:
    """As `stem`, of a name that is folded already."""
    if not folded.endswith(_ALL_ENDINGS):
        return folded
    if folded.isascii():
        # At least two letters must stay, as below: 忠县 and 赵县 have no stem.
        return next(
            (
                folded.removesuffix(ending)
                for ending in _LATIN_ENDINGS
                if folded.endswith(ending) and len(folded) - len(ending) >= 2
            ),
            folded,
        )
    kind = _kind(folded)
    return _bare(folded.removesuffix(kind), kind) if kind else folded


def spellings(name: str, pinyin: str) -> set[str]:
    """Every folded form of a unit's Chinese name, given the pinyin of its stem.

    A word for the kind must fit: "Xian City" is 西安市, while "Xian County" is a county that is not in the list.
    """
    latin, kind, bare = fold(pinyin), _kind(name), stem(name)
    short = {bare + _SHORT_KINDS.get(kind, kind)} if bare != fold(name) else set()
    latin_kinds = _LATIN_KINDS.get(kind) or _LATIN_KINDS.get(name[-1], ())
    return {fold(name), bare, *short, latin, *(latin + ending for ending in latin_kinds)}


def _kind(folded: str) -> str:
    return next((kind for kind in _KINDS if folded.endswith(kind) and len(folded) - len(kind) >= 2), "")


def _bare(name: str, kind: str) -> str:
    # 梅里斯达斡尔族区 is the one kind of district that is named after a people.
    if kind not in _WITH_PEOPLES or (kind == "区" and not name.endswith("族")):
        return name
    while True:
        shorter = next(
            (
                name.removesuffix(people)
                for people in _PEOPLES
                if name.endswith(people) and len(name) - len(people) >= 2
            ),
            name,
        )
        if shorter == name:
            return name
        name = shorter
