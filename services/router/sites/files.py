"""Network files: CSV and GeoJSON, read as a whole. Either every row is good, or nothing of the file is used."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.router.sites.columns import COLUMNS, OPTIONAL, meant_column
from services.router.sites.geojson import geojson_rows
from services.router.sites.row import BadRow, read_row
from services.router.sites.site import Site
from shared.csv_rows import Columns, csv_rows
from shared.faults import Bounded, Faults

WHOLE_FILE = 0
"""Row number of a fault that is not about one row."""
_COLUMNS = Columns(COLUMNS, frozenset(COLUMNS) - OPTIONAL, meant_column)


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """What a file says. `sites` may be imported only when `faults` is empty."""

    sites: tuple[Site, ...]
    """The good rows, in site-id order."""
    faults: Bounded[BadRow]
    """In file order."""

    @property
    def bad(self) -> tuple[BadRow, ...]:
        """The first of the faults."""
        return self.faults.first


def read_csv(text: str, today: date | None = None) -> NetworkFile:
    """Read a CSV file with a header line; a byte-order mark, CRLF and quoted fields are fine.

    `today`: a site whose hours never come after it is refused; None: that is not asked.
    """
    file = _File(today)
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    return file.read(csv_rows(lines, _COLUMNS, file.refuse))


def read_geojson(text: str, today: date | None = None) -> NetworkFile:
    """Read a GeoJSON FeatureCollection of points, as strictly as CSV: the properties are the columns.

    RFC 7946 says WGS-84, and map tools in China write GCJ-02 all the same: `datum` is required here too.
    """
    file = _File(today)
    return file.read(geojson_rows(text.removeprefix("\ufeff"), file.refuse))


class _File:
    """Gathers the sites and the faults of one file."""

    def __init__(self, today: date | None) -> None:
        self._today = today
        self._faults: Faults[BadRow] = Faults(lambda fault: fault.field)

    def refuse(self, number: int, field: str, reason: str) -> None:
        self._faults.add(BadRow(number, "", field, reason))

    def read(self, rows: Iterable[tuple[int, Mapping[str, str]]]) -> NetworkFile:
        sites: dict[str, Site] = {}
        first_seen: dict[str, int] = {}
        for number, fields in rows:
            site, faults = read_row(number, fields, self._today)
            self._faults.extend(faults)
            site_id = fields.get("site_id", "").strip()[:64]
            if site_id and first_seen.setdefault(site_id, number) != number:
                reason = f"is already the id of row {first_seen[site_id]}; every site needs its own"
                self._faults.add(BadRow(number, site_id, "site_id", reason))
            elif site is not None:
                sites[site_id] = site
        if not sites and not self._faults:
            self.refuse(WHOLE_FILE, "file", "holds no site; an empty network would stop every lead")
        return NetworkFile(tuple(sites[site_id] for site_id in sorted(sites)), self._faults.bounded())
