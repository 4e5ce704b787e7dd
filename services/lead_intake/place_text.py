"""Places in a text without a street: `江苏省苏州市吴中区`, `苏州 吴中`, `Wuzhong District, Suzhou`.

Names count only as a whole, and every part must be understood: cities stand in the names of streets everywhere
(南京路 is in Shanghai). What follows a district, or a city that is named with its 市, is finer than the list and is
passed over.
"""

import re
from collections.abc import Set

from services.lead_intake.fillers import filler_at, is_filler
from services.lead_intake.place_names import LONGEST_CHINESE_NAME, fold, stem, without_peoples
from services.lead_intake.places import CENTRE_USED, CONTRADICTION, Answer, Places
from services.lead_intake.postal_codes import split_off_code
from services.lead_intake.traditional import simplified
from services.lead_intake.units import Unit

NOT_UNDERSTOOD = "is not understood as a place without a street; the lead waits until its place is clear"

_WORDS_PER_NAME = 5
"""Shi Jia Zhuang Shi has four."""
_SEPARATORS = re.compile(r"[\s,、;。．.|/·()\-_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_COUNTRY = frozenset({"china", "cn", "prc", "prchina", "peoplesrepublicofchina", "zhongguo", "中国", "中华人民共和国"})
_COUNTRY_FIRST = re.compile("^(?:中华人民共和国|中国)(?=.)")
# What may stand behind a city's bare name: streets may not, and 苏州宿迁工业园区 is in Suqian.
_ZONE = re.compile(
    "(?:工业园区?|高新区|高新技术产业开发区|经济技术开发区|经济开发区|经开区|开发区|新区|综合保税区|旅游度假区)"
)
_WITH_KIND = re.compile(r".{2,}(?:[省市区县盟旗]|自治州)")
"""A name that says what it is: 州 alone ends the bare names of a hundred cities."""


def read_place(text: str, places: Places) -> Answer:
    """What the names in a text mean; what its postal code means is `postal_codes`' business."""
    reading = _Reading(places)
    reading.read(_words(text))
    return reading.answer()


def _words(text: str) -> list[str]:
    # ，and （） become ASCII here; a postal code says nothing that the list of names could check.
    plain, _ = split_off_code(without_peoples(simplified(text).casefold()))
    return [_COUNTRY_FIRST.sub("", word) for word in _SEPARATORS.split(plain) if word]


class _Reading:
    """The units that fit all the names met so far."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._units: Set[Unit] | None = None
        self._city_named = False
        self._more = False
        """Something finer than the list was passed over."""
        self._puzzle = ""

    def read(self, words: list[str]) -> None:
        start = 0
        while start < len(words) and not self._puzzle:
            start += self._name_of_words(words, start) or self._run(words[start])

    def answer(self) -> Answer:
        if self._puzzle:
            known = self._units or frozenset()
            return Answer(None, self._places.settle(known).candidates, self._puzzle)
        answer = self._places.settle(self._units or frozenset())
        if answer.place and self._more and not answer.place.district:
            return Answer(answer.place, remark=CENTRE_USED)
        return answer

    def _name_of_words(self, words: list[str], start: int) -> int:
        """Take the longest name that some next words make together; returns how many words."""
        for count in range(min(_WORDS_PER_NAME, len(words) - start), 0, -1):
            name = fold("".join(words[start : start + count]))
            if name in _COUNTRY:
                return count
            if not 0 < len(name) <= self._places.longest_name:
                continue
            if narrowed := self._places.narrow(self._units, name):
                self._meet(narrowed)
                return count
            if self._places.meanings(name):
                self._puzzle = CONTRADICTION
                return count
        return 1 if is_filler(words[start]) else 0

    def _run(self, word: str) -> int:
        """Take the names that a Chinese word without blanks begins with, largest first. Always one word."""
        if not _HAN.search(word):
            self._puzzle = NOT_UNDERSTOOD
            return 1
        position, bare, last = 0, False, ""
        before: tuple[Set[Unit] | None, bool, int] = (self._units, self._city_named, 0)
        while found := self._longest(word, position, last) or self._behind_filler(word, position, last):
            end, narrowed = found
            before = (self._units, self._city_named, position)
            bare, last = not _WITH_KIND.fullmatch(word, 0, end), stem(word[position:end])
            self._meet(narrowed)
            position = end
        if position < len(word) and bare and not self._at_city():
            # 虎丘路 is a street, not 虎丘区 and something.
            self._units, self._city_named, position = before
            bare = position > 0 and not _WITH_KIND.fullmatch(word, 0, position)
        rest = word[position:]
        if rest:
            certain = self._city_named or (position > 0 and self._places.settle(self._units or frozenset()).place)
            clear = certain and (not bare or _ZONE.fullmatch(rest))
            self._more, self._puzzle = True, "" if clear else NOT_UNDERSTOOD
        return 1

    def _longest(self, word: str, position: int, last: str) -> tuple[int, Set[Unit]] | None:
        for end in range(min(len(word), position + LONGEST_CHINESE_NAME), position + 1, -1):
            name = word[position:end]
            narrowed = self._places.narrow(self._units, name)
            if not narrowed:
                continue
            # Only smaller and smaller, but for 重庆市重庆市: in 苏州市南京路 the second city is a street.
            # A word of its own may say again what stood before it: 江苏省 江苏省苏州市.
            again = stem(name) == last or (position == 0 and _WITH_KIND.fullmatch(name))
            if narrowed != self._units or again:
                return end, narrowed
        return None

    def _behind_filler(self, word: str, position: int, last: str) -> tuple[int, Set[Unit]] | None:
        """The name behind what only the form of a list put there: 天津市市辖区河西区, 重庆市县城口县."""
        length = filler_at(word, position) if position else 0
        if not length:
            return None
        if position + length == len(word):
            return (len(word), self._units) if self._units and length > 1 else None
        return self._longest(word, position + length, last)

    def _at_city(self) -> bool:
        place = self._places.settle(self._units or frozenset()).place
        return place is not None and not place.district

    def _meet(self, units: Set[Unit]) -> None:
        self._units = units
        self._city_named = self._city_named or self._at_city()
