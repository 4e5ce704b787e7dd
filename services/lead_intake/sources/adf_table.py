"""Every element and attribute of ADF 1.0, and what becomes of it: the reader's own list, and the table in the docs.

Names: the specification of 2000-05-03 and its DTD (https://github.com/jwadhams/adfxml-info), with what only one of the
two has. What is in no row is told to its sender. `python -m services.lead_intake.sources.adf_table FILE` writes the
table into a document, between its marks; a test compares.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

BEGIN, END = "<!-- adf table: begin -->", "<!-- adf table: end -->"
MOST_NAMED = 8
"""Unknown names told of one prospect."""
_SAFE_NAME = re.compile(r"[a-z][a-z_.\-]{0,30}")


@dataclass(frozen=True, slots=True)
class Row:
    """Elements and attributes (`@`) of one kind, by their paths below `prospect`."""

    paths: tuple[str, ...]
    becomes: str
    is_read: bool = True
    is_open: bool = False
    """Nothing below it is looked at."""


def _read(paths: str, becomes: str) -> Row:
    return Row(tuple(paths.split()), becomes)


def _passed_over(paths: str, why: str = "passed over", *, is_open: bool = False) -> Row:
    return Row(tuple(paths.split()), why, is_read=False, is_open=is_open)


ROWS = (
    _passed_over("@status", "`new` and `resend` are read alike: the id says whether the lead is known"),
    _read(
        "id id/@sequence id/@source",
        "`source_lead_id`: of the lowest sequence whose text can be an id, with its source before it. An empty id is "
        "none, whatever its sequence",
    ),
    _read(
        "requestdate",
        "`client_time`, and when consent was given. Unreadable, before 2000, over a day ahead: the receipt counts",
    ),
    _read(
        "vehicle",
        "the first that is not `trade-in` or `sell` decides; when all are, the first. None at all is a purchase",
    ),
    _read(
        "vehicle/@interest",
        "`intent`: buy, lease: `purchase`; test-drive: `test_drive`; trade-in, sell: `trade_in`. Else buy, warned",
    ),
    _read(
        "vehicle/@status",
        "used (also u, pre-owned, certified, cpo, and words around them): a purchase or test drive becomes "
        "`used_vehicle`, which only a delivery center may serve. Neither new nor used: new, with a warning",
    ),
    _read("vehicle/condition", "the words for used count where `status` is neither new nor used; else passed over"),
    _read("vehicle/year", "`vehicle.year` when it has four digits"),
    _read("vehicle/make", "`vehicle.brand`"),
    _read("vehicle/model", "`vehicle.model`"),
    _passed_over(
        "vehicle/vin vehicle/stock vehicle/trim vehicle/doors vehicle/bodystyle vehicle/transmission",
        "passed over: no site is chosen by it",
    ),
    _passed_over(
        "vehicle/odometer vehicle/odometer/@status vehicle/odometer/@units",
        "passed over, in any unit: used is what `status` says",
    ),
    _passed_over(
        "vehicle/colorcombination vehicle/colorcombination/interiorcolor vehicle/colorcombination/exteriorcolor "
        "vehicle/colorcombination/preference"
    ),
    _passed_over("vehicle/imagetag vehicle/imagetag/@width vehicle/imagetag/@height vehicle/imagetag/@alttext"),
    _passed_over(
        "vehicle/price vehicle/price/@type vehicle/price/@currency vehicle/price/@delta vehicle/price/@relativeto "
        "vehicle/price/@source vehicle/pricecomments"
    ),
    _passed_over(
        "vehicle/option vehicle/option/optionname vehicle/option/manufacturercode vehicle/option/stock "
        "vehicle/option/weighting"
    ),
    _passed_over(
        "vehicle/option/price vehicle/option/price/@type vehicle/option/price/@currency vehicle/option/price/@delta "
        "vehicle/option/price/@relativeto vehicle/option/price/@source"
    ),
    _passed_over(
        "vehicle/finance vehicle/finance/method vehicle/finance/amount vehicle/finance/amount/@type "
        "vehicle/finance/amount/@limit vehicle/finance/amount/@currency vehicle/finance/balance "
        "vehicle/finance/balance/@type vehicle/finance/balance/@limit vehicle/finance/balance/@currency"
    ),
    _passed_over("vehicle/comments customer/comments", "passed over: free text is not kept"),
    _read(
        "customer customer/contact customer/contact/@primarycontact", "the primary contact first, then the first of use"
    ),
    _read(
        "customer/contact/name customer/contact/name/@part",
        "`contact.name`: `full`, or first, middle, last and suffix; Chinese parts as family and given name",
    ),
    _read("customer/contact/name/@type", "`business` counts only when no person is named"),
    _read(
        "customer/contact/email customer/contact/email/@preferredcontact",
        "`contact.email`: the preferred one first, then the first of use; a warning for each other",
    ),
    _read(
        "customer/contact/phone customer/contact/phone/@preferredcontact",
        "`contact.phone`: the preferred one first, then the first of use; a warning for each other",
    ),
    _read("customer/contact/phone/@type", "`fax` and `pager` count after all others"),
    _passed_over("customer/contact/phone/@time"),
    _read("customer/contact/address", "the first that names a place"),
    _passed_over("customer/contact/address/@type"),
    _read("customer/contact/address/street", "a district of the city that stands in any line: `location.district`"),
    _passed_over("customer/contact/address/street/@line", "passed over: all lines are searched"),
    _passed_over("customer/contact/address/apartment"),
    _read("customer/contact/address/city", "`location.city`"),
    _read(
        "customer/contact/address/regioncode",
        "six, nine or twelve digits: `location.adcode`, which counts alone. Else `location.province`",
    ),
    _read("customer/contact/address/postalcode", "`location.postal_code`, beside the city or instead of it"),
    _passed_over(
        "customer/contact/address/country",
        "passed over: a place is found by its names; a phone abroad says its own country",
    ),
    _passed_over(
        "customer/id customer/id/@sequence customer/id/@source", "passed over: people are known by phone and mail"
    ),
    _passed_over(
        "customer/timeframe customer/timeframe/description customer/timeframe/earliestdate "
        "customer/timeframe/latestdate"
    ),
    _read(
        "vendor vendor/id vendor/vendorname",
        "`preferred_site`, when it is written as one of our site ids: small letters with a dash",
    ),
    _passed_over("vendor/id/@sequence vendor/id/@source vendor/url vendor/vendorname/@part vendor/vendorname/@type"),
    _passed_over("vendor/contact", "passed over with all that is in it", is_open=True),
    _read("provider provider/name", "`campaign`"),
    _read(
        "provider/service",
        "one of our intents, such as `body_repair`, goes before `interest`, which has no word for a workshop. Else "
        "passed over",
    ),
    _passed_over(
        "provider/name/@part provider/name/@type provider/id provider/id/@sequence provider/id/@source provider/url "
        "provider/email provider/email/@preferredcontact provider/phone provider/phone/@type provider/phone/@time "
        "provider/phone/@preferredcontact"
    ),
    _passed_over("provider/contact", "passed over with all that is in it", is_open=True),
)
_KNOWN = frozenset(path for row in ROWS for path in row.paths)
_OPEN = frozenset(path for row in ROWS if row.is_open for path in row.paths)


def unknown_in(prospect: Element) -> list[str]:
    """Elements and attributes of a prospect that ADF does not have where they stand, each once.

    A name with a digit is not repeated: it may be a number of a person.
    """
    return list(dict.fromkeys(_unknown(prospect, "")))


def _unknown(element: Element, path: str) -> Iterator[str]:
    for key in element.keys():  # noqa: SIM118 - an element is a sequence of its children
        # Those with a namespace belong to another standard.
        if "}" not in key and f"{path}@{key.lower()}" not in _KNOWN:
            yield f"prospect/{path}@{key.lower()}" if _SAFE_NAME.fullmatch(key.lower()) else "an attribute"
    for child in element:
        name = child.tag
        if path + name not in _KNOWN:
            yield f"prospect/{path}{name}" if _SAFE_NAME.fullmatch(name) else "an element"
        elif path + name not in _OPEN:
            yield from _unknown(child, f"{path}{name}/")


def table() -> str:
    """The table in Markdown."""
    lines = ["| below `prospect` | becomes |", "| --- | --- |"]
    lines += [f"| {', '.join(f'`{path}`' for path in row.paths)} | {row.becomes} |" for row in ROWS]
    return "\n".join(lines)


def with_table(document: str) -> str:
    """The document with the table between its marks."""
    head, _, rest = document.partition(BEGIN)
    return f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")
