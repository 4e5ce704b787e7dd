"""The same sites and leads for every contestant, from a seed: clusters round 17 city centres."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np

from services.router.sites import Site
from shared.contracts import LEADS_RECEIVED, LeadReceived, Place, derived_id
from shared.vocabulary import Accuracy, Capability, Channel, Datum, Intent, SiteKind

RECEIVED_AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CITY_SPREAD_DEG = 0.15
"""About 15 km: most of a Chinese city's districts."""
INTENTS = (Intent.PURCHASE, Intent.TEST_DRIVE, Intent.MAINTENANCE, Intent.BODY_REPAIR, Intent.VEHICLE_DELIVERY)


@dataclass(frozen=True)
class Lead:
    """One lead as the peers see it."""

    lead_id: UUID
    intent: Intent
    lat: float
    lon: float
    record: bytes
    """Value of its leads.received record."""

    @property
    def key(self) -> bytes:
        """Record key."""
        return str(self.lead_id).encode()


def city_centres() -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """(17, 2) latitudes and longitudes, the mean of each demo city's sites."""
    points: dict[str, list[tuple[float, float]]] = {}
    file = Path(__file__).parent.parent / "deploy" / "demo" / "network.csv"
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            points.setdefault(row["city"], []).append((float(row["lat"]), float(row["lon"])))
    return np.array([np.mean(points[city], axis=0) for city in sorted(points)])


def make_sites(count: int, seed: int = 7) -> list[Site]:
    """`count` open sites: one delivery center in ten, the rest agent stores and service points."""
    rng = np.random.default_rng(seed)
    centres = city_centres()
    points = centres[rng.integers(len(centres), size=count)] + rng.normal(0, CITY_SPREAD_DEG, (count, 2))
    service = {Capability.MAINTENANCE, Capability.MECHANICAL_REPAIR, Capability.BODY_REPAIR, Capability.PAINT_REPAIR}
    selling = {Capability.SALES, Capability.TEST_DRIVE}
    kinds = {
        0: (SiteKind.DELIVERY_CENTER, frozenset(Capability)),
        1: (SiteKind.SERVICE_POINT, frozenset(service)),
        2: (SiteKind.AGENT_STORE, frozenset(selling)),
        3: (SiteKind.AGENT_STORE, frozenset(selling | service)),
    }
    sites = []
    for number, (lat, lon) in enumerate(points.round(6).tolist()):
        kind, capabilities = kinds[0 if number % 10 == 0 else 1 + number % 3]
        sites.append(
            Site(f"site-{number:06}", f"Site {number}", kind, "city", "district", lat, lon, Datum.WGS84, capabilities)
        )
    return sites


def make_leads(count: int, seed: int = 11) -> list[Lead]:
    """`count` leads of as many people, near the same centres; the same seed gives the same bytes."""
    rng = np.random.default_rng(seed)
    centres = city_centres()
    points = (centres[rng.integers(len(centres), size=count)] + rng.normal(0, CITY_SPREAD_DEG, (count, 2))).round(4)
    return leads_at(points.tolist(), range(count), seed)


def leads_at(points: Sequence[Sequence[float]], persons: Sequence[int], seed: int) -> list[Lead]:
    """A lead at each point (latitude, longitude), the intents in turn; equal numbers in `persons` are one person."""
    leads = []
    for number, ((lat, lon), person) in enumerate(zip(points, persons, strict=True)):
        # Time-ordered, as the intake makes them: 48 bits that grow, then bits that differ.
        lead_id = UUID(int=((1_770_000_000_000 + number) << 80) | (seed << 64) | number, version=4)
        intent = INTENTS[number % len(INTENTS)]
        data = LeadReceived(
            lead_id=lead_id,
            person_id=derived_id("bench-person", seed, person),
            intent=intent,
            place=Place(lat=lat, lon=lon, accuracy=Accuracy.POINT, given_datum=Datum.WGS84),
            source="bench",
            channel=Channel.FORM,
            consent_version="2026-01",
            consent_at=RECEIVED_AT,
            received_at=RECEIVED_AT,
        )
        fact = LEADS_RECEIVED.fact(
            data,
            id=derived_id("received", lead_id),
            source="lead_intake",
            subject=str(lead_id),
            time=RECEIVED_AT,
        )
        leads.append(Lead(lead_id, intent, lat, lon, fact.to_bytes()))
    return leads
