"""The HTTP client of webhooks: guarded sockets, and the status of an answer whatever becomes of the rest of it.

aiohttp gives a response only when its whole head is well-formed, and an error otherwise, although the status line may
long have said 2xx. So the connection also shows each answer to an `AnswerHead` of ours, and the response asks that one
when aiohttp gives up. Nothing else of aiohttp is replaced: pooling, TLS, look-ups and time limits are its own.
"""

import asyncio
import ssl
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

from services.store_notifier.channels.answer_head import AnswerHead
from services.store_notifier.dial import AddressGuard

CONNECT_TIMEOUT_S = 3.0
KEEP_ALIVE_S = 75.0
"""Most stores of one CRM vendor share a host, and a TLS handshake costs a hundred times a request."""


class StatusTold(Exception):  # noqa: N818 - it names what is known
    """The answer broke off or is not well-formed, but it has said its status."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after = retry_after


class _StoreProtocol(ResponseHandler):
    """One connection to a store. The parser gets to see an answer once its status is known."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.head = AnswerHead()
        self._held = b""
        self._body: StreamReader | None = None

    def set_response_params(self, **parameters: Any) -> None:
        """aiohttp: the next request begins."""
        self.head = AnswerHead()
        self._held = b""
        self._body = None
        super().set_response_params(**parameters)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """aiohttp: the head of an answer was read."""
        if data[0].code >= HTTPStatus.OK:
            self._body = data[1]
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """asyncio: the store says something."""
        if data and self._body is not None and self._body.is_eof():
            # The answer is over: these bytes would be taken for the answer to the next request.
            self.force_close()
            if self.transport is not None:
                self.transport.close()
            return
        self.head.feed(data)
        if self.head.is_open:
            self._held += data
            return
        if self._held:
            data, self._held = self._held + data, b""
        super().data_received(data)


class _StoreConnector(aiohttp.TCPConnector):
    """aiohttp's own, but for the protocol of its connections; aiohttp has no argument for that."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast("partial[ResponseHandler]", partial(_StoreProtocol, loop=self._loop))


class _StoreResponse(aiohttp.ClientResponse):
    """An answer of a store."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """aiohttp: wait for the head. Raises StatusTold when only its status can be had."""
        protocol = connection.protocol
        try:
            return await super().start(connection)
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(protocol, _StoreProtocol) and protocol.head.status is not None:
                raise StatusTold(protocol.head.status, protocol.head.retry_after) from error
            raise


def open_session(guard: AddressGuard, total_timeout_s: float) -> aiohttp.ClientSession:
    """The one client of a process: no cookies, no proxies from the environment, no decompression, guarded sockets.

    It trusts the machine's authorities, or those of SSL_CERT_FILE and SSL_CERT_DIR as they are at this moment.
    """
    trust = ssl.create_default_context()
    trust.set_alpn_protocols(("http/1.1",))
    connector = _StoreConnector(
        ssl=trust,
        limit=0,  # the scheduler bounds what is in flight
        socket_factory=guard.open_socket,
        keepalive_timeout=KEEP_ALIVE_S,
        ttl_dns_cache=10,
    )
    return aiohttp.ClientSession(
        connector=connector,
        response_class=_StoreResponse,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=total_timeout_s, sock_connect=CONNECT_TIMEOUT_S),
        headers={"user-agent": "Waypost/1", "accept-encoding": "identity"},
    )
