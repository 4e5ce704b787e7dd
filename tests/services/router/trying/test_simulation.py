from collections.abc import Sequence
from datetime import timedelta
from io import StringIO

import pytest

from services.router.snapshot import Site, Snapshot
from services.router.trying import LeadColumns, Setting, Simulation, read_lead_csv, simulate
from shared.vocabulary import Capability, SiteStatus
from tests.services.router.networks import NOW, policy, site

WEST, EAST = site("west", 31.3, 120.600), site("east", 31.3, 120.610)  # 953 m apart


def leads(count: int, lon: float, *, minutes_apart: float | None = None) -> LeadColumns:
    """Purchase leads at one point, all at once unless said otherwise."""
    times = [
        "" if minutes_apart is None else f",{(NOW + timedelta(minutes=minutes_apart * number)).isoformat()}"
        for number in range(count)
    ]
    header = "intent,lat,lon,datum" + ("" if minutes_apart is None else ",received_at")
    rows = [f"purchase,31.3,{lon},wgs84{time}" for time in times]
    file = read_lead_csv(StringIO("\n".join([header, *rows]), newline=""))
    assert not file.bad
    return file.leads


def run(network: Sequence[Site], band_m: float, columns: LeadColumns) -> Simulation:
    """Simulate, and see that every lead was told of."""
    done: list[int] = []
    found = simulate(Setting(Snapshot.build(network, 1), policy(tie_band_m=band_m)), columns, NOW, done.append)
    assert sum(done) == found.leads == len(columns)
    return found


def test_a_wider_band_buys_fairness_for_distance() -> None:
    narrow, wide = (run([WEST, EAST], band_m, leads(100, 120.601)) for band_m in (50, 2000))
    assert {one.site_id: one.leads for one in narrow.sites} == {"west": 100, "east": 0}
    assert {one.site_id: one.leads for one in wide.sites} == {"west": 50, "east": 50}
    assert (narrow.gini, wide.gini) == (0.5, 0)
    assert narrow.mean_km is not None
    assert wide.mean_km is not None
    assert narrow.mean_km < wide.mean_km
    assert wide.p50_km == pytest.approx((0.095 + 0.857) / 2, abs=0.001)
    assert wide.p95_km == 0.857


def test_shares_count_open_sites_that_may_serve_an_intent_of_the_file() -> None:
    idle = [site("closed", status=SiteStatus.CLOSED), site("paints", capabilities=[Capability.PAINT_REPAIR])]
    found = run([WEST, EAST, *idle], 0, leads(3, 120.6))
    assert sorted(one.site_id for one in found.sites) == ["east", "west"]


def test_with_times_a_site_lets_go_at_its_deadline() -> None:
    limited = [site("west", 31.3, 120.6, limit=1)]
    at_once = run(limited, 0, leads(5, 120.6))
    assert (at_once.assigned, at_once.waiting) == (1, {"all_full": 4})
    assert run(limited, 0, leads(5, 120.6, minutes_apart=30)).assigned == 5


def test_without_any_site_nothing_is_measured() -> None:
    found = run([], 0, leads(2, 120.6))
    assert (found.assigned, found.waiting, found.sites) == (0, {"no_capable_site": 2}, ())
    assert (found.mean_km, found.p50_km, found.p95_km, found.gini) == (None, None, None, 0)
