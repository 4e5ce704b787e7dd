"""Serving one application on one port until the process is told to stop."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from shared.errors import UserError
from shared.http_server.connection import Connection
from shared.http_server.limits import ServerLimits
from shared.http_server.timed_connection import LimitedConfig
from shared.telemetry.logs import get_logger

SWEEP_TICKS = 5
"""uvicorn ticks ten times a second."""
_CROWDED = 0.75


async def serve(
    app: ASGIApp, host: str, port: int, stop: asyncio.Event, *, name: str, limits: ServerLimits | None = None
) -> None:
    """Serve `app` until `stop`, then finish the requests in flight within 5 s. Signals stay with the process.

    Port 0 takes a free one and logs it. Raises UserError when the port cannot be had.
    """
    try:
        listener = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise UserError(
            f"{name} cannot listen on {host}:{port}: {error.strerror}", "set another host or port"
        ) from error
    config = LimitedConfig(
        app,
        http=Connection,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=5,
        server_header=False,
        date_header=True,
    )
    config.limits = limits or ServerLimits()
    server = _Server(config)
    get_logger().info("http.listening", name=name, host=host, port=listener.getsockname()[1])
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopping.cancel()
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers (`shared.process` owns the signals), and with a clock for connections."""

    config: LimitedConfig

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        """uvicorn: a tenth of a second has gone by."""
        if counter % SWEEP_TICKS == 0:
            open_now = [one for one in self.server_state.connections if isinstance(one, Connection)]
            now_s = asyncio.get_running_loop().time()
            crowded = len(open_now) > _CROWDED * self.config.limits.connections
            for connection in open_now:
                connection.sweep(now_s, crowded=crowded)
        return await super().on_tick(counter)
