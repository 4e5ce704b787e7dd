"""Which leads a map service is asked about, and with which words. Pure."""

import re
import unicodedata

from services.lead_intake.draft import DraftLocation
from services.lead_intake.fillers import is_filler
from services.lead_intake.geocoding.port import Question
from services.lead_intake.places import Places
from services.lead_intake.postal_codes import split_off_code
from shared.personal import looks_personal

_HAN = re.compile(r"[\u3400-\u9fff]")


def question_of(given: DraftLocation, places: Places) -> Question | None:
    """What to ask about a written place; None when there are no words, or when they hold more than a place.

    The words of `location` alone are sent. A phone number or an e-mail address that somebody typed among them stays.
    """
    text, _ = split_off_code(given.text or "")
    words = " ".join(text.split())
    province = places.province(given.province) if given.province else None
    # No map service knows CN-JS.
    first = province.province if province else given.province
    names = [_plain(name) for name in (first, given.city, given.district) if name and not is_filler(name)]
    parts = [name for name in names if name and name not in words]
    if words:
        parts.append(words)
    asked = ("" if all(_HAN.search(part) for part in parts) else ", ").join(parts)
    if not asked or looks_personal(asked):
        return None
    certain = province or places.province_before(asked)
    city = given.city if given.city and not is_filler(given.city) else ""
    return Question(asked, _plain(city), certain.adcode[:2] if certain else "")


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split())
