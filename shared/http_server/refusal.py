"""What the server itself says to a request that no handler gets to see."""

from dataclasses import dataclass
from http import HTTPStatus

import httptools

from shared.problems import PROBLEM_TYPE, problem_document


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer; after it the connection is closed, since nobody knows where the next request would begin."""

    status: int
    slug: str
    detail: str
    retry_after_s: int | None = None

    def to_bytes(self, default_headers: list[tuple[bytes, bytes]]) -> bytes:
        """The whole response."""
        body = problem_document(self.status, self.detail, slug=self.slug)
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}".encode()]
        lines += [name + b": " + value for name, value in default_headers]
        lines += [f"content-type: {PROBLEM_TYPE}".encode(), f"content-length: {len(body)}".encode()]
        if self.retry_after_s is not None:
            lines.append(f"retry-after: {self.retry_after_s}".encode())
        lines += [b"connection: close", b"", body]
        return b"\r\n".join(lines)


FULL = Refusal(503, "too-many-connections", "too many connections are open; try again in a moment", 1)
LINE_TOO_LONG = Refusal(414, "address-too-long", "the address of the request is too long")
HEAD_TOO_LARGE = Refusal(431, "headers-too-large", "the header fields are too large, or there are too many of them")
HEAD_TOO_SLOW = Refusal(408, "header-too-slow", "the header of the request came too slowly")
BODY_TOO_SLOW = Refusal(408, "too-slow", "the body came too slowly")
PADDED = Refusal(400, "malformed", "the body is chunked with far more around the chunks than is in them")
NO_WEBSOCKET = Refusal(400, "no-websocket", "there is no WebSocket here; send a plain HTTP request")
NO_TUNNEL = Refusal(501, "method", "CONNECT is for proxies, and this is none")
WRONG_VERSION = Refusal(505, "version", "this server speaks HTTP/1.1 and takes HTTP/1.0")
UNKNOWN_METHOD = Refusal(501, "method", "the method is not one that this server knows")

_OF_VERSION = ("Invalid HTTP version", "Expected dot", "Expected major version", "Invalid major version")
_OF_HTTP_2 = "Pause on PRI/Upgrade"


def malformed(detail: str) -> Refusal:
    """400: this is not HTTP as RFC 9112 has it."""
    return Refusal(400, "malformed", detail)


def refusal_of(error: httptools.HttpParserError, began: bytes) -> Refusal:
    """The answer to what the parser could not read. Its own texts are fixed ones and never quote the request.

    `began`: the first byte of the head. What begins with a letter was meant as a method; a TLS handshake was not.
    """
    text = str(error)
    if isinstance(error, httptools.HttpParserInvalidMethodError) and began.isalpha():
        return UNKNOWN_METHOD
    if text.startswith((*_OF_VERSION, _OF_HTTP_2)):
        return WRONG_VERSION
    return malformed(f"this is no valid HTTP/1.1 request: {text}")
