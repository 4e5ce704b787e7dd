"""Server-sent events (WHATWG HTML, 9.2) of one open page: what changed in its site's inbox, for as long as it may look.

`id:` is the item's `seq`, so a browser that comes back after any outage says `Last-Event-ID` and gets what it missed,
from PostgreSQL. Nothing is queued: the stream reads at most `MAX_ROWS` rows, sends them, and reads on when the reader
has taken them. A reader that takes nothing for `SEND_TIMEOUT_S` is dropped.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

PING_S = 15.0
LIFETIME_S = 900.0
"""After a quarter of an hour the browser is sent to reconnect: load balances itself and rights are checked anew."""
SEND_TIMEOUT_S = 20.0
MAX_ROWS = 100

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx and its relatives would hold the events back until a buffer is full.
    (b"x-accel-buffering", b"no"),
]


@dataclass(frozen=True)
class Event:
    """One message of the stream."""

    name: str
    data: object
    """Sent as JSON, which has no line breaks of its own."""
    id: int | None = None

    def to_bytes(self) -> bytes:
        """The wire form."""
        number = f"id: {self.id}\n" if self.id is not None else ""
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"{number}event: {self.name}\ndata: {data}\n\n".encode()


class EventStream:
    """An ASGI answer that sends `events` until they end, the reader leaves, or the reader stops reading.

    `retry_ms`: how long the browser waits before it comes back.
    """

    def __init__(self, events: AsyncIterator[Event], *, retry_ms: int) -> None:
        self._events = events
        self._retry_ms = retry_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream; the iterator is closed whichever way it ends."""
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        sending = asyncio.create_task(self._send_all(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            outcome, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        if isinstance(outcome, Exception) and not isinstance(outcome, TimeoutError | OSError):
            raise outcome

    async def _send_all(self, send: Send) -> None:
        async def send_body(body: bytes, more: bool) -> None:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        await send_body(f"retry: {self._retry_ms}\n\n".encode(), more=True)
        try:
            async for event in self._events:
                await send_body(event.to_bytes(), more=True)
        finally:
            close = getattr(self._events, "aclose", None)
            if close is not None:
                await close()
        await send_body(b"", more=False)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def last_event_id(header: str | None, query: str | None) -> int | None:
    """Where to go on: the header of a reconnecting browser before the page's own `?after=`; None when neither says."""
    for text in (header, query):
        if text is not None and text.isascii() and text.isdigit() and len(text) <= 18:
            return int(text)
    return None
