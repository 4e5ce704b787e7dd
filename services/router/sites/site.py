"""One site of the network, and the 1+N rules that say what each kind may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson

from services.router.sites.hours import ALWAYS, DEFAULT_ZONE, WorkingTime, read_days
from services.router.sites.offering import PLAIN, Offering
from shared.vocabulary import Capability, Datum, SiteKind, SiteStatus

DELIVERY_CENTER_ONLY = frozenset({Capability.VEHICLE_DELIVERY, Capability.USED_VEHICLE_SALES})
"""What the maker keeps for its own delivery centers: an agent store or a service point may never claim it."""


@dataclass(frozen=True, slots=True)
class Site:
    """A delivery center, agent store or service point, where it is and what it can do."""

    site_id: str
    name: str
    kind: SiteKind
    city: str
    district: str
    lat: float
    """WGS-84 degrees, whatever datum the network file used."""
    lon: float
    datum: Datum
    """The datum in which the point was given, kept to trace it back to its file."""
    capabilities: frozenset[Capability]
    status: SiteStatus = SiteStatus.OPEN
    weight: int = 1
    """Share among equals: a site of weight 2 gets twice the leads of its neighbour in the same mall."""
    open_lead_limit: int | None = None
    """Most leads it may hold unanswered at one time; None: no limit."""
    working_time: WorkingTime = ALWAYS
    daily_lead_limit: int | None = None
    """Most leads it may be given on one day of its own time zone, whatever becomes of them; None: no limit."""
    offering: Offering = PLAIN

    @property
    def time_zone(self) -> str:
        """IANA name of the zone in which its days begin."""
        return self.working_time.time_zone

    def to_row(self) -> dict[str, Any]:
        """The canonical row, ready for JSON; its key order and number format are part of the network's digest.

        What came after the first networks were imported stands in it only when it is given: their digests still hold.
        """
        row: dict[str, Any] = {
            "site_id": self.site_id,
            "name": self.name,
            "kind": str(self.kind),
            "city": self.city,
            "district": self.district,
            "lat": self.lat,
            "lon": self.lon,
            "datum": str(self.datum),
            "capabilities": list(_names_of(self.capabilities)),
            "status": str(self.status),
            "weight": self.weight,
            "open_lead_limit": self.open_lead_limit,
        }
        when, offering = self.working_time, self.offering
        later = {
            "daily_lead_limit": self.daily_lead_limit,
            "partner": offering.partner,
            "vehicles": sorted(offering.vehicles),
            "skills": sorted(offering.skills),
            "hours": when.hours,
            "time_zone": "" if when.time_zone == DEFAULT_ZONE else when.time_zone,
            "closures": [f"{first}..{last}" for first, last in when.closures],
            "opens_on": when.opens_on and when.opens_on.isoformat(),
            "closes_on": when.closes_on and when.closes_on.isoformat(),
        }
        return row | {name: value for name, value in later.items() if value}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Site":
        """The site of a canonical row. Raises KeyError or ValueError for anything else: rows are not user input."""
        limit = row["open_lead_limit"]
        return cls(
            site_id=row["site_id"],
            name=row["name"],
            kind=_KINDS[row["kind"]],
            city=row["city"],
            district=row["district"],
            lat=float(row["lat"]),
            lon=float(row["lon"]),
            datum=_DATUMS[row["datum"]],
            capabilities=_capabilities_of(tuple(row["capabilities"])),
            status=_STATUSES[row["status"]],
            weight=int(row["weight"]),
            open_lead_limit=None if limit is None else int(limit),
            working_time=_working_time(row),
            daily_lead_limit=row.get("daily_lead_limit"),
            offering=_offering(row),
        )


# A network of a hundred thousand sites has a few dozen sets of capabilities; an enum's own look-up costs a microsecond.
_KINDS, _DATUMS, _STATUSES = (
    {kind.value: kind for kind in SiteKind},
    {datum.value: datum for datum in Datum},
    {status.value: status for status in SiteStatus},
)


@lru_cache(maxsize=4_096)
def _names_of(capabilities: frozenset[Capability]) -> tuple[str, ...]:
    return tuple(sorted([capability.value for capability in capabilities]))


@lru_cache(maxsize=4_096)
def _capabilities_of(names: tuple[str, ...]) -> frozenset[Capability]:
    return frozenset([Capability(name) for name in names])


def _offering(row: Mapping[str, Any]) -> Offering:
    if row.keys().isdisjoint(Offering._fields):
        return PLAIN
    return Offering(row.get("partner", ""), frozenset(row.get("vehicles", ())), frozenset(row.get("skills", ())))


def _working_time(row: Mapping[str, Any]) -> WorkingTime:
    if row.keys().isdisjoint(WorkingTime._fields):
        return ALWAYS
    opens_on, closes_on = row.get("opens_on"), row.get("closes_on")
    return WorkingTime(
        row.get("hours", ""),
        row.get("time_zone", DEFAULT_ZONE),
        tuple([read_days(days) for days in row.get("closures", ())]),
        None if opens_on is None else date.fromisoformat(opens_on),
        None if closes_on is None else date.fromisoformat(closes_on),
    )


def forbidden_claims(kind: SiteKind, capabilities: frozenset[Capability]) -> list[Capability]:
    """Capabilities that a site of this kind may never have, sorted; empty when the 1+N rules are kept."""
    return [] if kind is SiteKind.DELIVERY_CENTER else sorted(capabilities & DELIVERY_CENTER_ONLY)


def canonical_rows(sites: Sequence[Site]) -> bytes:
    """The network as canonical JSON: rows in site-id order, the text that a revision keeps and its digest covers."""
    return orjson.dumps([site.to_row() for site in sorted(sites, key=lambda site: site.site_id)])


def network_digest(sites: Sequence[Site]) -> str:
    """SHA-256 (hex) of the canonical rows: the same for any input order."""
    return sha256(canonical_rows(sites)).hexdigest()
