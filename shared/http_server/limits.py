"""How much and how long a peer may take of one port. They hold before any handler runs, and on every port alike."""

import resource
from dataclasses import dataclass
from typing import Self

from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Sizes in bytes, times in seconds."""

    request_line_bytes: int = 8 * 1024
    """The target of the request line; RFC 9112, 3 recommends to take at least 8,000."""
    head_bytes: int = 16 * 1024
    """Request line and header fields together; the same bounds what surrounds a chunked body (extensions, trailers)."""
    fields: int = 100
    head_s: float = 10.0
    """From the connection, or the first byte of a request, to the end of its header."""
    body_s: float = 30.0
    """From the end of the header to the end of the body; a handler may be stricter."""
    rest_s: float = 5.0
    """From an answer to the end of the body that it did not wait for."""
    idle_s: float = 75.0
    """How long a connection may wait for its next request."""
    crowded_idle_s: float = 2.0
    """The same while three quarters of `connections` are taken: who does nothing makes room for who comes."""
    take_s: float = 30.0
    """How long a peer may leave an answer lying."""
    linger_s: float = 2.0
    """How long a refused peer may go on sending before it is cut off: closed at once, it would lose the refusal."""
    connections: int = 4096
    """At once on one port; the next one is told 503."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What the operator chose, within half of what the process may open: the rest is for its own work."""
        most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        within = settings.http_connections
        if most_files != resource.RLIM_INFINITY:
            within = min(within, max(1, most_files // 2))
        return cls(
            head_s=settings.http_head_timeout_s,
            body_s=settings.http_body_timeout_s,
            idle_s=settings.http_idle_timeout_s,
            connections=within,
        )
