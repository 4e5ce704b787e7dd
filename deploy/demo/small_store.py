"""A small store's own system: it receives the webhooks of the demo's sites and answers them. Its own process.

It trusts nothing unsigned, fetches a person's contact once and only for a lead that it accepts, and answers by the
links in the message. What it answers depends on the site and the work alone, so a play repeats itself (`STANCES`).

    python -m deploy.demo.small_store

Standard input brings one JSON line per endpoint, `{"site_id", "endpoint_id", "secret"}` (a secret never stands on a
command line); its end ends the store, so the store never outlives the demo. Standard output has one JSON line per
event, none of them with personal data: `listening` first, with the port.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from shared.signatures import BadSignatureError, headers, verify
from shared.vocabulary import Intent

STANCES: dict[str, dict[Intent | None, dict[str, str] | None]] = {
    "chongqing-nanan-store": {Intent.TEST_DRIVE: {"answer": "declined", "decline_reason": "no_vehicle"}},
    "xiamen-jimei-center": {Intent.USED_VEHICLE: {"answer": "declined", "decline_reason": "not_our_work"}},
    "nanjing-qixia-store": {Intent.BODY_REPAIR: {"answer": "declined", "decline_reason": "no_staff"}},
    # Nobody looks at the screen here: no answer at all, whatever the work.
    "ningbo-haishu-store": {None: None},
    "xian-weiyang-store": {None: None},
}
"""Sites that do not simply accept: the answer by intent, `None` for any intent; a `None` answer is silence."""

ASSIGNED = "waypost.assignment.created.v1"
ACCEPT = {"answer": "accepted"}
TRIES = 6
"""How often an answer is sent while the other side cannot take it; the waits double from a quarter of a second."""


@dataclass(frozen=True)
class Endpoint:
    """One site's agreement with Waypost: who signs, with what."""

    endpoint_id: str
    secret: str


@dataclass
class SmallStore:
    """All sites of the demo under one roof."""

    http: aiohttp.ClientSession
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def receive(self, request: web.Request) -> web.Response:
        """One webhook: check the signature, drop what was seen before, say 204 at once and work afterwards."""
        site_id = request.match_info["site_id"]
        endpoint = self.endpoints.get(site_id)
        if endpoint is None:
            say("refused", site_id=site_id, why="no such endpoint")
            return web.Response(status=404)
        body = await request.read()
        try:
            message_id = verify(
                [endpoint.secret], {name.lower(): value for name, value in request.headers.items()}, body,
                datetime.now(UTC),
            )  # fmt: skip
        except BadSignatureError as error:
            say("refused", site_id=site_id, why=str(error))
            return web.Response(status=401, text=str(error))
        if message_id not in self.seen:
            self.seen.add(message_id)
            event = json.loads(body)
            data = event["data"]
            lead_id = data["assignment"]["lead_id"]
            if event["type"] != ASSIGNED:
                # A reminder, or that the lead went elsewhere: this store never makes up for its silence.
                say(event["type"].split(".")[2], site_id=site_id, lead_id=lead_id)
                return web.Response(status=204)
            say("received", site_id=site_id, lead_id=lead_id)
            task = asyncio.create_task(self.work(endpoint, data))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return web.Response(status=204)

    async def work(self, endpoint: Endpoint, data: dict[str, Any]) -> None:
        """Think, fetch the contact of what is accepted, answer; report what a finished delivery came to."""
        assignment = data["assignment"]
        site_id, lead_id, intent = assignment["site_id"], assignment["lead_id"], Intent(assignment["intent"])
        answer = answer_of(site_id, intent)
        if answer is None:
            say("silent", site_id=site_id, lead_id=lead_id)
            return
        await asyncio.sleep(0.4)  # a person reads before answering
        if answer == ACCEPT:
            status, contact = await self.post(endpoint, data["contact_url"], {})
            say("contact", site_id=site_id, lead_id=lead_id, status=status, complete=bool(contact.get("name")))
        status, _ = await self.post(endpoint, data["answer_url"], answer)
        say("answered", site_id=site_id, lead_id=lead_id, answer=answer["answer"], status=status)
        if answer == ACCEPT and intent is Intent.VEHICLE_DELIVERY and status < 300:
            await asyncio.sleep(0.4)
            outcome = {"answer": "outcome", "result": "won"}
            status, _ = await self.post(endpoint, data["answer_url"], outcome)
            say("answered", site_id=site_id, lead_id=lead_id, answer="outcome", status=status)

    async def post(self, endpoint: Endpoint, url: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """One signed request, repeated with doubling waits while the other side cannot take it (429, 5xx, no line)."""
        content = json.dumps(body).encode()
        # One id for all tries: whoever took the first of them recognises the second.
        message_id, status = f"msg_{uuid4().hex}", 503
        for attempt in range(TRIES):
            signed = headers([endpoint.secret], message_id, datetime.now(UTC), content)
            signed |= {"waypost-endpoint": endpoint.endpoint_id, "content-type": "application/json"}
            try:
                async with self.http.post(url, data=content, headers=signed) as response:
                    status = response.status
                    if status < 500 and status != 429:
                        has_json = "json" in response.content_type and status != 204
                        return status, await response.json(content_type=None) if has_json else {}
            except (aiohttp.ClientConnectionError, TimeoutError):
                status = 503
            await asyncio.sleep(0.25 * 2**attempt)
        return status, {}


def answer_of(site_id: str, intent: Intent) -> dict[str, str] | None:
    """What this site answers to this work; None is silence."""
    stance = STANCES.get(site_id, {})
    return stance[intent] if intent in stance else stance.get(None, ACCEPT)


def say(event: str, **facts: object) -> None:
    """One line of standard output."""
    print(json.dumps({"event": event, **facts}), flush=True)


async def read_endpoints(store: SmallStore) -> None:
    """Take endpoints from standard input until it ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        given = json.loads(line)
        store.endpoints[given["site_id"]] = Endpoint(given["endpoint_id"], given["secret"])


async def main() -> None:
    """Listen on a free loopback port until standard input ends."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        store = SmallStore(http)
        app = web.Application(client_max_size=256 * 1024)
        app.router.add_post("/hooks/{site_id}", store.receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        say("listening", port=runner.addresses[0][1])
        try:
            await read_endpoints(store)
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
