"""A store that really listens, reads requests, and answers with whatever bytes a test gives it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def store_of(*answers: Answering) -> AsyncIterator[str]:
    """A store that reads requests, and answers the first as the first of `answers` does, and so on."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                await (left.pop(0) if len(left) > 1 else left[0])(writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def saying(*parts: bytes, then_close: bool = True) -> Answering:
    """Writes the parts one by one."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if then_close:
            writer.close()

    return answer


async def without_end(writer: asyncio.StreamWriter, begun: bytes, more: bytes) -> None:
    """Writes for as long as somebody takes it."""
    writer.write(begun)
    while not writer.is_closing():
        writer.write(more)
        await writer.drain()
        await asyncio.sleep(0.001)
