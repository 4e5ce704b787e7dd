"""HTTP answers that no standard knows, each as raw bytes, and a server that gives one of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_BODY = b'{"code":"Ok"}'
_LENGTH = b"content-length: %d" % len(_BODY)
_NINES = b"9" * 5_000


def _answer(*headers: bytes, body: bytes = _BODY, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def _of(body: bytes, status: bytes = b"200 OK") -> bytes:
    return _answer(b"content-length: %d" % len(body), body=body, status=status)


_BODIES = (
    b"[" * 5_000,
    b"\xff\xfe{}\x00\x00\x01",
    b'{"a":' + _NINES + b"}",
    b"[1e999",
    b'[{"lat":1e400,"lon":"1e9"}]',
    b'[{"lat":"' + _NINES + b'","lon":"1","place_rank":30}]',
    b'[{"lat":{},"lon":null}]',
    b'{"status":"1","infocode":"10000","geocodes":[{"location":"nan,inf","level":"\\u5e02"}]}',
    b'{"code":"Ok","durations":[[NaN]]}',
    b'{"code":"Ok","durations":[[' + _NINES + b"]]}",
    b'{"sources_to_targets":[[{"time":' + _NINES + b"}]]}",
    b'{"error_code":' + _NINES + b"}",
)
RAW_ANSWERS = (
    b"",
    b"\x00" * 50,
    b"HTTP/1.1 \r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"HTTP/1.1 99999 OK\r\n\r\n",
    b"HTTP/1.1 " + _NINES + b" OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 200 + _answer(_LENGTH),
    _answer(b"content-length: " + _NINES),
    _answer(b"content-length: -1"),
    _answer(b"transfer-encoding: chunked", body=_NINES + b"\r\n"),
    _answer(b"transfer-encoding: chunked", body=b"zz\r\n"),
    _answer(b"transfer-encoding: chunked", _LENGTH),
    *(_answer(_LENGTH, b"content-encoding: " + name) for name in (b"gzip", b"deflate", b"br", b"zstd", b"nonsense")),
    _answer(_LENGTH, b"set-cookie: \xff=\x01; expires=Wed, 21 Oct 99999999999999999999 07:28:00 GMT"),
    _answer(_LENGTH, b"content-type: application/json; charset=undefined"),
    _answer(_LENGTH, b"location: http://[::1", status=b"302 Found"),
    *(
        _answer(_LENGTH, b"retry-after: " + after, status=b"429 Too Many Requests")
        for after in (_NINES, b"Wed, 21 Oct 99999999999999999999 07:28:00 GMT", b"\xc2\xb2", b"nan", b"-1")
    ),
    _answer(_LENGTH, b"x: " + b"y" * 100_000),
    _answer(_LENGTH, *(b"x%d: y" % n for n in range(5_000))),
    _answer(_LENGTH, b"x: a\x00b"),
    _answer(body=b"body", status=b"204 No Content"),
    _answer(_LENGTH, status=b"101 Switching Protocols"),
    *(_of(body, status) for body in _BODIES for status in (b"200 OK", b"400 Bad Request")),
)
IMPOSSIBLE_ADDRESSES = (
    f"http://{'x' * 70}.example",
    "http://a..b.example",
    "http://[::1",
    "http://127.0.0.1:99999",
    "http://\u2100.example",
)


@asynccontextmanager
async def answering(raw: bytes) -> AsyncIterator[str]:
    """The address of a server that gives these bytes to every request and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()
