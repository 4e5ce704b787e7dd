"""The e2e stories: a store that refuses and the next that accepts, two partners with a contract; the proof of all.

Everything is real: Kafka and PostgreSQL, the four services as processes, the `waypost` command, HTTP on both ends. The
stores' signatures are checked and made with the reference library of Standard Webhooks, not with our own code.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from deploy.local import Stack
from services.router.default_policy import default_policy_text
from services.router.network import apply, read_network_file
from services.router.policies import publish
from shared.postgres import open_pool
from tests.faults.system import NETWORK, System, installation

FIRST, SECOND = "suzhou-wujiang-store", "suzhou-wuzhong-center"
"""The nearest and the next-nearest site of the demo's network to the form below."""
NAME, PHONE = "Test Person 01", "+86 174 0000 0001"
FORM = {
    "intent": "test_drive",
    "contact": {"name": NAME, "phone": PHONE},
    "location": {"lat": 31.1680, "lon": 120.6420, "datum": "wgs84"},
    "vehicle": {"brand": "Demo", "model": "Sedan", "year": 2026},
    "channel": "form",
    "consent": {"given_at": "2026-03-02T09:00:00+08:00", "text_version": "2026-01"},
}


@dataclass
class Store:
    """One store's own system."""

    site_id: str
    endpoint_id: str
    secret: str
    received: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)

    async def hook(self, request: web.Request) -> web.Response:
        """Keep what is signed for this store; `verify` raises for anything else and the sender gets a 500."""
        body = await request.text()
        Webhook(self.secret).verify(body, {name.lower(): value for name, value in request.headers.items()})
        assert NAME not in body
        assert "0000 0001" not in body
        self.received.put_nowait(json.loads(body))
        return web.Response(status=204)

    async def next_assignment(self) -> dict[str, Any]:
        """Data of the next webhook."""
        async with asyncio.timeout(60):
            event = await self.received.get()
        assert event["type"] == "waypost.assignment.created.v1"
        data: dict[str, Any] = event["data"]
        assert data["assignment"]["site_id"] == self.site_id
        return data

    async def post(self, url: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A request signed with this store's secret."""
        content, message_id, now = json.dumps(body), f"msg_{uuid4().hex}", datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "waypost-endpoint": self.endpoint_id,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, now, content),
        }
        async with aiohttp.ClientSession() as http, http.post(url, data=content, headers=headers) as response:
            return response.status, await response.json(content_type=None)


