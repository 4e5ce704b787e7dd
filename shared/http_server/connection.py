"""One connection of uvicorn's HTTP/1.1 server, with the limits and the refusals that it lacks.

uvicorn 0.54 keeps no limit of header bytes with httptools, has no time limit but for idle connections, appends the
trailers of a chunked body to the header fields, drops the body of a request that asks for HTTP/2, and refuses in
plain text. Time is kept by `sweep`, which the server calls for all its connections twice a second: a timer for each
step of each request would cost more than the rest of this class.
"""

import asyncio
import logging
from math import inf
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from shared.http_server import refusal as refusals
from shared.http_server.head import Head, fault_in, path_of, restated, wants_websocket
from shared.http_server.limits import ServerLimits
from shared.http_server.refusal import Refusal, malformed, refusal_of
from shared.telemetry.logs import get_logger

MOST_QUEUED = 32
"""Requests that were sent ahead of their answers (pipelined) on one connection."""
ROOM_FOR_REFUSALS = 256
"""Connections beyond the limit that are told so; more are cut off without a word."""
_FRAMING_PER_BODY_BYTE = 16
"""A sender that puts one byte into each chunk needs five bytes around it."""

_SILENT = logging.getLogger("waypost.http.silent")
_SILENT.setLevel(logging.CRITICAL + 1)


class LimitedConfig(uvicorn.Config):
    """uvicorn's settings, with ours beside them."""

    limits: ServerLimits


class _Refused(Exception):  # noqa: N818 - leaves the parser from within a callback
    pass


class _Out:
    """The transport as a handler's answer sees it: to close it means to end the connection politely."""

    __slots__ = ("_connection",)

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.transport.write(data)

    def is_closing(self) -> bool:
        return self._connection.is_ending or self._connection.transport.is_closing()

    def close(self) -> None:
        self._connection.end()


class Connection(HttpToolsProtocol):
    """Reads heads and bodies within the limits; whatever breaks them is refused and ends the connection."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = cast("LimitedConfig", config).limits
        # A traceback shows values; `Guard` has told what failed and where.
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
        self._restating = False
        self._keep_alive = True
        self._began = b""
        self._fed = 0
        self._parsed = 0
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio: a peer has connected."""
        super().connection_made(transport)
        self._due = self.loop.time() + self.limits.head_s
        beyond = len(self.connections) - self.limits.connections
        if beyond > ROOM_FOR_REFUSALS:
            transport.abort()
        elif beyond > 0:
            self._refuse(refusals.FULL)

    def data_received(self, data: bytes) -> None:
        """asyncio: the peer has sent something."""
        if self.is_ending or self._refusal is not None:
            return
        if not self._in_body and not self._in_head:
            self._begin_head(data)
        self._fed += len(data)
        while data:
            try:
                self.parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = self._restate() + data[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                self._refuse(self._refusal or refusal_of(error, self._began))
                return
        if self._in_head:
            if self._fed > self.limits.head_bytes:
                self._refuse(refusals.HEAD_TOO_LARGE if self.headers else refusals.LINE_TOO_LONG)
            elif self.url and data.endswith(b"\n") and self.parser.get_http_version() in ("0.0", "0.9"):
                # The request line is over and named no version.
                self._refuse(refusals.WRONG_VERSION)
        elif self._in_body and self._fed > self.limits.head_bytes + _FRAMING_PER_BODY_BYTE * self._body_bytes:
            self._refuse(refusals.PADDED)

    def _begin_head(self, data: bytes) -> None:
        self._in_head = True
        self._began = data[:1]
        self._fed = self._parsed = 0
        self._idle_since = inf
        self._due = self.loop.time() + self.limits.head_s

    def _restate(self) -> bytes:
        self._restating = False
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._in_head = True
        self._parsed = 0
        return restated(method, Head(version, self.url, self.headers))

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins, perhaps within the bytes that ended the one before."""
        if not self._in_head:
            self._begin_head(b"")
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.url += url
        if len(self.url) > self.limits.request_line_bytes:
            self._stop_parsing(refusals.LINE_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field of the head; the same of a trailer changes nothing any more."""
        self._parsed += len(name) + len(value) + 4
        if self._parsed > self.limits.head_bytes:
            self._stop_parsing(refusals.HEAD_TOO_LARGE)
        if self._in_body:
            return
        self.headers.append((name.lower(), value))
        if len(self.headers) > self.limits.fields:
            self._stop_parsing(refusals.HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Look at the head, then let a handler see it."""
        parser = self.parser
        head = Head(parser.get_http_version(), self.url, self.headers)
        if (fault := fault_in(head)) is not None:
            self._stop_parsing(fault)
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                self._stop_parsing(refusals.NO_TUNNEL)
            if wants_websocket(self.headers):
                self._stop_parsing(refusals.NO_WEBSOCKET)
            self._restating = True
            return
        found = dict(self.headers)
        path = path_of(self.url, found.get(b"host"))
        if path is None:
            self._stop_parsing(malformed("the target of the request is no path of this server"))
        elif len(self.pipeline) >= MOST_QUEUED:
            self._stop_parsing(malformed(f"more than {MOST_QUEUED} requests were sent ahead of their answers"))
        else:
            self.url = path
            self.expect_100_continue = b"expect" in found and head.version == "1.1"
            self._in_head = False
            self._in_body = True
            self._fed = self._parsed = self._body_bytes = 0
            self._due = self.loop.time() + self.limits.body_s
            super().on_headers_complete()
            self.cycle.transport = self._out
            self._keep_alive = self.cycle.keep_alive
            if self.expect_100_continue:
                # Answered before it was told to go on, the peer may send its body or not: nobody knows what comes next.
                self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here."""
        if self._restating:
            return
        self._in_body = False
        self._fed = self._parsed = 0
        self._due = inf
        self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

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

    # How it ends.

    def _stop_parsing(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise _Refused

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
