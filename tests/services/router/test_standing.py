"""`waypost policy shares`, `explain` and `simulate` where partners have contracts, with a router that counts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.router.domain import month_of
from services.router.standing import month_named
from shared.errors import UserError
from shared.vocabulary import SiteStatus
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.test_changing import Waypost
from tests.services.router.world import World, received_record

MALL = (
    site("a-grand", partner="grand"),
    site("b-lucky", partner="lucky"),
    site("c-late", partner="late", status=SiteStatus.RECRUITING),
)
CONTRACTS = """
[[shares]]
city = "CITY"
partners = { grand = 60, lucky = 30, late = 5, grnd = 5 }
[[shares]]
city = "Nowhere"
partners = { grand = 100 }
"""
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def waypost(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Waypost:
    """The command on the world's database, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", world.settings.require_postgres())
    monkeypatch.setenv("COLUMNS", "240")
    return Waypost(tmp_path)


async def a_month(world: World, *, leads: int) -> None:
    """So many leads between two partners with contracts."""
    await world.set_up(*MALL, policy=f"{DEFAULT_POLICY}\n{CONTRACTS}")
    world.clock.now = NOW
    async with world.router() as router:
        for number in range(leads):
            await router.handle(received_record(2_000 + number, at=NOW))


async def test_each_contract_stands_beside_what_the_routers_counted(world: World, waypost: Waypost) -> None:
    await a_month(world, leads=10)

    told = await waypost.json("policy", "shares")

    assert (told["month"], told["policy_version"], told["network_revision"]) == (f"{month_of(NOW):%Y-%m}", 1, 1)
    assert [(one["city"], one["partner"], one["leads"]) for one in told["partners"]] == [
        ("CITY", "grand", 6),
        ("CITY", "lucky", 4),
        ("CITY", "late", 0),
        ("CITY", "grnd", 0),
        ("Nowhere", "grand", 0),
    ]
    assert [(one["share"], one["ahead"], one["open_sites"]) for one in told["partners"]][:3] == [
        (0.6, 0.0, 1),
        (0.4, 1.0, 1),
        (0.0, -0.5, 0),
    ]
    rows = await world.rows("SELECT partner, given FROM router.partner_months ORDER BY partner")
    assert rows == [("grand", 6), ("lucky", 4)]

    shown = await waypost("policy", "shares")
    assert "lucky 30% 4 40.0% +1.0 1" in " ".join(shown.split())
    assert "late has no open site in CITY: no lead until one opens" in shown
    assert "grnd has no site in CITY and gets none of its 5%" in shown
    assert "grand has no site in Nowhere and gets none of its 100%" in shown


async def test_another_month_and_a_contract_that_ended_are_told(world: World, waypost: Waypost) -> None:
    await a_month(world, leads=2)
    last_month = f"{month_of(NOW) - timedelta(days=1):%Y-%m}"

    past = await waypost.json("policy", "shares", "--month", last_month)
    assert {one["leads"] for one in past["partners"]} == {0}
    assert {one["share"] for one in past["partners"]} == {None}

    waypost.write("next.toml", f'{DEFAULT_POLICY}\n[[shares]]\ncity = "City"\npartners = {{ lucky = 30 }}\n')
    await waypost("policy", "publish", "next.toml")
    shown = await waypost("policy", "shares")
    assert "without a contract now: grand in city, 1 lead." in shown
    [left] = (await waypost.json("policy", "shares"))["without_contract"]
    assert left == {"city": "city", "partner": "grand", "leads": 1}


async def test_a_policy_without_shares_says_so_in_one_line(world: World, waypost: Waypost) -> None:
    await world.set_up(site("a"))
    shown = await waypost("policy", "shares")
    assert shown == "Policy version 1 has no shares: no partner has a contract for a city's leads.\n"
    assert (await waypost.json("policy", "shares"))["partners"] == []