@pytest.fixture(scope="module")
async def system(
    stack: Stack, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    """All services running, with the demo's network."""
    folder: Path = tmp_path_factory.mktemp("journey")
    async with installation(stack, postgres_dsn, topic_prefix, folder) as running:
        yield running


@pytest.fixture
async def stores(system: System) -> AsyncIterator[dict[str, Store]]:
    """The two stores, listening."""
    stores: dict[str, Store] = {}

    async def hook(request: web.Request) -> web.Response:
        return await stores[request.match_info["site_id"]].hook(request)

    app = web.Application()
    app.router.add_post("/hooks/{site_id}", hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        for site_id in (FIRST, SECOND):
            arguments = ("endpoint", "add", "--site", site_id, "--url", f"{url}/{site_id}", "--json")
            added = json.loads(await system.clean(*arguments))
            stores[site_id] = Store(site_id, added["endpoint_id"], added["secret"])
        yield stores
    finally:
        await runner.cleanup()


async def test_a_form_reaches_the_nearest_store_moves_on_when_it_refuses_and_is_proved_at_the_end(
    system: System, stores: dict[str, Store]
) -> None:
    first, second = stores[FIRST], stores[SECOND]
    began = datetime.now(UTC).isoformat()
    key = (await system.clean("source", "add", "web-form", "--key-only")).strip()

    # A person sends a form.
    front_door, sender = f"{system.services.intake_url}/v1/leads", {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=sender) as http:
        async with http.post(front_door, json=FORM) as response:
            assert response.status == 202, await response.text()
            lead_id = (await response.json())["lead_id"]

        # The nearest capable store is told, without a word about the person.
        asked = await first.next_assignment()
        assert asked["assignment"]["lead_id"] == lead_id
        assert asked["assignment"]["epoch"] == 1
        assert asked["assignment"]["intent"] == "test_drive"
        assert asked["assignment"]["vehicle"] == FORM["vehicle"]
        assert 0 < asked["assignment"]["distance_m"] < 2_000

        # It has no such vehicle. Saying so twice is one answer.
        no_vehicle = {"answer": "declined", "decline_reason": "no_vehicle"}
        assert (await first.post(asked["answer_url"], no_vehicle))[0] == 202
        assert (await first.post(asked["answer_url"], no_vehicle))[0] == 200

        # The next-nearest store is told by itself.
        offered = await second.next_assignment()
        assert offered["assignment"]["lead_id"] == lead_id
        assert offered["assignment"]["epoch"] == 2
        assert offered["assignment"]["distance_m"] > asked["assignment"]["distance_m"]

        # The first store is out: it learns neither the person nor that it could still have the lead.
        assert (await first.post(asked["contact_url"], {}))[0] == 409
        late, problem = await first.post(asked["answer_url"], {"answer": "accepted"})
        assert late == 409
        assert "current" in problem

        # The second fetches the contact, once, and accepts.
        status, contact = await second.post(offered["contact_url"], {})
        assert (status, contact["name"], contact["phone"]) == (200, NAME, "+8617400000001")
        assert (await second.post(offered["contact_url"], {}))[0] == 410
        assert (await second.post(offered["answer_url"], {"answer": "accepted"}))[0] == 202

        # The sender can see where its lead is.
        state: dict[str, Any] = {}
        async with asyncio.timeout(60):
            while state.get("epoch") != 3:
                await asyncio.sleep(0.1)
                async with http.get(f"{front_door}/{lead_id}") as response:
                    state = await response.json()
        assert state["site_id"] == SECOND
        assert NAME not in json.dumps(state)

    # The audit finds nothing missing, and decides everything again to the byte.
    count = json.loads(await system.clean("audit", "count", "--from", began, "--wait", "60", "--json"))
    assert count["terms"]["accepted"]["count"] == count["terms"]["closed"]["count"] == 1
    replay = json.loads(await system.clean("audit", "replay", "--from", began, "--json"))
    assert replay["decisions"] == 3

    # One command tells it all.
    journey = " ".join((await system.clean("lead", lead_id)).split())
    for word in ("Suzhou Wujiang agent store", "Suzhou Wuzhong delivery center", "no vehicle", "accepted"):
        assert word in journey
    assert NAME not in journey
    assert not system.said or all("ended" not in line for line in system.said)


GRAND, LUCKY = "urumqi-mall-grand", "urumqi-mall-lucky"
MALL = """\
urumqi-mall-grand,Mall Grand,agent_store,Urumqi,Tianshan,43.7928,87.6177,wgs84,sales|test_drive,open,1,,,grand
urumqi-mall-lucky,Mall Lucky,agent_store,Urumqi,Tianshan,43.7929,87.6177,wgs84,sales|test_drive,open,1,,,lucky
"""
"""Eleven metres apart, and far from everything else of the demo's network."""
CONTRACT = """
[[shares]]
city = "Urumqi"
partners = { grand = 70, lucky = 30 }
"""


async def publish_contract(system: System, folder: Path) -> None:
    """The mall and the contract take effect, and the router knows them."""
    header, *rows = NETWORK.read_text(encoding="utf-8").splitlines()
    file = folder / "network.csv"
    file.write_text("\n".join([f"{header},partner", *(f"{row}," for row in rows), MALL]))
    async with open_pool(system.settings, "router", max_size=1) as pool:
        revision = (await apply(pool, read_network_file(file), datetime.now(UTC))).revision
        version = (await publish(pool, f"{default_policy_text()}\n{CONTRACT}", datetime.now(UTC))).version
    await system.routers_know(revision=revision, version=version)


async def decided(http: aiohttp.ClientSession, lead: str, *, epoch: int) -> dict[str, Any]:
    """The lead's state, once it is known to be at this epoch."""
    state: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while state.get("epoch") != epoch:
            await asyncio.sleep(0.1)
            async with http.get(lead) as response:
                state = await response.json()
    return state


async def test_two_partners_of_a_mall_get_what_their_contract_says_and_every_lead_tells_why(
    system: System, tmp_path: Path
) -> None:
    began = datetime.now(UTC).isoformat()
    await publish_contract(system, tmp_path)
    key = (await system.clean("source", "add", "mall-form", "--key-only")).strip()

    # Ten people between the two stores, which are equally near and equally idle.
    front_door, sender = f"{system.services.intake_url}/v1/leads", {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=sender) as http:
        states = []
        for number in range(10):
            phone = f"+86 174 0000 01{number:02}"
            form = FORM | {
                "contact": {"name": f"Mall Person {number}", "phone": phone},
                "location": {"lat": 43.7928, "lon": 87.6177, "datum": "wgs84"},
            }
            async with http.post(front_door, json=form) as response:
                assert response.status == 202, await response.text()
                lead_id = (await response.json())["lead_id"]
            states.append(await decided(http, f"{front_door}/{lead_id}", epoch=1) | {"lead_id": lead_id})
        assert Counter(state["site_id"] for state in states) == {GRAND: 7, LUCKY: 3}
        last = states[-1]["lead_id"]

        # What a person orders is an assignment as any other, and counts.
        moved = next(state["lead_id"] for state in states if state["site_id"] == GRAND)
        await system.clean("order", "give", moved, LUCKY, "--by", "mei")
        await decided(http, f"{front_door}/{moved}", epoch=2)

    told = json.loads(await system.clean("policy", "shares", "--json"))
    assert [(one["partner"], one["percent"], one["leads"]) for one in told["partners"]] == [
        ("grand", 70, 7),
        ("lucky", 30, 4),
    ]
    assert [one["ahead"] for one in told["partners"]] == [-0.7, 0.7]

    # Each lead tells what the contract did, and all of it is decided again to the byte.
    replay = json.loads(await system.clean("audit", "replay", "--from", began, "--wait", "60", "--json"))
    assert (replay["decisions"], replay["clean"]) == (11, True)
    [given, *_] = [
        one for one in json.loads(await system.clean("lead", last, "--json"))["moments"] if one["what"] == "decided"
    ]
    assert given["text"].endswith(
        "without it its partner would be 1 lead behind its share of the city's, further than any other"
    )
    assert [one["why"] for one in given["losers"] if one["site"].endswith(f"({LUCKY})")] == [
        "just as near, but the partners' shares of the city's leads chose another"
    ]
