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
    hangs: bool = False
    """Takes every question and never answers."""
    asked: list[tuple[Point, tuple[Point, ...]]] = field(default_factory=list)
    costings: list[str] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def osrm(self, request: web.Request) -> web.Response:
        """GET /table/v1/driving/lon,lat;...?sources=0&destinations=1;2."""
        points = []
        for pair in request.match_info["points"].split(";"):
            lon, lat = pair.split(",")
            points.append((float(lat), float(lon)))
        assert request.query["sources"] == "0"
        places = [int(place) for place in request.query["destinations"].split(";")]
        self.costings.append(request.match_info["profile"])
        row = await self._row(points[0], tuple(points[place] for place in places))
        return self._respond({"code": "Ok", "durations": [row], "sources": [{}], "destinations": [{}] * len(row)})

    async def valhalla(self, request: web.Request) -> web.Response:
        """POST /sources_to_targets."""
        asked = orjson.loads(await request.read())
        [source] = [(one["lat"], one["lon"]) for one in asked["sources"]]
        self.costings.append(asked["costing"])
        row = await self._row(source, tuple((one["lat"], one["lon"]) for one in asked["targets"]))
        cells = [
            {"time": seconds, "distance": None, "from_index": 0, "to_index": index} for index, seconds in enumerate(row)
        ]
        return self._respond({"sources_to_targets": [cells], "units": "kilometers"})

    async def _row(self, start: Point, ends: tuple[Point, ...]) -> list[float | None]:
        self.asked.append((start, ends))
        if self.hangs:
            await self.answering.wait()
        return [self.road(start, end) for end in ends]

    def _respond(self, answer: object) -> web.Response:
        body = orjson.dumps(answer) if self.body is None else self.body
        location = {"location": self.url} if 300 <= self.status < 400 else None
        return web.Response(status=self.status, body=body, content_type="application/json", headers=location)


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
