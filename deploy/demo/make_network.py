"""Writes `network.csv`, the demo's network: `python -m deploy.demo.make_network`.

Deterministic: the same `places.csv` gives the same bytes, and a test compares them with the committed file.
The cities are those where the maker is recruiting partners; the sites in them are made up, their districts are real.

How a city is laid out, with its districts in the order of `places.csv`:
- the first district has the delivery center (the *1*): all capabilities;
- every other district has an agent store that sells, lends test drives and repairs (2S);
- the second also has a plaza store that only sells and lends test drives;
- the third also has a service point for maintenance and mechanics, the fifth one for sheet metal and paint.

A site stands a few hundred metres from its district's point, so that no two share it, except the two stores of the
mall, which are closer to each other than the policy's tie band.
"""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.datum import from_wgs84
from shared.vocabulary import Capability, Datum, SiteKind, SiteStatus

FOLDER = Path(__file__).parent
COLUMNS = (
    "site_id", "name", "kind", "city", "district", "lat", "lon", "datum", "capabilities", "status", "weight",
    "open_lead_limit", "closes_on",
)  # fmt: skip

RECRUITING = frozenset({"wenzhou", "haikou", "shijiazhuang"})
"""Cities where no partner has signed yet: their sites are known, none of them is open."""
CLOSED_DOWN, LAST_DAY = "qingdao-jimo", "2026-01-31"
"""District of a service point whose business is over, and its last day."""
MALL = ("suzhou", "Huqiu")
MALL_DOORS_APART_M = 18.0
METRES_PER_DEGREE = 111_320.0
"""Of latitude, on a sphere with the Earth's mean circumference: good enough to place a made-up site."""

SELLS = (Capability.SALES, Capability.TEST_DRIVE)
REPAIRS = (Capability.MAINTENANCE, Capability.MECHANICAL_REPAIR)
BODYWORK = (Capability.BODY_REPAIR, Capability.PAINT_REPAIR)


@dataclass(frozen=True)
class District:
    """One row of `places.csv`: a district and the WGS-84 point that GeoNames has for it or for its main town."""

    city_id: str
    city: str
    name: str
    lat: float
    lon: float

    @property
    def slug(self) -> str:
        """Start of the ids of the sites here."""
        return f"{self.city_id}-{self.name.lower().replace(chr(39), '')}"

    def moved(self, metres: float, bearing_degrees: float) -> tuple[float, float]:
        """WGS-84 (lat, lon) so far from the district's point in that direction (clockwise from north)."""
        bearing = math.radians(bearing_degrees)
        lat = self.lat + metres * math.cos(bearing) / METRES_PER_DEGREE
        lon = self.lon + metres * math.sin(bearing) / (METRES_PER_DEGREE * math.cos(math.radians(self.lat)))
        return lat, lon


def read_districts() -> dict[str, list[District]]:
    """The districts of every city, in the order of the file."""
    cities: dict[str, list[District]] = {}
    with (FOLDER / "places.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            district = District(row["city_id"], row["city"], row["district"], float(row["lat"]), float(row["lon"]))
            cities.setdefault(district.city_id, []).append(district)
    return cities


def city_sites(districts: list[District]) -> Iterator[dict[str, str]]:
    """The rows of one city."""
    for number, district in enumerate(districts):
        # The golden angle spreads directions evenly, whatever the number of districts.
        lat, lon = district.moved(300 + 150 * (number % 4), 137.508 * number)
        if number == 0:
            yield _row(district, "center", SiteKind.DELIVERY_CENTER, lat, lon, Datum.WGS84, tuple(Capability), "2")
            continue
        in_mall = (district.city_id, district.name) == MALL
        # Partners read their coordinates off the map app on their phone.
        yield _row(
            district, "store", SiteKind.AGENT_STORE, lat, lon, Datum.GCJ02, (*SELLS, *REPAIRS, *BODYWORK),
            "2" if in_mall else "1", "1" if district.slug == "ningbo-haishu" else "",
        )  # fmt: skip
        if in_mall:
            lon += MALL_DOORS_APART_M / (METRES_PER_DEGREE * math.cos(math.radians(lat)))
            yield _row(district, "store-2", SiteKind.AGENT_STORE, lat, lon, Datum.WGS84, (*SELLS, *REPAIRS), "1")
        elif number == 1:
            lat, lon = district.moved(900, 45)
            yield _row(district, "plaza", SiteKind.AGENT_STORE, lat, lon, Datum.GCJ02, SELLS, "1", "12")
        elif number in (2, 4):
            lat, lon = district.moved(1_200, 200)
            does = REPAIRS if number == 2 else (*REPAIRS, *BODYWORK)
            row = _row(district, "point", SiteKind.SERVICE_POINT, lat, lon, Datum.BD09, does, "1", "8")
            yield row | {"closes_on": LAST_DAY} if district.slug == CLOSED_DOWN else row


def _row(
    district: District,
    role: str,
    kind: SiteKind,
    lat: float,
    lon: float,
    datum: Datum,
    capabilities: tuple[Capability, ...],
    weight: str,
    open_lead_limit: str = "",
) -> dict[str, str]:
    words = {"center": "delivery center", "store": "agent store", "store-2": "agent store 2",
             "plaza": "plaza agent store", "point": "service point"}  # fmt: skip
    lat, lon = from_wgs84(lat, lon, datum)
    status = SiteStatus.RECRUITING if district.city_id in RECRUITING else SiteStatus.OPEN
    return {
        "site_id": f"{district.slug}-{role}",
        "name": f"{district.city} {district.name} {words[role]}",
        "kind": kind,
        "city": district.city,
        "district": district.name,
        "lat": f"{lat:.6f}",
        "lon": f"{lon:.6f}",
        "datum": datum,
        "capabilities": "|".join(capabilities),
        "status": status,
        "weight": weight,
        "open_lead_limit": open_lead_limit,
    }


def make_network() -> str:
    """The whole file as text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for districts in read_districts().values():
        writer.writerows(city_sites(districts))
    return text.getvalue()


if __name__ == "__main__":
    (FOLDER / "network.csv").write_text(make_network(), encoding="utf-8", newline="\n")
