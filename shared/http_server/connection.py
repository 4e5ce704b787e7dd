"""One connection of uvicorn's HTTP/1.1 server, with the limits and the refusals that it lacks.

uvicorn 0.54 keeps no limit of header bytes with httptools, has no time limit but for idle connections, appends the
trailers of a chunked body to the header fields, drops the body of a request that asks for HTTP/2, and refuses in
plain text.
"""

import asyncio
from math import inf
from typing import Any

import httptools
import uvicorn
from uvicorn.server import ServerState

from shared.http_server import refusal as refusals
from shared.http_server.head import Fields, fault_in, path_of, restated, wants_websocket
from shared.http_server.refusal import Refusal, malformed, refusal_of
from shared.http_server.timed_connection import TimedConnection

MOST_QUEUED = 32
"""Requests that were sent ahead of their answers (pipelined) on one connection."""
_FRAMING_PER_BODY_BYTE = 16
"""A sender that puts one byte into each chunk needs five bytes around it."""


class _Refused(Exception):  # noqa: N818 - leaves the parser from within a callback
    pass


class Connection(TimedConnection):
    """Reads heads and bodies within the limits; whatever breaks them is refused and ends the connection."""

    headers: Fields

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._restating = False
        self._began = b""
        self._fed = 0
        self._parsed = 0
        self._body_bytes = 0

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
        self.url, self.headers = b"", []
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
        return restated(method, self.url, version, self.headers)

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
        name = name.lower()
        if name == b"expect":
            self.expect_100_continue = True
        self.headers.append((name, value))
        if len(self.headers) > self.limits.fields:
            self._stop_parsing(refusals.HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Look at the head, then let a handler see it."""
        parser = self.parser
        version = parser.get_http_version()
        if (fault := fault_in(version, self.headers)) is not None:
            self._stop_parsing(fault)
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                self._stop_parsing(refusals.NO_TUNNEL)
            if wants_websocket(self.headers):
                self._stop_parsing(refusals.NO_WEBSOCKET)
            self._restating = True
            return
        path = self.url if self.url.startswith(b"/") else path_of(self.url, dict(self.headers).get(b"host"))
        if path is None:
            self._stop_parsing(malformed("the target of the request is no path of this server"))
        elif len(self.pipeline) >= MOST_QUEUED:
            self._stop_parsing(malformed(f"more than {MOST_QUEUED} requests were sent ahead of their answers"))
        else:
            self.url = path
            self.expect_100_continue = self.expect_100_continue and version == "1.1"
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

    def _stop_parsing(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise _Refused
