"""The notifier as a process of its own, to be asked, stopped and killed."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

import aiohttp

from services.store_notifier.settings import NotifierSettings

_PROGRAM = """
from services.store_notifier.main import main
from services.store_notifier.settings import read_settings
from shared.process import run
raise SystemExit(run(lambda stop: main(read_settings(), stop)))
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


class Notifier:
    """One notifier process; entering waits until it is ready."""

    def __init__(self, settings: NotifierSettings, *, log: Path | None = None, **environment: str) -> None:
        self._settings = settings
        self._log = log
        self._environment = environment
        self.health_port = free_port()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    def _variables(self) -> dict[str, str]:
        settings = self._settings
        return {
            **os.environ,  # noqa: TID251 - handed down, not read
            "WAYPOST_DATA_FOLDER": str(settings.data_folder),
            "WAYPOST_KAFKA": settings.kafka,
            "WAYPOST_POSTGRES": settings.postgres.get_secret_value(),
            "WAYPOST_TOPIC_PREFIX": settings.topic_prefix,
            "WAYPOST_KEYS": str(settings.keys),
            "WAYPOST_INTAKE_URL": settings.intake_url,
            "WAYPOST_NOTIFIER_URL": self.url,
            "WAYPOST_NOTIFIER_PORT": str(self.port),
            "WAYPOST_NOTIFIER_ALLOW_NETWORKS": ",".join(map(str, settings.notifier_allow_networks)),
            "WAYPOST_NOTIFIER_RETRY_CEILINGS_S": str(list(settings.notifier_retry_ceilings_s)),
            "WAYPOST_NOTIFIER_TIME_TO_ANSWER_S": "0",
            "WAYPOST_NOTIFIER_REQUEST_TIMEOUT_S": str(settings.notifier_request_timeout_s),
            "WAYPOST_HEALTH_PORT": str(self.health_port),
            **self._environment,
        }

    async def __aenter__(self) -> Self:
        await self.start()
        await self.wait_until_ready()
        return self

    async def start(self) -> None:
        """Start it without waiting."""
        with ExitStack() as stack:
            log = stack.enter_context(self._log.open("ab")) if self._log else None
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _PROGRAM, env=self._variables(), stderr=log
            )

    async def wait_until_ready(self, within_s: float = 60) -> None:
        """Return when it says that it can do its work."""
        assert self._process is not None
        url = f"http://127.0.0.1:{self.health_port}/healthz/ready"
        async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
            while True:
                assert self._process.returncode is None, "the notifier ended"
                try:
                    async with session.get(url) as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def metrics(self) -> str:
        """What Prometheus would see."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.health_port}/metrics") as response,
        ):
            return await response.text()

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            return await self._process.wait()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
