"""The guard at the door, in plain ASGI: how much a request may bring, how slowly, and how many may be inside.

One slow or endless body must cost nobody else anything, so the limits hold before a byte is parsed.
"""

import asyncio
from datetime import timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.lead_intake.problems import Problem, overloaded, respond_problem
from shared.errors import where
from shared.telemetry import get_logger

LEAD_BYTES = 64 * 1024
BATCH_BYTES = 256 * 1024
BATCH_LEADS = 100


class Door:
    """Lets at most `max_in_flight` requests in, and turns every way to fail into a problem document."""

    def __init__(self, app: ASGIApp, max_in_flight: int) -> None:
        self._app = app
        self._free = max_in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._free <= 0:
            await respond_problem(send, overloaded())
            return
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        self._free -= 1
        try:
            await self._app(scope, receive, send_noting_start)
        except Problem as problem:
            if started:
                raise
            await respond_problem(send, problem)
        except Exception as error:
            # A message may quote a lead, a traceback may show its values: only names and places are logged.
            get_logger().error("request.failed", path=scope["path"], error=type(error).__name__, at=where(error))
            if started:
                raise
            await respond_problem(send, Problem(500, "failed", "The request failed", "the fault is ours; try again"))
        finally:
            self._free += 1


async def read_body(scope: Scope, receive: Receive, limit: int, within: timedelta) -> bytes:
    """The whole body. Raises Problem 413 as soon as it is too large, 408 when it is too slow."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(within.total_seconds()):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, "disconnected", "The sender went away")
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError as error:
        raise Problem(
            408,
            "too-slow",
            "The body came too slowly",
            f"send it within {within.total_seconds():g} s",
            headers={"connection": "close"},
        ) from error


def _too_large(limit: int) -> Problem:
    return Problem(
        413,
        "too-large",
        "The body is too large",
        f"at most {limit} bytes; send batches of up to {BATCH_LEADS} leads as application/x-ndjson",
        headers={"connection": "close"},
    )
