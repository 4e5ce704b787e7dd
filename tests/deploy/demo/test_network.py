"""The committed network is what its script makes, and it is a network that the product accepts."""

import csv
from collections import Counter, defaultdict

import pytest

from deploy.demo.make_network import FOLDER, MALL_DOORS_APART_M, RECRUITING, make_network, read_districts
from services.router.geo import ecef_m
from services.router.sites.site import forbidden_claims
from shared.datum import to_wgs84
from shared.vocabulary import Capability, Datum, SiteKind, SiteStatus

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with (FOLDER / "network.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def wgs84(row: Row) -> tuple[float, float]:
    return to_wgs84(float(row["lat"]), float(row["lon"]), Datum(row["datum"]))


def metres(one: tuple[float, float], two: tuple[float, float]) -> float:
    points = ecef_m([one[0], two[0]], [one[1], two[1]])
    return float(((points[0] - points[1]) ** 2).sum() ** 0.5)


def test_the_committed_file_is_what_the_script_makes() -> None:
    assert (FOLDER / "network.csv").read_text(encoding="utf-8") == make_network()


def test_no_site_claims_what_its_kind_may_not_do(rows: list[Row]) -> None:
    for row in rows:
        capabilities = frozenset(Capability(name) for name in row["capabilities"].split("|"))
        assert forbidden_claims(SiteKind(row["kind"]), capabilities) == [], row["site_id"]


def test_each_of_the_17_cities_has_one_delivery_center_and_several_partners(rows: list[Row]) -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        kinds[row["city"]][row["kind"]] += 1
    assert len(kinds) == 17
    for city, count in kinds.items():
        assert count["delivery_center"] == 1, city
        assert count["agent_store"] >= 3, city
        assert count["service_point"] >= 1, city


def test_recruiting_cities_have_no_open_site_and_the_others_only_open_ones(rows: list[Row]) -> None:
    for row in rows:
        city_id = row["site_id"].split("-")[0]
        expected = SiteStatus.RECRUITING if city_id in RECRUITING else SiteStatus.OPEN
        assert row["status"] == expected, row["site_id"]


def test_all_three_datums_are_used_and_every_site_is_near_its_district(rows: list[Row]) -> None:
    assert {row["datum"] for row in rows} == set(Datum)
    points = {(d.city, d.name): (d.lat, d.lon) for districts in read_districts().values() for d in districts}
    for row in rows:
        # A wrong conversion would move the site by 400 m or more beyond the 1.2 km that the layout uses.
        assert metres(wgs84(row), points[row["city"], row["district"]]) < 1_220, row["site_id"]


def test_two_stores_share_one_mall_and_no_other_sites_stand_so_close(rows: list[Row]) -> None:
    close = [
        (one["site_id"], two["site_id"], metres(wgs84(one), wgs84(two)))
        for number, one in enumerate(rows)
        for two in rows[number + 1 :]
        if one["city"] == two["city"] and metres(wgs84(one), wgs84(two)) < 50
    ]
    assert [pair[:2] for pair in close] == [("suzhou-huqiu-store", "suzhou-huqiu-store-2")]
    assert close[0][2] == pytest.approx(MALL_DOORS_APART_M, abs=0.5)


def test_site_ids_are_unique(rows: list[Row]) -> None:
    assert len({row["site_id"] for row in rows}) == len(rows)
