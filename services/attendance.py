"""Asking every service process whether it is alive and ready, as `waypost doctor` does: none may keep us waiting."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from shared.errors import UserError
from shared.migrate import SERVICES

ANSWER_WITHIN_S = 3.0


@dataclass(frozen=True)
class Attendance:
    """What one service process says of itself."""

    service: str
    url: str
    """Empty when nobody told where it listens."""
    is_running: bool
    is_ready: bool
    reasons: Sequence[str] = field(default=())
    """Why it is not ready."""
    alarms: Sequence[str] = field(default=())
    """What an operator should look at although it is ready."""


def health_urls(text: str) -> list[tuple[str, str]]:
    """Service and address of each process, of `router=http://10.0.0.5:9100,router=http://10.0.0.6:9100,...`.

    Raises UserError.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        service, _, url = part.partition("=")
        if service not in SERVICES or not url.startswith(("http://", "https://")):
            hint = f"write SERVICE=http://HOST:PORT, separated by commas; services: {', '.join(SERVICES)}"
            raise UserError(f"WAYPOST_HEALTH_URLS: {part!r} is no address of a service", hint)
        found.append((service, url.rstrip("/")))
    return found


async def attend(urls: Sequence[tuple[str, str]]) -> list[Attendance]:
    """Ask all at once; whoever does not answer in 3 s is not running."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        return list(await asyncio.gather(*(_ask(session, service, url) for service, url in urls)))


async def _ask(session: aiohttp.ClientSession, service: str, url: str) -> Attendance:
    try:
        live = await _get(session, f"{url}/healthz/live")
        ready = await _get(session, f"{url}/healthz/ready")
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Attendance(service, url, is_running=False, is_ready=False, reasons=[f"no answer from {url}"])
    except ValueError:
        return Attendance(
            service, url, is_running=False, is_ready=False, reasons=[f"{url} is not a service of Waypost"]
        )
    reasons = [] if live.get("live") is True else [f"it is to be restarted: {live.get('reason')}"]
    checks = ready.get("checks")
    if isinstance(checks, dict):
        reasons += [f"{name}: {text}" for name, text in checks.items() if text != "ok"]
    is_ready = ready.get("ready") is True and live.get("live") is True
    alarms = ready.get("alarms")
    told = [f"{name.replace('_', ' ')}: {text}" for name, text in alarms.items()] if isinstance(alarms, dict) else []
    return Attendance(service, url, is_running=True, is_ready=is_ready, reasons=reasons, alarms=told)


async def _get(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    """Raises ValueError when the answer is not one of ours."""
    async with session.get(url) as response:
        try:
            answer = await response.json(content_type=None)
        except UnicodeDecodeError as error:
            raise ValueError("not JSON") from error
    if not isinstance(answer, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as for any other answer that is not ours
    return answer
