"""How the names of Chinese places are spelt: one form for comparing, and every form that one unit may be written in."""

import re
import unicodedata

# Longest first: 新区 must go before 区, or 滨海新区 would be looked up as 滨海新.
_CHINESE_ENDINGS = (
    "土家族苗族自治县",
    "苗族土家族自治县",
    "维吾尔自治区",
    "土家族自治县",
    "特别行政区",
    "壮族自治区",
    "回族自治区",
    "自治区",
    "自治县",
    "回族区",
    "新区",
    "省",
    "区",
    "县",
    "市",
)
# What pinyin and English say for the last character of a Chinese name.
_LATIN_ENDINGS = {
    "省": ("province", "sheng"),
    "市": ("municipality", "city", "shi"),
    "区": ("autonomousregion", "newdistrict", "newarea", "district", "zizhiqu", "xinqu", "qu"),
    "县": ("autonomouscounty", "county", "xian"),
}
LONGEST_CHINESE_NAME = 10
"""秀山土家族苗族自治县."""

_ALL_ENDINGS = (*_CHINESE_ENDINGS, *(ending for endings in _LATIN_ENDINGS.values() for ending in endings))
_NOT_LETTERS = re.compile(r"[\W_]+")


def fold(name: str) -> str:
    """One spelling for comparing: full-width forms, case, blanks, apostrophes and accents do not count."""
    # An accent stands apart after NFKD, and is no letter.
    apart = unicodedata.normalize("NFKD", name).casefold()
    return apart if apart.isalnum() else _NOT_LETTERS.sub("", apart)


def stem(name: str) -> str:
    """The folded name without the word for its kind (区, District, Xian, ...)."""
    folded = fold(name)
    if folded.endswith(_ALL_ENDINGS):
        for ending in _ALL_ENDINGS:
            # At least two letters must stay: 忠县 and 赵县 have no stem.
            if folded.endswith(ending) and len(folded) - len(ending) >= 2:
                return folded.removesuffix(ending)
    return folded


def spellings(name: str, pinyin: str) -> set[str]:
    """Every folded form of a unit's Chinese name, given the pinyin of its stem.

    A word for the kind must fit: "Xian City" is 西安市, while "Xian County" is a county that is not in the list.
    """
    latin = fold(pinyin)
    return {fold(name), stem(name), latin, *(latin + ending for ending in _LATIN_ENDINGS.get(name[-1], ()))}
