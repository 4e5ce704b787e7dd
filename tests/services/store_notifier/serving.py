"""The notifier's HTTP interface on loopback, with an intake beside it that checks who asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.store_notifier.api import Api
from services.store_notifier.contacts import Contacts
from services.store_notifier.metrics import Metrics
from shared import signatures
from shared.http_server import application, serve
from shared.keys import Keys
from shared.postgres import Pool
from tests.services.store_notifier.process import free_port
from tests.services.store_notifier.setting_up import Endpoint
from tests.services.store_notifier.world import now

CONTACT = {"name": "Test Person 测试", "phone": "+8613800000000", "email": "test.person@example.com"}


@dataclass
class Intake:
    """What intake promises of /internal/contacts: a valid signature, one reveal per nonce, 404 for erased people."""

    service_secret: str
    url: str = ""
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def contacts(self, request: web.Request) -> web.Response:
        """POST /internal/contacts."""
        body = await request.read()
        given = {name.lower(): value for name, value in request.headers.items()}
        signatures.verify([self.service_secret], given, body, now())
        if self.status != 200:
            return web.Response(status=self.status)
        self.asked.append(orjson.loads(body))
        return web.json_response(CONTACT)


@dataclass
class Client:
    """A store's system."""

    session: aiohttp.ClientSession
    url: str

    async def post(
        self,
        endpoint: Endpoint,
        path: str,
        body: object,
        *,
        message_id: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One signed request; `headers` replace what a well-kept system would send."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        signed = signatures.headers([endpoint.secret], message_id or f"msg_{uuid4()}", now(), raw)
        signed |= {"waypost-endpoint": str(endpoint.endpoint_id)} | (headers or {})
        async with self.session.post(self.url + path, data=raw, headers=signed) as response:
            return response.status, orjson.loads(await response.read())

    async def answer(
        self, endpoint: Endpoint, lead_id: UUID, epoch: int, body: object, **how: Any
    ) -> tuple[int, dict[str, Any]]:
        """Answer an assignment."""
        return await self.post(endpoint, f"/v1/assignments/{lead_id}/{epoch}/answer", body, **how)

    async def contact(self, endpoint: Endpoint, lead_id: UUID, epoch: int) -> tuple[int, dict[str, Any]]:
        """Fetch the contact of an assignment."""
        return await self.post(endpoint, f"/v1/assignments/{lead_id}/{epoch}/contact", {})

    async def state(self, endpoint: Endpoint, lead_id: UUID, epoch: int) -> tuple[int, dict[str, Any]]:
        """Look at an assignment."""
        signed = signatures.headers([endpoint.secret], f"msg_{uuid4()}", now(), b"")
        signed["waypost-endpoint"] = str(endpoint.endpoint_id)
        async with self.session.get(f"{self.url}/v1/assignments/{lead_id}/{epoch}", headers=signed) as response:
            return response.status, orjson.loads(await response.read())


@asynccontextmanager
async def intake_of(keys: Keys) -> AsyncIterator[Intake]:
    """A listening intake."""
    intake = Intake(keys.service_secret)
    app = web.Application()
    app.router.add_post("/internal/contacts", intake.contacts)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    intake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield intake
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(pool: Pool, keys: Keys, intake_url: str) -> AsyncIterator[Client]:
    """The routes of `Api`, really served."""
    stop, port = asyncio.Event(), free_port()
    async with aiohttp.ClientSession() as to_intake, aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        contacts = Contacts(to_intake, intake_url, keys.service_secret, now)
        api = Api(pool, contacts, keys.endpoint_key, Metrics(CollectorRegistry()), now)
        tasks.create_task(serve(application(api.routes()), "127.0.0.1", port, stop, name="test"))
        client = Client(session, f"http://127.0.0.1:{port}")
        try:
            yield client
        finally:
            stop.set()
