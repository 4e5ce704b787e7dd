"""Whether a sender's id of a lead can be one: forms and templates fill the field with words that stand for an id."""

import re
import unicodedata

_TEMPLATES = """
abc abcd abcdef any crm customer default empty enter false fill foo bar form guid here id identifier ids in insert is
key lead leads my na nan new nil no none not null number object of order placeholder please portal prospect put qwerty
record ref reference request sequence set source string tba tbc tbd text the this to todo transaction true uid undefined
unique unknown unset uuid value xxx your 无 空 暂无 未知 没有 编号 线索 默认 示例
applicable auto available be defined email entered external generated given internal internet no number only provided
random specified supplied web website yet 填写 请填写 线索编号 线索号 待定 不详
"""
_TRIALS = "demo dummy example sample temp test tested testing tests 测试"
_WORDS_OF_TEMPLATES = frozenset(_TEMPLATES.split())
"""Words of templates, of programs that have no value, and of people who had none to write."""
_WORDS_OF_TRIALS = frozenset(_TRIALS.split())
"""These may have a small number with them."""
_LONGEST_TRIAL_NUMBER = 2
_COUNTED_UP = "12345678901234567890"
_LIMITS = frozenset(str(2**bits - less) for bits in (31, 32, 63, 64) for less in (0, 1))
"""What a number becomes that does not fit, and what stands for none."""
_LONGEST_WORDS_TOGETHER = 24
_TEMPLATE = re.compile(r"[{}<>]|\$\w|%\w+%|^%\w$|^@\w+$|^\[.*\]$|^_{2}.*_{2}$|^:\w+$")
_GUID_IN_BRACES = re.compile(r"\{([0-9a-fA-F\-]{32,36})\}")
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS_TOGETHER = re.compile(f"(?>{'|'.join(sorted((_TEMPLATES + _TRIALS).split(), key=len, reverse=True))})++")
"""The longest word first and no second try: noid, leadnumber. It must take no time over nonononono."""
_NOT_OF_A_WORD = re.compile(r"[\W_]+")


def identifies(written: str) -> bool:
    """False for what stands in many leads of a sender: null, n/a, test, {id}, uniqueLeadId, 0, -1, 12345, nil UUIDs.

    A wrong False costs little: such a lead is known by its content. A wrong True costs the second person's lead.
    """
    text = unicodedata.normalize("NFKC", written).strip().strip("\"'`")
    if guid := _GUID_IN_BRACES.fullmatch(text):
        text = guid[1]
    said = _NOT_OF_A_WORD.sub("", text).casefold()
    counted_up = said.isdigit() and len(said) != 2 and _COUNTED_UP.startswith(said)
    if counted_up or said in _LIMITS or said in _WORDS_OF_TEMPLATES or _TEMPLATE.search(text):
        return False
    if len(set(said)) <= 1 and not (len(said) == 1 and said in "23456789"):
        return False
    if len(said) <= _LONGEST_WORDS_TOGETHER and _WORDS_TOGETHER.fullmatch(said):
        return False
    words = [word for word in _NOT_OF_A_WORD.split(_WORD_ENDS.sub(" ", text).casefold()) if word]
    trials = [word for word in words if word.rstrip("0123456789") in _WORDS_OF_TRIALS]
    others = [word for word in words if word not in _WORDS_OF_TEMPLATES and word not in trials]
    numbers = "".join(filter(str.isdigit, said)) if trials else ""
    return len(numbers) > _LONGEST_TRIAL_NUMBER or not all(trials and word.isdigit() for word in others)
