"""A server of the real kind around an application that only says what it was given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.http_server import ServerLimits, application, serve
from tests.ports.raw import Reply, connected
from tests.services.store_notifier.process import free_port

LONG_S = 600.0
PATIENT = ServerLimits(head_s=LONG_S, body_s=LONG_S, idle_s=LONG_S, rest_s=LONG_S, take_s=LONG_S)


async def tell(request: Request) -> Response:
    """What came in."""
    body = await request.body()
    return JSONResponse({"fields": dict(request.headers), "body": body.decode(), "path": request.url.path})


async def fail(_: Request) -> Response:
    """A fault that quotes what nobody may read."""
    raise RuntimeError("the secret of the application")


async def break_off(_: Request) -> Response:
    """A fault in the middle of an answer."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("the secret of the application")

    return StreamingResponse(parts())


async def flood(_: Request) -> Response:
    """An answer that fills every buffer on its way."""
    return Response(b"x" * 64 * 1024 * 1024)


@asynccontextmanager
async def server_of(limits: ServerLimits) -> AsyncIterator[int]:
    """The port of a running server; its end ends every connection."""
    routes = [
        Route("/tell", tell, methods=["GET", "POST"]),
        Route("/fail", fail),
        Route("/break-off", break_off),
        Route("/flood", flood),
    ]
    stop, port = asyncio.Event(), free_port()
    running = asyncio.create_task(serve(application(routes), "127.0.0.1", port, stop, name="test", limits=limits))
    try:
        while not running.done():
            try:
                async with connected(port):
                    break
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
        yield port
    finally:
        stop.set()
        await running


async def ask(port: int, sent: bytes) -> Reply:
    """One request on a connection of its own."""
    async with connected(port) as peer:
        await peer.say(sent)
        return await peer.hear()
