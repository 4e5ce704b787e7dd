"""Postal codes of China by the list that an operator brings: none may be shipped here (see data/README.md).

A code stands for the area of a delivery office, so its point never claims metres. Reading files: `postal_files`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.lead_intake.nearness import Spot

NOT_SIX_DIGITS = "is not six digits, as a postal code of China has"
NO_LIST = "is kept, but no list of postal codes is at hand; the lead waits until its place is clear"
UNKNOWN = "is not in the list of postal codes; the lead waits until its place is clear"
UNKNOWN_BESIDE_NAMES = "is not in the list of postal codes; the names beside it are used"

_CODE = re.compile(r"[0-9]{6}")
# A room or a house may have six digits too; a label before a code says nothing more.
_IN_TEXT = re.compile(r"(?:邮政编码|邮编)?[:\s]*(?<![0-9])([0-9]{6})(?![0-9号室栋幢座弄楼层])")


@dataclass(frozen=True, slots=True)
class PostalPlace(Spot):
    """One place that has a code."""

    name: str = ""
    """As the operator's list says; may be empty."""


class PostalCodes:
    """The list, in memory. Without a file it is empty, and says so."""

    def __init__(self, places: Mapping[str, Sequence[PostalPlace]]) -> None:
        self._places = {code: tuple(found) for code, found in places.items()}

    def __len__(self) -> int:
        return len(self._places)

    def places_of(self, code: str) -> tuple[PostalPlace, ...]:
        """Every place with this code; empty when the list does not know it."""
        return self._places.get(code, ())


NO_POSTAL_CODES = PostalCodes({})


def read_code(text: str) -> str | None:
    """The six digits that a field for a postal code holds, full-width ones too; None when it holds anything else."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return plain if _CODE.fullmatch(plain) else None


def split_off_code(text: str) -> tuple[str, str | None]:
    """A text without its postal codes, and the code when there is exactly one."""
    plain = unicodedata.normalize("NFKC", text)
    codes = set(_IN_TEXT.findall(plain))
    return _IN_TEXT.sub(" ", plain).strip(), codes.pop() if len(codes) == 1 else None
