"""Network files: CSV and GeoJSON, read as a whole. Either every row is good, or nothing of the file is used."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.router.sites.row import COLUMNS, OPTIONAL, BadRow, read_row
from services.router.sites.site import Site
from services.router.spelling import meant

WHOLE_FILE = 0
"""Row number of a fault that is not about one row."""


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """What a file says. `sites` may be imported only when `bad` is empty."""

    sites: tuple[Site, ...]
    """The good rows, in site-id order."""
    bad: tuple[BadRow, ...]
    """Every fault, in file order."""


def read_csv(text: str) -> NetworkFile:
    """Read a CSV file with a header line; a byte-order mark, CRLF and quoted fields are fine."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[tuple[int, Mapping[str, str]]] = []
    bad: list[BadRow] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        bad += _header_faults(header)
        if not bad:
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) == len(header):
                    rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
                else:
                    reason = (
                        f"has {len(cells)} fields where the header has {len(header)}; quote fields that hold a comma"
                    )
                    bad.append(BadRow(reader.line_num, cells[0].strip()[:64], "row", reason))
    except csv.Error as problem:
        bad.append(BadRow(reader.line_num, "", "row", f"is not CSV: {problem}"))
    return _read(rows, bad)


def read_geojson(text: str) -> NetworkFile:
    """Read a GeoJSON FeatureCollection of points; the properties are the columns, lat and lon come from the point.

    RFC 7946 says WGS-84, and map tools in China write GCJ-02 all the same: `datum` is required here too.
    """
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as problem:
        return NetworkFile((), (BadRow(WHOLE_FILE, "", "file", f"is not JSON: {problem}"),))
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        reason = "is not a GeoJSON FeatureCollection with a list of features"
        return NetworkFile((), (BadRow(WHOLE_FILE, "", "file", reason),))
    rows: list[tuple[int, Mapping[str, str]]] = []
    bad: list[BadRow] = []
    for number, feature in enumerate(features, start=1):
        fields = _feature_fields(feature)
        if isinstance(fields, str):
            bad.append(BadRow(number, "", "geometry", fields))
        else:
            rows.append((number, fields))
    return _read(rows, bad)


def _read(rows: Iterable[tuple[int, Mapping[str, str]]], bad: list[BadRow]) -> NetworkFile:
    sites: dict[str, tuple[int, Site]] = {}
    first_seen: dict[str, int] = {}
    for number, fields in rows:
        site, faults = read_row(number, fields)
        bad += faults
        site_id = fields.get("site_id", "").strip()
        if site_id and first_seen.setdefault(site_id, number) != number:
            reason = f"is already the id of row {first_seen[site_id]}; every site needs its own"
            bad.append(BadRow(number, site_id[:64], "site_id", reason))
        elif site is not None:
            sites[site_id] = (number, site)
    if not sites and not bad:
        bad.append(BadRow(WHOLE_FILE, "", "file", "holds no site; an empty network would stop every lead"))
    return NetworkFile(
        tuple(sites[site_id][1] for site_id in sorted(sites)),
        tuple(sorted(bad, key=lambda fault: fault.row)),
    )


def _header_faults(header: list[str]) -> list[BadRow]:
    faults = [
        BadRow(1, "", column, "this column is missing from the header")
        for column in COLUMNS
        if column not in OPTIONAL and column not in header
    ]
    for column in header:
        if column not in COLUMNS:
            faults.append(BadRow(1, "", column[:64], f"unknown column; {meant(column, COLUMNS)}"))
        elif header.count(column) > 1:
            faults.append(BadRow(1, "", column, "this column stands twice in the header"))
    return faults


def _feature_fields(feature: Any) -> dict[str, str] | str:
    """The columns of a feature as texts, or why it has none."""
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        return "is not a feature with properties"
    geometry = feature.get("geometry")
    position = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if (
        not isinstance(geometry, dict)
        or geometry.get("type") != "Point"
        or not isinstance(position, list)
        or len(position) < 2
    ):
        return "is not a Point with coordinates [lon, lat]"
    fields = {str(name): _text(value) for name, value in feature["properties"].items() if name in COLUMNS}
    return fields | {"lon": _text(position[0]), "lat": _text(position[1])}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(_text(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # JSON writers that know one kind of number only
    return str(value)