@pytest.mark.parametrize("text", ["2026-13", "June", "2026-06-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no month"):
        month_named(text, NOW)


def test_a_month_is_named_by_its_first_day_and_begins_in_china() -> None:
    assert month_named("2026-02", NOW).isoformat() == "2026-02-01"
    assert month_named(None, datetime(2026, 6, 30, 16, tzinfo=UTC)).isoformat() == "2026-07-01"


async def test_explaining_knows_who_is_behind_this_month(world: World, waypost: Waypost) -> None:
    await a_month(world, leads=1)
    [(first,)] = await world.rows("SELECT partner FROM router.partner_months")
    assert first == "grand"

    where = ("--lat", "31.3", "--lon", "120.6", "--datum", "wgs84")
    told = await waypost.json("explain", "purchase", *where)

    assert told["site_id"] == "b-lucky"
    assert {one["site_id"]: one["share_behind"] for one in told["candidates"]} == {"a-grand": 20, "b-lucky": 60}


async def test_a_simulation_shows_what_contracts_do_and_cost(world: World, waypost: Waypost) -> None:
    await world.set_up(
        site("west", 31.3, 120.600, partner="grand"),
        site("east", 31.3, 120.610, partner="lucky"),
        policy=f'{DEFAULT_POLICY}\n[[shares]]\ncity = "City"\npartners = {{ grand = 20, lucky = 80 }}\n',
    )
    rows = "".join(f"purchase,31.3,120.601,wgs84,2026-03-01T10:{minute:02}:00Z\n" for minute in range(40))
    waypost.write("leads.csv", "intent,lat,lon,datum,received_at\n" + rows)

    told: dict[str, Any] = await waypost.json("policy", "simulate", "--leads", "leads.csv", "--tie-band", "50,2000")
    narrow, wide = (one["shares"] for one in told["simulations"])
    assert (narrow["moved"], narrow["moved_km_more"]) == (0, None)
    assert [(one["partner"], one["leads"], one["leads_without"]) for one in narrow["partners"]] == [
        ("grand", 40, 40),
        ("lucky", 0, 0),
    ]
    assert [(one["leads"], one["share"], one["ahead"], one["leads_without"]) for one in wide["partners"]] == [
        (8, 0.2, 0, 20),
        (32, 0.8, 0, 20),
    ]
    assert wide["moved"] >= 12
    assert (wide["gini_without"], told["simulations"][1]["gini"]) == (0, pytest.approx(0.3))
    assert wide["mean_km_without"] < told["simulations"][1]["mean_km"]

    both = await waypost("policy", "simulate", "--leads", "leads.csv", "--tie-band", "50,2000")
    assert "Shares of partners, by tie band" in both
    assert "Shares with a band of 50 m: 0 of 40 assigned leads" in both
    waypost.write("wide.toml", (await waypost("policy", "show")).replace("tie_band_m = 50", "tie_band_m = 2000"))
    one = await waypost("policy", "simulate", "--leads", "leads.csv", "--policy", "wide.toml")
    assert "lucky 80% 32 80.0%" in " ".join(one.split())
    assert f"Shares: {wide['moved']} of 40 assigned leads went to another site because of them, on average 7" in one
    assert "Without shares: mean 0.48 km, Gini 0.000." in one


async def test_a_policy_with_shares_is_tried_from_a_month_without_leads(world: World, waypost: Waypost) -> None:
    await a_month(world, leads=10)
    waypost.write("plain.toml", DEFAULT_POLICY)
    waypost.write("half.toml", DEFAULT_POLICY + CONTRACTS.replace("grand = 60, lucky = 30", "grand = 45, lucky = 45"))

    # So far ahead that nothing more would go to it, if the real month counted.
    await world.db.execute("UPDATE router.partner_months SET given = 500 WHERE partner = 'grand'")
    told = await waypost.json("policy", "try", "half.toml", "--last", "1h")
    assert [(one["site_id"], one["before"], one["after"]) for one in told["sites"]] == [
        ("a-grand", 6, 5),
        ("b-lucky", 4, 5),
    ]
    assert [
        (one["partner"], one["percent"], one["leads_before"], one["leads_after"]) for one in told["shares"][:2]
    ] == [("grand", 45, 6, 5), ("lucky", 45, 4, 5)]
    assert [(one["share_before"], one["share_after"]) for one in told["shares"][:2]] == [(0.6, 0.5), (0.4, 0.5)]

    # Without a contract in the file, the one of now is what it is seen by.
    shown = await waypost("policy", "try", "plain.toml", "--last", "1h")
    assert "CITY grand 60% 6 5 60.0% 50.0%" in " ".join(shown.split())
    assert "each starting with idle sites, and partners without a lead this month." in shown
