"""A map service for tests: a real HTTP server that speaks Amap's and Nominatim's shapes, well or badly.

Shapes of answers: https://lbs.amap.com/api/webservice/guide/api/georegeo and
https://nominatim.org/release-docs/latest/api/Output/.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

Behaviour: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "not-a-real-key-5c2f"


@dataclass
class MapService:
    """Where it listens, what it was asked, and how it answers; `behaviour` overrides the known places."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    amap_places: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    nominatim_places: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    behaviour: Behaviour | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One question."""
        text = request.query["address" if request.path == "/v3/geocode/geo" else "q"]
        self.asked.append(text)
        self.queries.append(dict(request.query))
        self.agents.append(request.headers["user-agent"])
        if self.behaviour is not None:
            return await self.behaviour(request)
        if request.path == "/search":
            return web.json_response(self.nominatim_places.get(text, []))
        if request.query.get("key") != KEY:
            return web.json_response(amap_failure("10001", "INVALID_USER_KEY"))
        found = self.amap_places.get(text)
        return web.json_response(amap_answer(*found) if found else amap_failure("30001", "ENGINE_RESPONSE_DATA_ERROR"))


@asynccontextmanager
async def map_service() -> AsyncIterator[MapService]:
    """A map service on a free port of the loopback."""
    service = MapService()
    app = web.Application()
    app.router.add_get("/v3/geocode/geo", service.answer)
    app.router.add_get("/search", service.answer)
    # What hangs is not waited for at the end.
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield service
    finally:
        await runner.cleanup()


def amap_answer(*geocodes: dict[str, Any]) -> dict[str, Any]:
    return {"status": "1", "info": "OK", "infocode": "10000", "count": str(len(geocodes)), "geocodes": list(geocodes)}


def amap_failure(infocode: str, info: str = "") -> dict[str, Any]:
    return {"status": "0", "info": info, "infocode": infocode}


def geocode(lon: float, lat: float, level: str, adcode: str = "540102", **changes: Any) -> dict[str, Any]:
    """One of Amap's answers, GCJ-02; what is empty is a list there."""
    return {
        "formatted_address": "西藏自治区拉萨市城关区某路1号",
        "country": "中国",
        "province": "西藏自治区",
        "city": "拉萨市",
        "district": "城关区",
        "township": [],
        "street": "某路",
        "number": [],
        "adcode": adcode,
        "location": f"{lon},{lat}",
        "level": level,
    } | changes


def osm_place(lon: float, lat: float, rank: int, **changes: Any) -> dict[str, Any]:
    """One of Nominatim's answers (jsonv2)."""
    return {
        "place_id": 1,
        "lat": str(lat),
        "lon": str(lon),
        "category": "place",
        "type": "house",
        "place_rank": rank,
        "addresstype": "building",
        "display_name": "1, Some Road, Chengguan, Lhasa, Tibet, China",
        "address": {"road": "Some Road", "city_district": "Chengguan", "city": "Lhasa", "state": "Tibet"},
        "boundingbox": ["0", "0", "0", "0"],
    } | changes


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def drip(request: web.Request) -> web.StreamResponse:
    """Headers and half of an answer, then nothing."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"status": "1", ')
    await asyncio.Event().wait()
    return response


def says(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Always the same answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer
