"""Leads at a steady rate, and sites that answer some of them: what goes on while things break."""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import aiohttp
from aiohttp import web

from shared.signatures import headers, verify
from tests.faults.system import NETWORK, System

INTENTS = ("purchase", "test_drive", "maintenance", "body_repair", "vehicle_delivery")
SITES_WITH_WEBHOOKS = 12
ACCEPTED_WITHIN_S = 90


def points_of_sites() -> list[tuple[float, float, str]]:
    """Where the demo's sites are."""
    with NETWORK.open(encoding="utf-8") as file:
        return [(float(row["lat"]), float(row["lon"]), row["datum"]) for row in csv.DictReader(file)]


@dataclass
class Load:
    """A sender that repeats until it is told 202, as a form does; `acknowledged` are the lead ids it was given."""

    system: System
    key: str
    random: Random = field(default_factory=lambda: Random(20260302))
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    """Answers that were not 202, by status; 0 is no answer at all."""
    points: list[tuple[float, float, str]] = field(default_factory=points_of_sites)
    """What leads come from, each from somewhere near one of them: latitude, longitude, datum."""
    urls: list[str] = field(default_factory=list)
    """Addresses of further intakes, which get their share."""
    _number: int = 0

    async def run(self, per_s: int, stop: asyncio.Event) -> None:
        """Send until `stop`, then wait for what is still unanswered (each lead for up to a minute)."""
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                tasks.create_task(self._send(session, self._lead()))
                await asyncio.sleep(1 / per_s)

    async def send(self, leads: int) -> None:
        """Send so many at once; returns when all of them are acknowledged."""
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            for _ in range(leads):
                tasks.create_task(self._send(session, self._lead()))

    def _lead(self) -> dict[str, Any]:
        self._number += 1
        lat, lon, datum = self.random.choice(self.points)
        return {
            "intent": self.random.choice(INTENTS),
            # Every tenth lead is of a person who asked before: it must join, whatever breaks.
            "contact": {"name": "Test Person", "phone": f"+86139{self._number - self._number % 10 // 9:08}"},
            "location": {
                "lat": round(lat + self.random.uniform(-0.05, 0.05), 5),
                "lon": round(lon + self.random.uniform(-0.05, 0.05), 5),
                "datum": datum,
            },
            "channel": "form",
            "consent": {"given_at": datetime.now(UTC).isoformat(), "text_version": "2026-01"},
        }

    async def _send(self, session: aiohttp.ClientSession, lead: dict[str, Any]) -> None:
        body = json.dumps(lead).encode()
        sent = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            # The same for every try: a lead whose 202 was lost must not become two.
            "Idempotency-Key": f"load-{self.random.getrandbits(96):024x}",
        }
        answers: list[str] = []
        async with _in_time(answers):
            while True:
                try:
                    url = f"{self.random.choice([self.system.services.intake_url, *self.urls])}/v1/leads"
                    async with session.post(url, data=body, headers=sent) as response:
                        if response.status == 202:
                            self.acknowledged.add((await response.json())["lead_id"])
                            return
                        self.refused[response.status] += 1
                        answers.append(str(response.status))
                        assert response.status in (429, 503), await response.text()
                        assert "Retry-After" in response.headers
                except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
                    self.refused[0] += 1
                    answers.append(type(error).__name__)
                await asyncio.sleep(0.3)


@asynccontextmanager
async def _in_time(answers: list[str]) -> AsyncIterator[None]:
    """A lead may take so long to be accepted; then what it was told instead is said."""
    try:
        async with asyncio.timeout(ACCEPTED_WITHIN_S):
            yield
    except TimeoutError:
        raise AssertionError(f"not accepted in {ACCEPTED_WITHIN_S} s: {', '.join(answers)}") from None


@dataclass
class Sites:
    """The systems of a dozen sites behind one address: a third accept, a third decline, a third say nothing.

    With `stances` of 2 nobody is silent.
    """

    system: System
    stances: int = 3
    secrets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Site id to endpoint id and secret."""
    seen: Counter[str] = field(default_factory=Counter)
    """How often each webhook-id came."""
    answers: Counter[int] = field(default_factory=Counter)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def receive(self, request: web.Request) -> web.Response:
        """One webhook; answers it afterwards, once."""
        body = await request.read()
        endpoint_id, secret = self.secrets[request.match_info["site_id"]]
        message_id = verify([secret], {k.lower(): v for k, v in request.headers.items()}, body, datetime.now(UTC))
        self.seen[message_id] += 1
        data = json.loads(body)["data"]
        turn = int(data["assignment"]["lead_id"][-2:], 16) % self.stances
        if self.seen[message_id] == 1 and turn < 2 and "answer_url" in data:
            answer = {"answer": "accepted"} if turn == 0 else {"answer": "declined", "decline_reason": "no_staff"}
            task = asyncio.create_task(self._answer(endpoint_id, secret, data["answer_url"], answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return web.Response(status=204)

    async def _answer(self, endpoint_id: str, secret: str, url: str, answer: dict[str, str]) -> None:
        body = json.dumps(answer).encode()
        async with aiohttp.ClientSession() as session:
            for attempt in range(40):
                signed = headers([secret], f"{endpoint_id}-{url[-60:]}-{attempt}", datetime.now(UTC), body)
                signed |= {"waypost-endpoint": endpoint_id, "content-type": "application/json"}
                try:
                    async with session.post(url, data=body, headers=signed) as response:
                        self.answers[response.status] += 1
                        if response.status < 500 and response.status != 429:
                            return
                except (aiohttp.ClientConnectionError, TimeoutError):
                    self.answers[0] += 1
                await asyncio.sleep(0.5)
