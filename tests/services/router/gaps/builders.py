"""A small network around Suzhou and Hefei, and demand that it cannot meet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.router.gaps.demand import Unmet
from services.router.gaps.report import Report, make_report
from services.router.sites import Site
from services.router.snapshot import Snapshot
from shared.vocabulary import Capability, Intent, SiteKind, SiteStatus
from tests.services.router.networks import NOW, policy, site

SALES = (Capability.SALES, Capability.TEST_DRIVE)


def named(site: Site, name: str, city: str, district: str) -> Site:
    """The site with the words that people know it by."""
    return Site.from_row({**site.to_row(), "name": name, "city": city, "district": district})


CENTER = named(site("sz-center", 31.22, 120.58), "Suzhou <1> center", "Suzhou", "Wuzhong")
STORE = named(
    site("sz-store", 31.31, 120.62, kind=SiteKind.AGENT_STORE, capabilities=SALES, limit=1),
    "Plaza store",
    "Suzhou",
    "Gusu",
)
COMING = named(
    site("hf-store", 31.85, 117.26, kind=SiteKind.AGENT_STORE, capabilities=SALES, status=SiteStatus.RECRUITING),
    "Hefei store",
    "Hefei",
    "Shushan",
)
NETWORK = (CENTER, STORE, COMING)


def unmet(
    lat: float | None,
    lon: float | None,
    leads: int = 1,
    *,
    intent: Intent = Intent.PURCHASE,
    reason: str = "too_far",
    waited: timedelta = timedelta(hours=1),
    travelled_km: float | None = None,
) -> Unmet:
    """Leads of one point."""
    travelled_m = None if travelled_km is None else round(travelled_km * 1000)
    return Unmet(intent, lat, lon, reason, leads, NOW - waited, travelled_m)


HEFEI = (
    unmet(31.8400, 117.2500, 3, waited=timedelta(days=2, hours=3)),
    unmet(31.8600, 117.2700, 2, intent=Intent.TEST_DRIVE),
    unmet(31.8500, 117.2600, 1, intent=Intent.VEHICLE_DELIVERY, reason="all_declined"),
)
SUZHOU = (unmet(31.3100, 120.6200, 1, reason="all_full"),)
NOWHERE = (unmet(None, None, 4, reason="location_unclear"),)


def report(*demand: Unmet, sites: Sequence[Site] = NETWORK, count: int = 1, now: datetime = NOW) -> Report:
    """The report on this demand under the default policy."""
    return make_report(demand, Snapshot.build(sites, 3), policy(), count, now)
