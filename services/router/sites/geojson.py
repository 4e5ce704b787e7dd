"""The features of a GeoJSON file (RFC 7946) as rows of texts, as strictly as the lines of a CSV file."""

import json
import re
from collections.abc import Iterator
from typing import Any

from services.router.sites.columns import COLUMNS, meant_column
from shared.csv_rows import CsvRow, Refuse, column_name
from shared.faults import cut
from shared.numbers import quoted, written
from shared.words import counted

_POINT = "is not a Point with coordinates [lon, lat]"
_DEGREES = re.compile(r"(CRS:?84|EPSG:(.*:)?(4326|4490))\Z", re.IGNORECASE)
"""Names of reference systems of plain degrees: WGS-84, and CGCS2000, which is within a metre of it."""
_MOST_UNKNOWN = 100
_MOST_FIELDS = 1_000
_MOST_DIGITS = 400
"""More than the largest double has; the library itself refuses 4,300 in words for programmers."""


class _Object(dict[str, Any]):
    """A JSON object that says which of its names stand twice; the library keeps the last one in silence."""

    twice: frozenset[str] = frozenset()


class _Refused(Exception):  # noqa: N818 - it says what happened to the feature
    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason


def geojson_rows(text: str, refuse: Refuse) -> Iterator[CsvRow]:
    """The fields of each feature by column, numbered from 1; what is wrong is told to `refuse`."""
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_whole)
    except RecursionError:
        refuse(0, "file", "is not a file of sites: it is nested too deeply")
        return
    except ValueError as problem:
        refuse(0, "file", f"is not JSON: {cut(str(problem), 120)}" if text.strip() else "is empty")
        return
    if cause := _cause(document):
        refuse(0, "file", cause)
        return
    told: set[str] = set()
    for number, feature in enumerate(document["features"], start=1):
        try:
            fields, unknown = _fields(feature)
        except _Refused as refused:
            refuse(number, refused.field, refused.reason)
            continue
        for name in unknown:
            # A name that every feature has is one fault of the file, as a column of a CSV file is.
            if name not in told and len(told) < _MOST_UNKNOWN:
                told.add(name)
                refuse(number, name, f"unknown column; {meant_column(name)}")
        yield CsvRow(number, fields)


def _cause(document: Any) -> str | None:
    """Why this is no file of sites."""
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        kind = document.get("type") if isinstance(document, dict) else None
        also = f"; it is a {cut(kind, 32)}" if isinstance(kind, str) else ""
        return f"is not a GeoJSON FeatureCollection with a list of features{also}"
    if not isinstance(document.get("features"), list):
        return "is not a GeoJSON FeatureCollection with a list of features"
    system = document.get("crs")
    if system is None:
        return None
    properties = system.get("properties") if isinstance(system, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if isinstance(name, str) and _DEGREES.search(name):
        return None
    return f"has its points in {quoted(str(name))} (its member crs); give degrees: WGS-84 is EPSG:4326"


def _fields(feature: Any) -> tuple[dict[str, str], list[str]]:
    """The columns of a feature as texts, and the names of properties that are none."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise _Refused("geometry", "is not a feature with properties")
    lon, lat = _position(feature.get("geometry"))
    properties = feature["properties"]
    if len(properties) > _MOST_FIELDS:
        raise _Refused("properties", f"are {len(properties)}; {_MOST_FIELDS} are the most")
    fields: dict[str, str] = {}
    unknown = []
    for written_name, value in properties.items():
        name = column_name(written_name)
        if name in ("lat", "lon"):
            raise _Refused(name, "comes from the point of the geometry; remove it from the properties")
        if name in fields or written_name in getattr(properties, "twice", ()):
            raise _Refused(cut(name, 64), "this column stands twice in the properties")
        if name in COLUMNS:
            fields[name] = _text(name, value)
        else:
            unknown.append(cut(name, 64))
    return fields | {"lon": lon, "lat": lat}, unknown


def _position(geometry: Any) -> tuple[str, str]:
    if not isinstance(geometry, dict):
        raise _Refused("geometry", _POINT)
    if geometry.get("type") != "Point":
        raise _Refused("geometry", f"{_POINT}; it is a {quoted(str(geometry.get('type')))}")
    position = geometry.get("coordinates")
    if not isinstance(position, list) or not 2 <= len(position) <= 3:
        raise _Refused("geometry", f"{_POINT} and perhaps a height")
    for number in position:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise _Refused("geometry", f"{_POINT}: {quoted(str(number))} is no number; write it without quotes")
    return _text("lon", position[0]), _text("lat", position[1])


def _text(name: str, value: Any) -> str:
    """What a cell of a CSV file would hold."""
    if value is None:
        return ""
    if isinstance(value, bool | dict):
        kind = "true or false" if isinstance(value, bool) else "an object"
        raise _Refused(name, f"is {kind}; give a text or a number")
    if isinstance(value, list):
        if any(isinstance(item, list) for item in value):
            raise _Refused(name, "is a list of lists; give a list of texts")
        return "|".join(_text(name, item) for item in value)
    if isinstance(value, float):
        return written(value) if abs(value) < 1e30 else str(value)
    return str(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    names = [name for name, _ in pairs]
    told = _Object(made)
    told.twice = (
        frozenset(name for name in made if names.count(name) > 1) if len(made) < _MOST_FIELDS else frozenset(made)
    )
    return told


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number has {counted(len(digits), 'digit')}")
    return int(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
