"""`waypost network gaps` on a ledger that a router wrote."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.verbs import app
from shared.contracts import Answer
from shared.errors import UserError
from shared.vocabulary import Intent
from tests.services.router.gaps.builders import CENTER, COMING, NETWORK, STORE
from tests.services.router.world import World, answered_record, erased_record, received_record

SUZHOU, HEFEI = (31.31, 120.62), (31.84, 117.25)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def waypost(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Waypost":
    """The command on the world's database, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", world.settings.require_postgres())
    monkeypatch.setenv("COLUMNS", "240")
    return Waypost()


class Waypost:
    """Runs `waypost network gaps ...`, apart from the loop of the test."""

    async def __call__(self, *arguments: str) -> str:
        """What the command prints; what it complains of is raised."""
        result = await asyncio.to_thread(
            CliRunner().invoke, app, ["network", "gaps", *arguments], standalone_mode=False
        )
        if result.exception is not None:
            raise result.exception
        return result.stdout

    async def json(self, *arguments: str) -> dict[str, Any]:
        """The same for machines."""
        told: dict[str, Any] = json.loads(await self("--json", *arguments))
        return told


async def test_waiting_leads_are_told_by_district_and_a_place_is_suggested(world: World, waypost: Waypost) -> None:
    await world.set_up(*NETWORK)
    async with world.router() as router:
        await router.handle(
            received_record(801, HEFEI, at=NOW - timedelta(hours=30)),
            received_record(802, (31.86, 117.27), intent=Intent.TEST_DRIVE, at=NOW),
            received_record(803, None, at=NOW),
            received_record(804, SUZHOU, at=NOW),
        )
    told = await waypost.json()
    assert (told["leads_waiting"], told["leads_waiting_without_place"], told["leads_travelled_far"]) == (3, 1, 0)
    [gap] = told["gaps"]
    assert (gap["place"], gap["leads"], gap["by_reason"]) == ("Hefei Shushan", 2, {"too_far": 2})
    assert gap["by_intent"] == {"purchase": 1, "test_drive": 1}
    assert gap["nearest_site"] == CENTER.site_id
    assert gap["oldest"] == (NOW - timedelta(hours=30)).isoformat()
    [place] = told["suggested_sites"]
    assert (place["lat"], place["lon"]) == pytest.approx((31.85, 117.26), abs=0.02)
    assert (told["before"]["leads_within_reach"], told["after"]["leads_within_reach"]) == (0, 2)

    shown = await waypost()
    assert "3 leads wait for a site." in shown
    assert "1 of them has no clear place and cannot be shown." in shown
    assert "Hefei Shushan" in shown
    assert "1 d 6 h" in shown


async def test_an_erased_lead_and_one_that_found_its_site_are_no_demand(world: World, waypost: Waypost) -> None:
    await world.set_up(*NETWORK)
    async with world.router() as router:
        await router.handle(received_record(811, HEFEI, person=7, at=NOW), received_record(812, HEFEI, at=NOW))
        await router.handle(erased_record(7, 811))
    assert (await waypost.json())["leads_waiting"] == 1

    async with world.router() as router:
        await router.handle(erased_record(10_812, 812))
    assert await waypost() == "No demand is unmet: no lead waits for a site.\n"
    assert (await waypost.json())["gaps"] == []


async def test_the_reason_told_is_that_of_the_latest_decision(world: World, waypost: Waypost) -> None:
    await world.set_up(STORE)
    async with world.router() as router:
        await router.handle(received_record(821, SUZHOU, at=NOW))
        await router.handle(received_record(822, SUZHOU, at=NOW))
        assert (await waypost.json())["gaps"][0]["by_reason"] == {"all_full": 1}
        await router.handle(answered_record(821, 1, STORE.site_id, Answer.DECLINED, at=NOW))
    assert (await waypost.json())["gaps"][0]["by_reason"] == {"all_declined": 1, "all_full": 1}


async def test_leads_of_a_window_that_went_far_count_when_asked_for(world: World, waypost: Waypost) -> None:
    await world.set_up(*NETWORK)
    far = (31.60, 120.60)  # 32 km from the store
    async with world.router() as router:
        await router.handle(received_record(831, far, at=NOW - timedelta(days=3)))
        await router.handle(received_record(832, far, intent=Intent.VEHICLE_DELIVERY, person=9, at=NOW))
        await router.handle(
            received_record(833, SUZHOU, at=NOW), received_record(834, far, at=NOW - timedelta(days=40))
        )
        await router.handle(erased_record(9, 832))
    assert (await waypost.json())["leads_travelled_far"] == 0

    told = await waypost.json("--last", "30d", "--far-km", "20")
    assert (told["leads_waiting"], told["leads_travelled_far"]) == (0, 1)
    [gap] = told["gaps"]
    assert gap["by_reason"] == {"travelled_far": 1}
    [place] = told["suggested_sites"]
    assert (place["lat"], place["lon"], place["mean_km_after"]) == (31.60, 120.60, 0)
    assert (await waypost.json("--last", "60d", "--far-km", "20"))["leads_travelled_far"] == 2
    assert (await waypost.json("--last", "60d", "--far-km", "80"))["leads_travelled_far"] == 0


async def test_map_and_page_are_written_and_hold_no_id_of_lead_or_person(
    world: World, waypost: Waypost, tmp_path: Path
) -> None:
    await world.set_up(*NETWORK)
    async with world.router() as router:
        await router.handle(*[received_record(840 + number, HEFEI, at=NOW) for number in range(4)])
    shown = await waypost("--geojson", "gaps.geojson", "--html", "gaps.html", "--sites", "2")
    assert "Written: gaps.geojson" in shown
    layer = json.loads((tmp_path / "gaps.geojson").read_text())
    assert [f["properties"]["kind"] for f in layer["features"]] == ["demand", "suggested_site", "site", "site", "site"]
    assert layer["features"][0]["properties"]["leads"] == 4
    assert layer["features"][0]["geometry"]["coordinates"] == [117.25, 31.84]
    page = (tmp_path / "gaps.html").read_text()
    assert COMING.name in page
    ids = [str(one) for row in await world.rows("SELECT lead_id, person_id FROM router.leads") for one in row]
    assert len(ids) == 8
    assert not [one for one in ids if one in page or one in json.dumps(layer)]


async def test_what_cannot_be_done_is_said_in_a_line(world: World, waypost: Waypost) -> None:
    await world.set_up(*NETWORK)
    with pytest.raises(UserError, match="--last and --far-km go together"):
        await waypost("--last", "30d")
    with pytest.raises(UserError, match="--last 'soon' is no length of time"):
        await waypost("--last", "soon", "--far-km", "20")
    with pytest.raises(UserError, match=r"nowhere/gaps.html cannot be written"):
        await waypost("--html", "nowhere/gaps.html")
    await world.db.execute("TRUNCATE router.policies")
    with pytest.raises(UserError, match="no policy has been published yet"):
        await waypost()
