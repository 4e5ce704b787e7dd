"""What a report says of a demand."""

import json
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.gaps.demand import TRAVELLED_FAR
from services.router.gaps.geojson import as_geojson, as_json
from services.router.gaps.report import Gap
from services.router.sites import WorkingTime
from shared.vocabulary import Capability, Intent, SiteKind
from tests.services.router.gaps.builders import CENTER, COMING, HEFEI, NETWORK, NOWHERE, STORE, SUZHOU, report, unmet
from tests.services.router.networks import NOW, site


def gap_at(label: str, gaps: tuple[Gap, ...]) -> Gap:
    [gap] = [gap for gap in gaps if gap.place.label == label]
    return gap


def test_gaps_are_told_by_district_the_largest_first() -> None:
    told = report(*SUZHOU, *HEFEI, *NOWHERE)
    assert (told.waiting, told.unplaced, told.travelled) == (11, 4, 0)
    assert [(gap.place.label, gap.leads) for gap in told.gaps] == [("Hefei Shushan", 6), ("Suzhou Gusu", 1)]
    hefei = gap_at("Hefei Shushan", told.gaps)
    assert hefei.by_reason == {"too_far": 5, "all_declined": 1}
    assert hefei.by_intent == {"purchase": 3, "test_drive": 2, "vehicle_delivery": 1}
    assert hefei.oldest == NOW - timedelta(days=2, hours=3)


def test_a_lead_at_zero_of_an_old_ledger_asks_for_no_site_in_the_sea() -> None:
    told = report(unmet(0.0, 0.0, leads=3), unmet(0.0001, -0.0, leads=2))

    assert (told.waiting, told.unplaced, told.suggestions) == (5, 5, ())


def test_distance_is_to_the_nearest_open_site_that_could_serve_the_intent() -> None:
    told = report(*HEFEI, *SUZHOU)
    hefei, suzhou = gap_at("Hefei Shushan", told.gaps), gap_at("Suzhou Gusu", told.gaps)
    # The recruiting store stands among them, but is not open; Suzhou is 320 km away.
    assert hefei.mean_km == pytest.approx(320, abs=5)
    assert hefei.mean_km is not None
    assert hefei.worst_km is not None
    assert hefei.worst_km >= hefei.mean_km
    assert hefei.nearest == CENTER
    # The store is full, and near all the same.
    assert (suzhou.nearest, suzhou.worst_km) == (STORE, 0)


@pytest.mark.parametrize(
    ("working_time", "is_shown"),
    [
        (STORE.working_time._replace(opens_on=(NOW + timedelta(days=30)).date()), True),
        (STORE.working_time._replace(closes_on=(NOW - timedelta(days=30)).date()), False),
    ],
)
def test_a_site_before_its_first_and_after_its_last_day_serves_nobody(
    working_time: WorkingTime, is_shown: bool
) -> None:
    there = replace(STORE, working_time=working_time)
    told = report(*SUZHOU, sites=[CENTER, there])
    [gap] = told.gaps
    assert gap.nearest == CENTER
    # What is to come is shown beside the demand that waits for it; what is over is not.
    assert [(site.site_id, site.status.value) for site in told.sites if site != CENTER] == (
        [("sz-store", "planned")] if is_shown else []
    )


def test_a_demand_that_no_site_can_serve_has_no_distance() -> None:
    paint = unmet(31.31, 120.62, 2, intent=Intent.PAINT_REPAIR, reason="no_capable_site")
    told = report(paint, sites=[STORE])
    [gap] = told.gaps
    assert (gap.mean_km, gap.worst_km, gap.nearest, gap.without_site) == (None, None, None, 2)
    assert (told.before.within, told.before.mean_km, told.before.without_site) == (0, None, 2)
    assert (told.after.within, told.after.mean_km, told.after.without_site) == (2, 0, 0)


