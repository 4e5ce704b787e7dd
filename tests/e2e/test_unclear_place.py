"""A lead that may be in several cities waits by name, until its city, a postal code, a map or a person says where."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.local import Stack
from tests.faults.system import System, installation
from tests.services.lead_intake.geocoding.map_service import KEY, geocode, map_service

ADDRESS = "鼓楼区"
STREET = "平江路1号"
"""In no list; the map service knows it."""


@pytest.fixture(scope="module")
async def system(
    stack: Stack, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """All services running, with the demo's network."""
    folder: Path = tmp_path_factory.mktemp("unclear")
    codes = folder / "codes.csv"
    codes.write_text("postal_code,lat,lon,datum\n215021,31.32,120.72,wgs84\n")
    async with map_service() as service:
        service.amap_places = {
            STREET: [geocode(120.635, 31.315, "门牌号", "320508")],
            "苏州市": [geocode(120.585, 31.299, "市", "320500")],
        }
        chosen = {
            "POSTAL_CODES": str(codes),
            "GEOCODER": "amap",
            "GEOCODER_URL": service.url,
            "GEOCODER_KEY": KEY,
            "GEOCODER_TIMEOUT_S": "5",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in chosen.items():
                patch.setenv(f"WAYPOST_{name}", value)
            async with installation(stack, postgres_dsn, topic_prefix, folder) as running:
                yield running


async def decided(http: aiohttp.ClientSession, front_door: str, phone: str, location: dict[str, str]) -> dict[str, Any]:
    """Send a lead and wait for what becomes of it."""
    form = {
        "intent": "test_drive",
        "contact": {"name": "Test Person", "phone": phone},
        "location": location,
        "consent": {"given_at": "2026-03-02T09:00:00+08:00", "text_version": "2026-01"},
    }
    async with http.post(front_door, json=form) as response:
        assert response.status == 202, await response.text()
        lead_id = (await response.json())["lead_id"]
    return await state_of(http, f"{front_door}/{lead_id}", epoch=1)


async def state_of(http: aiohttp.ClientSession, lead: str, *, epoch: int) -> dict[str, Any]:
    """The lead's state, once it is known to be at this epoch."""
    state: dict[str, Any] = {"epoch": 0}
    async with asyncio.timeout(60):
        while state["epoch"] < epoch:
            await asyncio.sleep(0.1)
            async with http.get(lead) as response:
                state = await response.json()
    return state


async def test_an_ambiguous_place_waits_with_its_candidates_and_a_clear_one_is_assigned(system: System) -> None:
    key = (await system.clean("source", "add", "web-form", "--key-only")).strip()
    front_door = f"{system.services.intake_url}/v1/leads"

    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as http:
        unclear = await decided(http, front_door, "+86 174 0000 0001", {"text": ADDRESS})
        clear = await decided(http, front_door, "+86 174 0000 0002", {"text": f"南京 {ADDRESS}"})
        coded = await decided(http, front_door, "+86 174 0000 0003", {"plus_code": "8J22+22 苏州"})
        posted = await decided(http, front_door, "+86 174 0000 0004", {"text": "215021"})
        looked_up = await decided(http, front_door, "+86 174 0000 0005", {"text": STREET})
        far = await decided(http, front_door, "+86 174 0000 0006", {"province": "新疆", "city": "喀什地区"})

    assert (unclear["state"], unclear["reason"]) == ("waiting", "location_unclear")
    assert {"adcode": "320106", "name": "南京市鼓楼区"} in unclear["place_candidates"]
    assert len(unclear["place_candidates"]) == 4
    assert (far["state"], far["reason"]) == ("waiting", "too_far")
    assert "place_candidates" not in far
    assert {one["state"] for one in (clear, coded, posted, looked_up)} == {"assigned"}
    assert clear["site_id"].startswith("nanjing-")
    for one in (coded, posted, looked_up):
        assert one["site_id"].startswith("suzhou-")

    doctor = await system.clean("doctor")
    assert "ok     postal codes\nok     geocoder" in doctor
    report = json.loads(await system.clean("audit", "count", "--wait", "60", "--json"))
    assert report["terms"]["accepted"]["count"] == 6
    assert report["terms"]["waiting"]["count"] == 2
    gaps = json.loads(await system.clean("network", "gaps", "--json"))
    [gap] = gaps["gaps"]
    assert (gap["by_reason"], gaps["leads_waiting_without_place"]) == ({"too_far": 1}, 1)
    [suggested] = gaps["suggested_sites"]
    assert [suggested["lat"], suggested["lon"]] == pytest.approx([39.47, 75.99], abs=0.1)

    # Somebody asks the person, and says where it is.
    [wait] = json.loads(await system.clean("queue", "--reason", "location_unclear", "--json"))["waiting"]
    assert (wait["lead_id"], wait["reason"], wait["epoch"]) == (unclear["lead_id"], "location_unclear", 1)
    place = ("order", "place", wait["lead_id"], "--by", "mei", "--epoch", "1", "--adcode", "320106")
    assert (await system.clean(*place)).startswith("nanjing-")
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as http:
        placed = await state_of(http, f"{front_door}/{wait['lead_id']}", epoch=2)
    assert placed["state"] == "assigned"
    assert "place_candidates" not in placed
    told = await system.clean("lead", wait["lead_id"])
    assert "mei: it is at" in told
    assert "an operator ordered it: given to" in told

    report = json.loads(await system.clean("audit", "count", "--wait", "60", "--json"))
    assert report["terms"]["waiting"]["count"] == 1
    assert json.loads(await system.clean("audit", "replay", "--json"))["decisions"] == 7
