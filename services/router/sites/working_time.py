"""The columns of a network file that say when a site works: all optional, all read strictly."""

from collections.abc import Callable, Mapping
from datetime import date

from services.router.sites.hours import DEFAULT_ZONE, Days, HoursInvalid, WorkingTime, read_days, read_hours, read_zone

Refuse = Callable[[str, str], None]
"""Takes a field and why it is refused."""


WORKING_TIME_COLUMNS = WorkingTime._fields


def read_working_time(fields: Mapping[str, str], refuse: Refuse) -> WorkingTime:
    """The working time of one row; what cannot be read is refused and left out."""
    opens_on, closes_on = _day("opens_on", fields, refuse), _day("closes_on", fields, refuse)
    if opens_on and closes_on and closes_on < opens_on:
        refuse("closes_on", f"{closes_on} lies before opens_on, {opens_on}")
    return WorkingTime(_hours(fields, refuse), _zone(fields, refuse), _closures(fields, refuse), opens_on, closes_on)


def _hours(fields: Mapping[str, str], refuse: Refuse) -> str:
    text = fields.get("hours", "")
    try:
        # As the library writes it: the same hours written otherwise change no digest.
        return str(read_hours(text)) if text else ""
    except HoursInvalid as problem:
        refuse("hours", str(problem))
        return ""


def _zone(fields: Mapping[str, str], refuse: Refuse) -> str:
    try:
        return read_zone(fields.get("time_zone") or DEFAULT_ZONE)
    except ValueError as problem:
        refuse("time_zone", str(problem))
        return DEFAULT_ZONE


def _closures(fields: Mapping[str, str], refuse: Refuse) -> tuple[Days, ...]:
    found = []
    for text in filter(None, (part.strip() for part in fields.get("closures", "").split("|"))):
        try:
            found.append(read_days(text))
        except ValueError:
            refuse("closures", f"{text[:40]!r} is no day; write 2026-10-01 or 2026-10-01..2026-10-07")
    return tuple(sorted(found))


def _day(field: str, fields: Mapping[str, str], refuse: Refuse) -> date | None:
    text = fields.get(field, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        refuse(field, f"{text[:32]!r} is no day; write it as 2026-10-01")
        return None
