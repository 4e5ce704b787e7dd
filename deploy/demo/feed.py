"""Plays the leads of `leads/` through the front door, as their senders do: one HTTP request per file."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from deploy.demo.journey import Board
from shared.errors import UserError

LEADS = Path(__file__).parent / "leads"
CONTENT_TYPES = {".json": "application/json", ".ndjson": "application/x-ndjson", ".xml": "application/x-adf+xml"}
SOURCES = {"form": "demo-web-form", "app": "demo-app", "adf": "demo-adf-mail"}
"""The source that sends each kind of file; every source has a key of its own."""
PORTAL_IDS = b'source="demo-portal">'
"""What stands before a portal's own id of a lead in the ADF files."""
PACE_S = 0.35
"""Between two files: slow enough to watch."""


@dataclass(frozen=True)
class Sending:
    """One file of the play."""

    name: str
    kind: str
    """`form`, `app` or `adf`: the second part of the name."""
    content_type: str
    body: bytes
    whences: tuple[str, ...]
    """Where each lead of the file comes from, in the sender's words."""
    intents: tuple[str, ...]


def read_play(folder: Path = LEADS) -> list[Sending]:
    """The files in the order of their numbers."""
    return [_sending(file) for file in sorted(folder.iterdir()) if file.suffix in CONTENT_TYPES]


def _sending(file: Path) -> Sending:
    body = file.read_bytes()
    if file.suffix == ".xml":
        whences, intents = _told_by_adf(body)
    else:
        bodies = [json.loads(line) for line in body.splitlines()] if file.suffix == ".ndjson" else [json.loads(body)]
        whences = tuple(whence(lead.get("location")) for lead in bodies)
        intents = tuple(lead["intent"] for lead in bodies)
    return Sending(file.name, file.name.split("-")[1], CONTENT_TYPES[file.suffix], body, whences, intents)


def _told_by_adf(body: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # For the screen only, and some files are broken on purpose: reading them is the intake's work.
    text = body.decode("gbk" if b"GBK" in body[:80] else "utf-8")
    places = zip(
        re.findall("<city>(.*?)</city>", text), re.findall('<street line="1">(.*?)</street>', text), strict=True
    )
    intents = re.findall('<vehicle interest="(.*?)"', text)
    return tuple(f"{city} {district}" for city, district in places), tuple(intents)


def whence(location: Mapping[str, Any] | None) -> str:
    """A lead's location in a few words."""
    if not location:
        return "nobody knows"
    if "lat" in location:
        return f"{location['lat']:.4f}, {location['lon']:.4f} {location['datum']}"
    if "adcode" in location:
        return f"adcode {location['adcode']}"
    return " ".join(str(location[name]) for name in ("city", "district") if name in location)


async def play(intake_url: str, keys: Mapping[str, str], board: Board, sendings: list[Sending]) -> None:
    """Send every file at the play's pace and enter what was acknowledged on the board.

    `keys` holds the key of each source of SOURCES. Raises UserError when the intake refuses a file.
    """
    number = 0
    run = uuid4().hex[:12]  # a second play on the same stack is a second set of requests, not a retry of the first
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        for sending in sendings:
            lead_ids = await _send(http, intake_url, keys[SOURCES[sending.kind]], run, sending)
            for lead_id, told, intent in zip(lead_ids, sending.whences, sending.intents, strict=True):
                number += 1
                board.sent(lead_id, number, sending.name, intent, told)
            await asyncio.sleep(PACE_S)


async def _send(http: aiohttp.ClientSession, intake_url: str, key: str, run: str, sending: Sending) -> list[UUID]:
    headers = {
        "content-type": sending.content_type,
        "authorization": f"Bearer {key}",
        "idempotency-key": f"{run}-{sending.name}",
    }
    # A portal never uses an id twice, so neither does a second play.
    body = sending.body.replace(PORTAL_IDS, PORTAL_IDS + run.encode() + b"-")
    async with http.post(f"{intake_url}/v1/leads", data=body, headers=headers) as response:
        text = await response.text()
        if response.status not in (202, 207):
            raise UserError(f"the intake answered {response.status} to {sending.name}: {text[:300]}")
        return list(_lead_ids(sending, response.content_type, text))


def _lead_ids(sending: Sending, content_type: str, text: str) -> Iterator[UUID]:
    if content_type == "application/x-ndjson":
        answers = [json.loads(line) for line in text.splitlines()]
    else:
        answer = json.loads(text)
        answers = answer.get("results", [answer])
    for answer in answers:
        if "lead_id" not in answer:
            raise UserError(f"the intake refused a lead of {sending.name}: {json.dumps(answer)[:300]}")
        yield UUID(answer["lead_id"])
