"""The three sites, the policy and the day that audit's tests are about."""

from datetime import UTC, datetime, timedelta

from services.router.snapshot import Site
from shared.kafka import Record
from shared.vocabulary import Capability, Datum, Intent, SiteKind

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = "".join(
    ["candidates = 4\n"]
    + [
        f"[intents.{intent.value}]\nrequires = ['{capability}']\nkinds = {kinds}\n"
        "max_distance_km = 50\nrespond_by_minutes = 15\n"
        for intent, capability, kinds in (
            (Intent.PURCHASE, "sales", ["delivery_center", "agent_store"]),
            (Intent.TEST_DRIVE, "test_drive", ["delivery_center", "agent_store"]),
            (Intent.VEHICLE_DELIVERY, "vehicle_delivery", ["delivery_center"]),
            (Intent.USED_VEHICLE, "used_vehicle_sales", ["delivery_center"]),
            (Intent.TRADE_IN, "used_vehicle_sales", ["delivery_center"]),
            (Intent.MAINTENANCE, "maintenance", ["delivery_center", "agent_store", "service_point"]),
            (Intent.MECHANICAL_REPAIR, "mechanical_repair", ["delivery_center", "agent_store"]),
            (Intent.BODY_REPAIR, "body_repair", ["delivery_center", "agent_store"]),
            (Intent.PAINT_REPAIR, "paint_repair", ["delivery_center", "agent_store"]),
        )
    ]
)


def site(site_id: str, lat: float, lon: float, name: str = "") -> Site:
    """An agent store that sells and repairs."""
    able = {Capability.SALES, Capability.TEST_DRIVE, Capability.MAINTENANCE, Capability.BODY_REPAIR}
    return Site(
        site_id=site_id,
        name=name or f"Store {site_id}",
        kind=SiteKind.AGENT_STORE,
        city="Suzhou",
        district="Wuzhong",
        lat=lat,
        lon=lon,
        datum=Datum.WGS84,
        capabilities=frozenset(able),
    )


SITES = (
    site("near", 31.3000, 120.6000, "Lakeside"),
    site("middle", 31.3300, 120.6000, "Old Town"),
    site("far", 31.4000, 120.6000, "North Gate"),
)


def record_of(topic: str, key: bytes, value: bytes, *, partition: int = 0, offset: int = 0) -> Record:
    """A record as the consumer hands it over."""
    return Record(topic, partition, offset, key, value, int(START.timestamp() * 1000))
