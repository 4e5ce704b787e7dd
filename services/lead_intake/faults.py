"""What is wrong with a lead, by JSON pointer (RFC 6901), in words that never repeat what the sender wrote."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError

from shared.vocabulary import Channel, Datum, Intent
from shared.words import counted

_OUR_NAME = re.compile(r"[a-z][a-z_]{0,30}")
_LISTS: dict[str, tuple[str, ...]] = {
    "/intent": tuple(Intent),
    "/channel": tuple(Channel),
    "/location/datum": tuple(Datum),
}
# What people write for our words, where spelling alone does not lead there.
_SYNONYMS = {
    "buy": Intent.PURCHASE,
    "lease": Intent.PURCHASE,
    "order": Intent.PURCHASE,
    "sell": Intent.TRADE_IN,
    "exchange": Intent.TRADE_IN,
    "service": Intent.MAINTENANCE,
    "repair": Intent.MECHANICAL_REPAIR,
    "sheet_metal": Intent.BODY_REPAIR,
    "paint": Intent.PAINT_REPAIR,
    "delivery": Intent.VEHICLE_DELIVERY,
    "used": Intent.USED_VEHICLE,
    "gps": Datum.WGS84,
    "amap": Datum.GCJ02,
    "tencent": Datum.GCJ02,
    "baidu": Datum.BD09,
}
_PLAIN = {
    "missing": "is required",
    "extra_forbidden": "is no field of a lead",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "has a form or characters that are not allowed here",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "timezone_aware": "must say its offset from UTC, such as +08:00 or Z",
    "datetime_type": "must be a date and time such as 2026-03-01T09:30:00+08:00",
    "datetime_parsing": "must be a date and time such as 2026-03-01T09:30:00+08:00",
    "datetime_from_date_parsing": "must be a date and time such as 2026-03-01T09:30:00+08:00",
    "datetime_object_invalid": "must be a date and time such as 2026-03-01T09:30:00+08:00",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it is (JSON pointer into the lead), and what to do."""

    pointer: str
    detail: str


class Refused(Exception):  # noqa: N818 - it names what happened to the lead
    """This lead cannot be accepted as it is; the sender can put it right."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(counted(len(self.faults), "fault"))


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Every fault that pydantic found. Values never come along; a key is named only if it looks like one of ours."""
    return tuple(
        Fault(pointer, _detail(found["type"], found.get("ctx") or {}, pointer, found["input"]))
        for found in error.errors(include_url=False)
        for pointer in [_pointer(found["loc"], known=found["type"] != "extra_forbidden")]
    )


def nearest(given: object, allowed: Sequence[str]) -> str:
    """The allowed word that `given` most likely meant; empty when none is near. `given` is not repeated."""
    if not isinstance(given, str):
        return ""
    word = re.sub(r"[\s\-]+", "_", given[:64].strip().lower())
    synonym = _SYNONYMS.get(word, "")
    if synonym in allowed:
        return synonym
    return next(iter(get_close_matches(word, allowed, n=1, cutoff=0.55)), "")


def _pointer(location: tuple[int | str, ...], *, known: bool) -> str:
    parts = [str(part) for part in location]
    # A sender may put a phone number where a field name belongs; then only the object around it is named.
    if not known and parts and not _OUR_NAME.fullmatch(parts[-1]):
        parts.pop()
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _detail(kind: str, context: dict[str, object], pointer: str, given: object) -> str:
    if kind == "enum" and pointer in _LISTS:
        allowed = _LISTS[pointer]
        near = nearest(given, allowed)
        hint = f"; did you mean {near}?" if near else ""
        return f"must be one of {', '.join(allowed)}{hint}"
    if kind == "string_too_long":
        return f"is longer than {counted(int(str(context['max_length'])), 'character')}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"must be at {'least' if 'ge' in context else 'most'} {context.get('ge', context.get('le'))}"
    if kind == "value_error":
        # Our own validators say what is wrong, never what was written.
        return str(context["error"])
    return _PLAIN.get(kind, "is not what this field takes")
