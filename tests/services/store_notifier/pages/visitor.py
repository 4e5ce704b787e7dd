"""A person at the counter whose browser runs no scripts: pages and forms over HTTP."""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from tests.services.store_notifier.pages.world import Lead, Site, World


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Visitor:
    """One browser with its cookie."""

    world: World
    site: Site
    cookie: str = ""
    language: str = "en"

    @classmethod
    async def logged_in(cls, world: World, site: Site) -> Self:
        visitor = cls(world, site)
        answer = await visitor.log_in(site.key)
        assert answer.status == 303
        return visitor

    async def log_in(self, key: str) -> Answer:
        answer = await self.post(f"{self.site.path}/login", {"key": key})
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
        return answer

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": self.cookie, "accept-language": self.language}

    async def get(self, path: str = "", **headers: str) -> Answer:
        return await self._ask("GET", path or self.site.path, None, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        return await self._ask("POST", path, fields, headers)

    async def _ask(self, method: str, path: str, fields: Mapping[str, str] | None, headers: dict[str, str]) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.world.client.request(
            method, self.world.url + path, data=fields, headers=self.headers | named, allow_redirects=False
        ) as response:
            return Answer(response.status, response.headers.copy(), await response.text())

    async def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', (await self.get()).text)
        assert found is not None
        return found[1]

    async def answer(self, lead: Lead, answer: str, **fields: str) -> Answer:
        return await self.post(f"{lead.path}/answer", {"csrf": await self.csrf(), "answer": answer, **fields})

    async def show_contact(self, lead: Lead) -> Answer:
        return await self.post(f"{lead.path}/contact", {"csrf": await self.csrf()})

    async def state_of(self, lead: Lead) -> str | None:
        """The state that the page shows for a lead."""
        return shown_state((await self.get()).text, lead)

    @asynccontextmanager
    async def stream(self, *, after: int | None = None, last_event_id: str = "") -> AsyncIterator["Stream"]:
        """The open event stream."""
        query = "" if after is None else f"?after={after}"
        headers = self.headers | {"accept": "text/event-stream"}
        if last_event_id:
            headers["last-event-id"] = last_event_id
        url = f"{self.world.url}{self.site.path}/events{query}"
        async with self.world.client.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=60)) as response:
            yield Stream(response)

    async def seq(self) -> int:
        found = re.search(r'data-seq="(\d+)"', (await self.get()).text)
        assert found is not None
        return int(found[1])


@dataclass
class Event:
    """One event as a browser reads it."""

    name: str
    data: Any
    id: str


@dataclass
class Stream:
    """Reads events one by one."""

    response: aiohttp.ClientResponse
    seen: list[Event] = field(default_factory=list)

    async def next(self, name: str, seconds: float = 60) -> Event:
        """The next event of that name; raises TimeoutError, and EOFError when the stream ends first."""
        async with asyncio.timeout(seconds):
            while True:
                event = await self._read()
                self.seen.append(event)
                if event.name == name:
                    return event

    async def _read(self) -> Event:
        fields = {"event": "", "data": "null", "id": ""}
        while line := await self.response.content.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name in fields:
                fields[name] = value
            if not name and fields["event"]:
                return Event(fields["event"], json.loads(fields["data"]), fields["id"])
        raise EOFError


def shown_state(page: str, lead: Lead) -> str | None:
    found = re.search(rf'id="{lead.anchor}".*?data-state="(\w+)"', page, re.DOTALL)
    return html.unescape(found[1]) if found else None
