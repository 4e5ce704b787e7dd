"""A load client that costs little, so that on a machine of few cores the server is what gets measured.

Keep-alive connections of HTTP/1.1, one request at a time on each. It understands what a server here answers: a status
and a body with its Content-Length.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial

import uvloop

_END_OF_HEAD = b"\r\n\r\n"
_ANSWER_WITHIN_S = 30.0


def request_of(path: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """A whole POST request as bytes, so that building it costs nothing while the clock runs."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def send_all(port: int, requests: Sequence[bytes], connections: int, expected: int) -> list[float]:
    """Send each request on the next free connection, and return how long each answer took, in ms.

    Raises RuntimeError when an answer has another status than `expected`, OSError when the server hangs up.
    """
    return await asyncio.to_thread(_run, port, requests, connections, expected)


async def wait_until_open(port: int) -> None:
    """Return as soon as something listens on the port; raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            await writer.wait_closed()
            return


def _run(port: int, requests: Sequence[bytes], connections: int, expected: int) -> list[float]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send_all(port, requests, connections, expected))


async def _send_all(port: int, requests: Sequence[bytes], connections: int, expected: int) -> list[float]:
    waiting, took_ms = iter(requests), list[float]()
    loop = asyncio.get_running_loop()
    clients = [_Client(waiting, took_ms, expected, loop.create_future()) for _ in range(connections)]
    async with asyncio.timeout(_ANSWER_WITHIN_S + len(requests) / 100):
        for client in clients:
            client.transport, _ = await loop.create_connection(partial(_same, client), "127.0.0.1", port)
        for client in clients:
            client.send_next()
        await asyncio.gather(*(client.finished for client in clients))
    return took_ms


def _same(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(
        self, requests: Iterator[bytes], took_ms: list[float], expected: int, finished: "asyncio.Future[None]"
    ) -> None:
        self._requests = requests
        self._took_ms = took_ms
        self._expected = f"HTTP/1.1 {expected} ".encode()
        self._received = b""
        self._sent_s = 0.0
        self.finished = finished

    def send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.finished.set_result(None)
            self.transport.close()
            return
        self._sent_s = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(_END_OF_HEAD)
        if not separator or len(body) < _length_of(head):
            return
        self._received = b""
        self._took_ms.append((time.perf_counter() - self._sent_s) * 1e3)
        if head.startswith(self._expected):
            self.send_next()
        else:
            self._fail(RuntimeError(f"answered {head.splitlines()[0].decode()}: {body.decode()}"))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(error or ConnectionResetError("the server hung up"))

    def _fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)
            self.transport.close()


def _length_of(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    if not found:
        raise ValueError("an answer without Content-Length")
    return int(rest.partition(b"\r\n")[0])
