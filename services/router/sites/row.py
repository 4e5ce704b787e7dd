"""One row of a network file, read strictly: every field that is wrong is named with the reason and the way out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from services.router.sites.columns import OPTIONAL
from services.router.sites.offering import read_offering
from services.router.sites.site import Site, forbidden_claims
from services.router.sites.working_time import read_working_time
from services.router.spelling import meant
from shared.datum import to_wgs84
from shared.numbers import quoted, read_number, read_whole
from shared.points import NO_POSITION, SWAPPED, look_swapped, no_position
from shared.vocabulary import Capability, Datum, SiteKind, SiteStatus

MAX_TEXT = 120
MAX_WEIGHT = 1000
MAX_LIMIT = 1_000_000
MAX_LISTED = 50

# The same shape as `shared.vocabulary.Slug`, which every fact that names a site must match.
_SITE_ID = re.compile(r"[a-z0-9][a-z0-9_\-]{0,62}\Z")

# Seven decimals are a centimetre, finer than any survey; more would only make equal points look different.
_DECIMALS = 7

EnumT = TypeVar("EnumT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class BadRow:
    """Why one field of one row is refused."""

    row: int
    """Line of a CSV file (the header is 1) or number of a GeoJSON feature, counted from 1."""
    site_id: str
    """As written, to find the row; empty when it has none."""
    field: str
    reason: str

    def __str__(self) -> str:
        where = f"row {self.row} {self.site_id or '-'}: " if self.row else ""
        return f"{where}{self.field}: {self.reason}"


def read_row(number: int, fields: Mapping[str, str], today: date | None) -> tuple[Site | None, list[BadRow]]:
    """The site of one row of texts by column, or every reason why it is refused on `today`."""
    return _RowReader(number, fields, today).read()


def unknown(kind: type[StrEnum], text: str) -> str:
    """Says that `text` is no member of `kind` and which member was probably meant."""
    names = [member.value for member in kind]
    return f"unknown {_WORDS.get(kind, 'value')} {quoted(text)}; {meant(text, names)}"


_WORDS: dict[type[StrEnum], str] = {
    Capability: "capability",
    SiteKind: "kind",
    SiteStatus: "status",
    Datum: "datum",
}


class _RowReader:
    """Collects the faults of one row, so that a person mends the file once and not once per fault."""

    def __init__(self, number: int, fields: Mapping[str, str], today: date | None) -> None:
        self.number = number
        self.today = today
        self.fields = {name: text.strip() for name, text in fields.items()}
        self.bad: list[BadRow] = []

    def read(self) -> tuple[Site | None, list[BadRow]]:
        site_id = self.text("site_id")
        if site_id and not _SITE_ID.match(site_id):
            self.refuse(
                "site_id", "use 1-63 lower-case letters, digits, dashes or underscores, not starting with a dash"
            )
        name, city, district = self.text("name"), self.text("city"), self.text("district")
        kind = self.one_of(SiteKind, "kind", None)
        status = self.one_of(SiteStatus, "status", SiteStatus.OPEN)
        capabilities = self.capabilities()
        if kind:
            for claim in forbidden_claims(kind, capabilities):
                self.refuse("capabilities", f"{_an(kind)} may never have {claim}: only delivery centers may")
        point, datum = self.point()
        weight = self.whole("weight", 1, 1, MAX_WEIGHT)
        limit = self.whole("open_lead_limit", None, 1, MAX_LIMIT)
        daily_limit = self.whole("daily_lead_limit", None, 1, MAX_LIMIT)
        offering = read_offering(self.fields, self.refuse)
        working_time = read_working_time(self.fields, self.refuse, self.today if status is SiteStatus.OPEN else None)
        if self.bad or kind is None or status is None or datum is None or point is None or weight is None:
            return None, self.bad
        return Site(
            site_id, name, kind, city, district, *point, datum, capabilities, status, weight, limit, working_time,
            daily_limit, offering,
        ), self.bad  # fmt: skip

    def refuse(self, field: str, reason: str) -> None:
        self.bad.append(BadRow(self.number, self.fields.get("site_id", "")[:64], field, reason))

    def text(self, field: str) -> str:
        text = self.fields.get(field, "")
        if not text and field not in OPTIONAL:
            self.refuse(field, "is empty; every site needs one")
        elif len(text) > MAX_TEXT:
            self.refuse(field, f"is longer than {MAX_TEXT} characters")
        elif not text.isprintable():
            self.refuse(field, "holds control characters or line breaks; remove them")
        return text

    def one_of(self, kind: type[EnumT], field: str, default: EnumT | None) -> EnumT | None:
        text = self.fields.get(field, "")
        if not text:
            if default is None:
                self.refuse(field, f"is empty; use one of {', '.join(kind)}")
            return default
        try:
            return kind(text)
        except ValueError:
            self.refuse(field, unknown(kind, text))
            return None

    def capabilities(self) -> frozenset[Capability]:
        names = [name.strip() for name in self.fields.get("capabilities", "").split("|") if name.strip()]
        known = []
        if not names:
            self.refuse("capabilities", "is empty; list what the site can do, separated by |")
        if len(names) > MAX_LISTED:
            self.refuse("capabilities", f"lists {len(names)} names; there are {len(Capability)}")
            names = []
        for name in names:
            try:
                known.append(Capability(name))
            except ValueError:
                self.refuse("capabilities", unknown(Capability, name))
        return frozenset(known)

    def point(self) -> tuple[tuple[float, float] | None, Datum | None]:
        datum = self.datum()
        lat, lon = self.degrees("lat"), self.degrees("lon")
        if lat is None or lon is None:
            return None, datum
        if look_swapped(lat, lon):
            self.refuse("lat", f"{lat:.9g}, {lon:.9g} is no place for a site; {SWAPPED}")
            return None, datum
        if abs(lat) > 1_000 and abs(lon) > 1_000:
            self.refuse("lat", f"{lat:.9g}, {lon:.9g} are metres of a map projection; give degrees")
            return None, datum
        for field, value, most in (("lat", lat, 90), ("lon", lon, 180)):
            if abs(value) > most:
                self.refuse(field, f"{value:.9g} is outside -{most} to {most} degrees")
        if no_position(lat, lon):
            self.refuse("lat", NO_POSITION)
        if self.bad or datum is None:
            return None, datum
        try:
            wgs_lat, wgs_lon = to_wgs84(lat, lon, datum)
        except ValueError as problem:
            self.refuse("datum", str(problem))
            return None, datum
        return (round(wgs_lat, _DECIMALS), round(wgs_lon, _DECIMALS)), datum

    def datum(self) -> Datum | None:
        if not self.fields.get("datum"):
            self.refuse(
                "datum", "is missing and is never guessed; say wgs84 (GPS), gcj02 (Amap, Tencent) or bd09 (Baidu)"
            )
            return None
        return self.one_of(Datum, "datum", None)

    def degrees(self, field: str) -> float | None:
        return self.number_in(field, read_number, "a number of degrees, such as 31.2989")

    def whole(self, field: str, default: int | None, least: int, most: int) -> int | None:
        if not self.fields.get(field):
            return default
        number = self.number_in(field, read_whole, "a whole number")
        if number is not None and not least <= number <= most:
            self.refuse(field, f"{number} is outside {least} to {most}")
        return number

    def number_in(self, field: str, read: Callable[[str, str], "NumberT"], wanted: str) -> "NumberT | None":
        text = self.fields.get(field, "")
        if not text:
            self.refuse(field, f"is empty; give {wanted}")
            return None
        try:
            return read(text, wanted)
        except ValueError as problem:
            self.refuse(field, str(problem))
            return None


NumberT = TypeVar("NumberT", int, float)


def _an(kind: SiteKind) -> str:
    words = kind.value.replace("_", " ")
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"
