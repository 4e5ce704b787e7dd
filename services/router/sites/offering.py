"""The columns of a network file that say for whom a site works and on what: all optional, all read strictly."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from services.router.sites.working_time import Refuse
from services.router.vehicles import read_vehicle

MAX_LISTED = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,62}\Z")
_RULE = "use 1-63 lower-case letters, digits, dashes or underscores, not starting with a dash"


class Offering(NamedTuple):
    """What a network says of a site beyond its capabilities; the names are those of the columns of its file."""

    partner: str = ""
    """Who runs the site, as contracts name the partner; empty: the maker itself, or not said."""
    vehicles: frozenset[str] = frozenset()
    """Brands (`brand`) and models (`brand/model`) that it works on, as `vehicle_name` writes them; empty: all."""
    skills: frozenset[str] = frozenset()
    """What its people are trained for, in the network's own names; policies ask for them by intent."""


OFFERING_COLUMNS = Offering._fields
PLAIN = Offering()


def read_offering(fields: Mapping[str, str], refuse: Refuse) -> Offering:
    """The offering of one row; what cannot be read is refused and left out."""
    partner = fields.get("partner", "")
    if partner and not _NAME.match(partner):
        refuse("partner", f"{partner[:64]!r} is no name of a partner: {_RULE}")
        partner = ""
    skills = []
    for name in _parts("skills", fields, refuse):
        if _NAME.match(name):
            skills.append(name)
        else:
            refuse("skills", f"{name[:64]!r} is no name of a skill: {_RULE}")
    vehicles = []
    for name in _parts("vehicles", fields, refuse):
        try:
            vehicles.append(read_vehicle(name))
        except ValueError as problem:
            refuse("vehicles", f"{name[:64]!r} is no vehicle: {problem}")
    return Offering(partner, frozenset(vehicles), frozenset(skills))


def _parts(field: str, fields: Mapping[str, str], refuse: Refuse) -> list[str]:
    parts = [part.strip() for part in fields.get(field, "").split("|") if part.strip()]
    if len(parts) > MAX_LISTED:
        refuse(field, f"lists {len(parts)} names; {MAX_LISTED} are the most")
        return []
    return parts