def test_the_next_site_goes_to_the_city_that_waits_and_says_what_it_must_do() -> None:
    told = report(*HEFEI, *SUZHOU, *NOWHERE)
    [one] = told.suggestions
    assert (one.lat, one.lon) == pytest.approx((31.85, 117.26), abs=0.02)
    assert one.place.label == "Hefei Shushan"
    assert one.leads == 6
    assert one.mean_km_before == pytest.approx(320, abs=5)
    assert one.mean_km_after < 3
    assert one.capabilities == (Capability.SALES, Capability.TEST_DRIVE, Capability.VEHICLE_DELIVERY)
    # Only a delivery center may deliver; a service point sells nothing.
    assert one.leads_by_kind == {SiteKind.DELIVERY_CENTER: 6, SiteKind.AGENT_STORE: 5, SiteKind.SERVICE_POINT: 0}
    assert (told.before.within, told.after.within) == (1, 7)
    assert told.before.mean_km is not None
    assert told.after.mean_km is not None
    assert told.after.mean_km < 3 < told.before.mean_km


def test_a_second_site_serves_the_second_city() -> None:
    told = report(*HEFEI, *SUZHOU, count=2)
    assert [one.place.label for one in told.suggestions] == ["Hefei Shushan", "Suzhou Gusu"]
    assert [one.leads for one in told.suggestions] == [6, 1]
    # No third place would help anybody more than a metre.
    assert len(report(*SUZHOU, count=3).suggestions) == 1


def test_leads_that_travelled_far_gain_only_by_a_shorter_way() -> None:
    travelled = unmet(31.60, 120.60, 3, reason=TRAVELLED_FAR, travelled_km=42.3)
    told = report(travelled)
    assert (told.waiting, told.travelled) == (0, 3)
    [one] = told.suggestions
    assert (one.lat, one.lon, one.leads) == (31.60, 120.60, 3)
    assert one.mean_km_after == 0
    at_the_door = unmet(31.22, 120.58, 3, reason=TRAVELLED_FAR, travelled_km=0)
    assert report(at_the_door).suggestions == ()


def test_without_demand_and_without_a_network_there_is_still_a_report() -> None:
    empty = report()
    assert (empty.waiting, empty.gaps, empty.suggestions, empty.sites) == (0, (), (), ())
    assert as_geojson(empty) == {"type": "FeatureCollection", "features": []}
    nothing_open = report(*HEFEI, sites=[])
    assert [gap.place.label for gap in nothing_open.gaps] == ["no site in the network"]
    assert len(nothing_open.suggestions) == 1


@given(st.permutations([*HEFEI, *SUZHOU, *NOWHERE]), st.integers(1, 3))
def test_the_order_of_the_demand_changes_nothing(shuffled: list[object], count: int) -> None:
    told = orjson.dumps(as_json(report(*shuffled, count=count)))  # type: ignore[arg-type]
    assert told == orjson.dumps(as_json(report(*HEFEI, *SUZHOU, *NOWHERE, count=count)))


def test_every_lead_is_counted_once_by_reason_by_intent_and_by_place() -> None:
    told = report(*HEFEI, *SUZHOU, *NOWHERE)
    assert sum(gap.leads for gap in told.gaps) == told.waiting - told.unplaced
    for gap in told.gaps:
        assert sum(gap.by_reason.values()) == sum(gap.by_intent.values()) == gap.leads


def test_the_map_layer_has_demand_suggestions_and_capable_sites_and_no_finer_point_than_facts() -> None:
    fine = unmet(31.840012345, 117.250098765)
    bodyshop = site("sz-body", capabilities=(Capability.BODY_REPAIR,))
    layer = json.loads(orjson.dumps(as_geojson(report(fine, *HEFEI, sites=[*NETWORK, bodyshop]))))
    kinds = [feature["properties"]["kind"] for feature in layer["features"]]
    assert kinds == ["demand"] * 4 + ["suggested_site"] + ["site"] * 3
    points = [feature["geometry"]["coordinates"] for feature in layer["features"]]
    assert [117.2501, 31.84] in points
    assert all(round(number, 4) == number for point in points for number in point)
    sites = {
        f["properties"]["site_id"]: f["properties"]["status"] for f in layer["features"] if "site_id" in f["properties"]
    }
    assert sites == {CENTER.site_id: "open", STORE.site_id: "open", COMING.site_id: "recruiting"}
    [suggested] = [f["properties"] for f in layer["features"] if f["properties"]["kind"] == "suggested_site"]
    assert (suggested["rank"], suggested["place"], suggested["leads"]) == (1, "Hefei Shushan", 7)
