"""What a map service's answers say of a lead's place: one place, several that are told, or nothing. Never a guess.

A service names a winner where a person would ask back, so among several meanings that the lists know its pick counts
only when it saw more than a name: a house or a crossing, in one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.lead_intake.candidates import Candidate
from services.lead_intake.geocoding.port import Found
from services.lead_intake.located import public
from services.lead_intake.nearness import meet
from shared.contracts import Place
from shared.vocabulary import Accuracy


@dataclass(frozen=True, slots=True)
class Judged:
    """A place, or the candidates that the answers leave; neither when the answers change nothing."""

    place: Place | None = None
    candidates: tuple[Candidate, ...] = ()


NOTHING = Judged()


def judge(found: Sequence[Found], meant: Sequence[str] = (), province: str = "") -> Judged:
    """The place of these answers.

    `meant` are the official codes of the units that the lists say may be meant; `province` the two digits of the one
    that the words name for certain: a service that finds nothing there looks elsewhere, and that is no answer.
    """
    found = [one for one in found if one.adcode is None or one.adcode.startswith(province)]
    if meant:
        found = [one for one in found if one.accuracy is Accuracy.POINT and _lies_in(one.adcode, meant)]
    spot = meet(found)
    if spot is not None:
        adcodes = {one.adcode for one in found}
        return Judged(public(spot, found[0].given, adcodes.pop() if len(adcodes) == 1 else None))
    if meant:
        # The units that the lists know say it better.
        return NOTHING
    return Judged(candidates=tuple(dict.fromkeys(Candidate(one.name, one.lat, one.lon) for one in found)))


def _lies_in(adcode: str | None, meant: Sequence[str]) -> bool:
    """Whether a unit may lie in one of `meant`; a service without codes cannot be held to them."""
    if adcode is None:
        return True
    around = (adcode, adcode[:4] + "00", adcode[:2] + "0000")
    return any(code in around for code in meant)
