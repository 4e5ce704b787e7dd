"""A peer that writes bytes to a port and reads what comes back, however strange the bytes are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Reply:
    """One response, whole."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def is_problem(self) -> bool:
        """Whether it is an RFC 9457 problem whose members agree with the response."""
        if self.fields.get("content-type") != "application/problem+json":
            return False
        document: dict[str, Any] = orjson.loads(self.body)
        return document["status"] == self.status and bool(document["title"]) and "type" in document


class Closed(Exception):  # noqa: N818 - it names a state
    """The other side has ended the connection."""


@dataclass
class Peer:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    interim: list[int] = field(default_factory=list)
    """Statuses of 1xx responses that came before the last reply."""

    async def say(self, data: bytes) -> None:
        """Write; what the other side no longer takes is not an error."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            pass

    async def hear(self, *, to_head: bool = False) -> Reply:
        """The next response, after any 1xx. Raises Closed when none comes any more."""
        self.interim = []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                reply = await self._read(to_head=to_head)
                if reply.status >= 200:
                    return reply
                self.interim.append(reply.status)

    async def _read(self, *, to_head: bool) -> Reply:
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            raise Closed from None
        line, *lines = head.decode("latin-1").strip().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
        status = int(line.split(" ")[1])
        if to_head or status < 200 or status in (204, 304):
            return Reply(status, fields, b"")
        if fields.get("transfer-encoding") == "chunked":
            return Reply(status, fields, await self._read_chunks())
        return Reply(status, fields, await self.reader.readexactly(int(fields["content-length"])))

    async def _read_chunks(self) -> bytes:
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return b"".join(parts)

    async def is_closed(self) -> bool:
        """Whether the other side ends the connection now, saying nothing more."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.reader.read(1) == b""
        except OSError:
            return True


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    """A fresh connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    """The same bytes, a few at a time."""
    for at in range(0, len(data), size):
        yield data[at : at + size]
