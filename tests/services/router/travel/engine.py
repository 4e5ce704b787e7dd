"""A server on loopback that speaks OSRM's and Valhalla's JSON, with roads and faults that a test draws up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from services.router.barriers import Point

Road = Callable[[Point, Point], float | None]
"""Seconds from one point to another; None: no way."""


@dataclass
class FakeEngine:
    """What it answers, and what it was asked."""

    road: Road
    url: str = ""
    status: int = 200
    body: bytes | None = None
    """Sent instead of an answer."""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    """Takes every question and never answers."""
    island: Point | None = None
    """No road is near this point: a table with it is refused as a whole."""
    asked: list[tuple[tuple[Point, ...], tuple[Point, ...]]] = field(default_factory=list)
    costings: list[str] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def osrm(self, request: web.Request) -> web.Response:
        """GET /table/v1/driving/lon,lat;...?sources=0&destinations=1;2."""
        points = []
        for pair in request.match_info["points"].split(";"):
            lon, lat = pair.split(",")
            points.append((float(lat), float(lon)))
        starts, ends = (
            tuple(points[int(place)] for place in request.query[name].split(";"))
            for name in ("sources", "destinations")
        )
        self.costings.append(request.match_info["profile"])
        refusal = b'{"code":"NoSegment"}' if self.island in points else None
        rows = await self._rows(starts, ends)
        return self._respond({"code": "Ok", "durations": rows, "sources": [], "destinations": []}, refusal)

    async def valhalla(self, request: web.Request) -> web.Response:
        """POST /sources_to_targets."""
        asked = orjson.loads(await request.read())
        starts, ends = (tuple((one["lat"], one["lon"]) for one in asked[name]) for name in ("sources", "targets"))
        self.costings.append(asked["costing"])
        refusal = b'{"error_code":171}' if self.island in starts + ends else None
        rows = [
            [{"time": seconds, "from_index": place, "to_index": index} for index, seconds in enumerate(row)]
            for place, row in enumerate(await self._rows(starts, ends))
        ]
        return self._respond({"sources_to_targets": rows, "units": "kilometers"}, refusal)

    async def _rows(self, starts: tuple[Point, ...], ends: tuple[Point, ...]) -> list[list[float | None]]:
        self.asked.append((starts, ends))
        if self.hangs:
            await self.answering.wait()
        return [[self.road(start, end) for end in ends] for start in starts]

    def _respond(self, answer: object, refusal: bytes | None) -> web.Response:
        status = 400 if refusal else self.status
        body = refusal or (orjson.dumps(answer) if self.body is None else self.body)
        location = {"location": self.url} if 300 <= status < 400 else {}
        return web.Response(status=status, body=body, content_type="application/json", headers=self.headers | location)


@asynccontextmanager
async def fake_engine(road: Road = lambda start, end: 600.4) -> AsyncIterator[FakeEngine]:
    """The server, until the test is over."""
    engine = FakeEngine(road)
    app = web.Application()
    app.router.add_get("/table/v1/{profile}/{points}", engine.osrm)
    app.router.add_post("/sources_to_targets", engine.valhalla)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    engine.url = site.name
    try:
        yield engine
    finally:
        engine.answering.set()
        await runner.cleanup()
