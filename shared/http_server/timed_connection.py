"""When and how a connection ends: its limits of time, its refusals, and a polite close.

Time is kept by `sweep`, which the server calls for all its connections twice a second: a timer for each step of each
request would cost more than all the rest of this.
"""

import asyncio
import logging
from math import inf
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from shared.http_server import refusal as refusals
from shared.http_server.limits import ServerLimits
from shared.http_server.refusal import Refusal
from shared.telemetry.logs import get_logger

ROOM_FOR_REFUSALS = 256
"""Connections beyond the limit that are told so; more are cut off without a word."""

_SILENT = logging.getLogger("waypost.http.silent")
_SILENT.setLevel(logging.CRITICAL + 1)


class LimitedConfig(uvicorn.Config):
    """uvicorn's settings, with ours beside them."""

    limits: ServerLimits


class _Out:
    """The transport as a handler's answer sees it: to close it means to end the connection politely."""

    __slots__ = ("_connection",)

    def __init__(self, connection: "TimedConnection") -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.transport.write(data)

    def is_closing(self) -> bool:
        return self._connection.is_ending or self._connection.transport.is_closing()

    def close(self) -> None:
        self._connection.end()


class TimedConnection(HttpToolsProtocol):
    """uvicorn's connection with an end to every step; what reads the requests says which step is under way."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = cast("LimitedConfig", config).limits
        # A traceback shows values; the application's guard has told what failed and where.
        self.logger = _SILENT
        self.is_ending = False
        """No more of what comes in is read: the last answer is on its way."""
        self._out = cast("asyncio.Transport", _Out(self))
        self._refusal: Refusal | None = None
        self._due = inf
        """When the step that is under way must be over, on the loop's clock."""
        self._due_taking = inf
        self._idle_since = inf
        self._in_head = False
        self._in_body = False
        self._keep_alive = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio: a peer has connected."""
        super().connection_made(transport)
        self._due = self.loop.time() + self.limits.head_s
        beyond = len(self.connections) - self.limits.connections
        if beyond > ROOM_FOR_REFUSALS:
            transport.abort()
        elif beyond > 0:
            self._refuse(refusals.FULL)

    def on_response_complete(self) -> None:
        """An answer is written: go on with the next request, the refusal that waits for its turn, or nothing."""
        self.server_state.total_requests += 1
        if self.is_ending or self.transport.is_closing():
            return
        if self.pipeline:
            self.flow.resume_reading()
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._answer(self._refusal)
        else:
            self.flow.resume_reading()
            if self._in_body:
                self._due = min(self._due, self.loop.time() + self.limits.rest_s)
            elif not self._in_head:
                self._idle_since = self.loop.time()
                self._due = self._idle_since + self.limits.idle_s

    def _refuse(self, refusal: Refusal) -> None:
        """Answer for the request that is being read, after those before it."""
        self._refusal = refusal
        get_logger().info("http.refused", status=refusal.status, problem=refusal.slug)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            if self._in_body:
                # Answered already: this is the rest of a body that nobody reads.
                self.end(linger=True)
            else:
                self._answer(refusal)
            return
        if not self._in_body:
            # Earlier requests are being answered; nothing more is read.
            self._due = inf
            self.flow.pause_reading()
            return
        queued = [waiting for waiting in self.pipeline if waiting[0] is not cycle]
        if len(queued) < len(self.pipeline):
            self.pipeline.clear()
            self.pipeline.extend(queued)
            self._due = inf
            self.flow.pause_reading()
            return
        # Its handler waits for the body, or is at work: it hears that the peer is gone, and its answer goes nowhere.
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.end()
        else:
            self._answer(refusal)

    def _answer(self, refusal: Refusal) -> None:
        self.transport.write(refusal.to_bytes(self.server_state.default_headers))
        self.end(linger=True)

    def end(self, *, linger: bool = False) -> None:
        """Close once everything is written; while the peer still sends, only our side, for a moment."""
        if self.is_ending or self.transport.is_closing():
            return
        self.is_ending = True
        self._idle_since = inf
        if (linger or self._in_body) and self.transport.can_write_eof():
            self._due = self.loop.time() + self.limits.linger_s
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self._due = self.loop.time() + self.limits.take_s
            self.transport.close()

    def sweep(self, now_s: float, *, crowded: bool) -> None:
        """End what has taken too long by now; `crowded` shortens the patience with connections that do nothing."""
        if self._due_taking <= now_s:
            self.transport.abort()
        elif crowded and self._idle_since + self.limits.crowded_idle_s <= now_s:
            self.end()
        elif self._due <= now_s:
            self._due = inf
            if self.is_ending or self.transport.is_closing():
                self.transport.abort()
            elif self._in_body:
                self._refuse(refusals.BODY_TOO_SLOW)
            elif self._in_head:
                self._refuse(refusals.HEAD_TOO_SLOW)
            else:
                self.end()

    def pause_writing(self) -> None:
        """asyncio: the peer takes its answer slowly."""
        self._due_taking = self.loop.time() + self.limits.take_s
        super().pause_writing()

    def resume_writing(self) -> None:
        """asyncio: the peer has taken enough."""
        self._due_taking = inf
        super().resume_writing()

    def shutdown(self) -> None:
        """uvicorn: no more requests after the ones under way."""
        self._keep_alive = False
        if self.is_ending:
            self.transport.abort()
        else:
            super().shutdown()
