"""Intake's side of a reveal: a small server that verifies the signature of every request, as the real one does."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from shared import signatures

CONTACT = {"name": "Test <b>Person</b>", "phone": "+8613800000000", "email": "test.person@example.com"}


@dataclass
class Intake:
    """Gives the contact to whoever signs for it."""

    secret: str = field(default_factory=lambda: signatures.make_secret(secrets.token_bytes(32)))
    url: str = ""
    status: int = 200
    reveals: list[dict[str, Any]] = field(default_factory=list)

    async def contacts(self, request: web.Request) -> web.Response:
        body = await request.read()
        signatures.verify([self.secret], {k.lower(): v for k, v in request.headers.items()}, body, datetime.now(UTC))
        if self.status != 200:
            return web.json_response({"title": "no"}, status=self.status)
        self.reveals.append(await request.json())
        return web.json_response(CONTACT)
