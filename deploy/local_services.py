"""The services of a local stack: prepared (topics, migrations, keys, policy), started as processes, kept alive."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp

from deploy.ports import LOOPBACK, choose_ports
from deploy.supervisor import Supervisor
from services.router.policies import publish_default
from shared.errors import UserError
from shared.kafka import apply_topics
from shared.keys import create_keys
from shared.migrate import SERVICES, migrate
from shared.settings import Settings

READY_WITHIN_S = 60.0
ADDRESSES = "services.json"
LOCAL_NETWORKS = ("127.0.0.0/8",)
"""Stores of a local stack are on this machine; anywhere else loopback stays refused."""

Say = Callable[[str], None]


async def prepare(settings: Settings, say: Say) -> None:
    """Everything that must exist before the first service starts; quick when it does already."""
    say("applying topics and migrations")
    await apply_topics(settings)
    await migrate(settings.require_postgres())
    if not settings.key_file.exists():
        create_keys(settings.key_file, os.urandom)
    await publish_default(settings)


class LocalServices:
    """The four services as child processes of this one, with their addresses in `services.json`."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._folder = settings.data_folder
        # Remembered, so that an inbox page's address stays the same over a restart.
        names = ["intake", "notifier", *(f"health of {service}" for service in SERVICES)]
        ports = choose_ports(self._folder / "ports.json", names)
        self.health_ports = {service: ports[f"health of {service}"] for service in SERVICES}
        self.intake_url = f"http://{LOOPBACK}:{ports['intake']}"
        self.notifier_url = f"http://{LOOPBACK}:{ports['notifier']}"

    @property
    def addresses(self) -> dict[str, str | list[str]]:
        """What a command in the folder takes over: where the services are, and what the notifier may call."""
        return {
            "intake_url": self.intake_url,
            "notifier_url": self.notifier_url,
            "notifier_allow_networks": list(LOCAL_NETWORKS),
            "health_urls": self.health_urls,
        }

    @property
    def health_urls(self) -> str:
        """Where every service listens for health, as `waypost doctor` reads it."""
        return ",".join(f"{service}=http://{LOOPBACK}:{port}" for service, port in self.health_ports.items())

    def environment(self, service: str) -> dict[str, str]:
        """What a service process, or a command beside them, is told."""
        return {
            **os.environ,  # noqa: TID251 - handed down, not read
            "WAYPOST_DATA_FOLDER": str(self._folder),
            "WAYPOST_KEYS": str(self._settings.key_file),
            "WAYPOST_KAFKA": self._settings.require_kafka(),
            "WAYPOST_POSTGRES": self._settings.require_postgres(),
            "WAYPOST_TOPIC_PREFIX": self._settings.topic_prefix,
            "WAYPOST_INTAKE_URL": self.intake_url,
            "WAYPOST_NOTIFIER_URL": self.notifier_url,
            "WAYPOST_INTAKE_PORT": self.intake_url.rsplit(":", 1)[1],
            "WAYPOST_NOTIFIER_PORT": self.notifier_url.rsplit(":", 1)[1],
            "WAYPOST_NOTIFIER_ALLOW_NETWORKS": ",".join(LOCAL_NETWORKS),
            "WAYPOST_HEALTH_PORT": str(self.health_ports.get(service, 0)),
        }

    @staticmethod
    def arguments(service: str) -> list[str]:
        """The command line of a service process."""
        return [sys.executable, "-m", "services.cli", "run", service]

    async def start(self, say: Say) -> None:
        """Start all, wait until each is ready, then publish the addresses.

        Raises UserError naming the service that is not ready in a minute, and its log.
        """
        for service in SERVICES:
            say(f"starting {service}")
            self._supervisor.start(service, self.arguments(service), self.environment(service))
        for service in SERVICES:
            await self.ready(service)
        write_addresses(self._folder, self.addresses)

    async def ready(self, service: str) -> None:
        """Wait until a service is at work. Raises UserError naming its log when it is not in a minute."""
        url = f"http://{LOOPBACK}:{self.health_ports[service]}/healthz/ready"
        answer = "no answer"
        try:
            async with asyncio.timeout(READY_WITHIN_S), aiohttp.ClientSession() as session:
                while True:
                    try:
                        async with session.get(url) as response:
                            if response.status == 200:
                                return
                            answer = await response.text()
                    except aiohttp.ClientError:
                        answer = "no answer"
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            log = self._folder / "logs" / f"{service}.log"
            raise UserError(f"{service} is not ready after {READY_WITHIN_S:.0f} s: {answer}", f"see {log}") from error

    def forget(self) -> None:
        """Remove the addresses: nobody listens there any more."""
        (self._folder / ADDRESSES).unlink(missing_ok=True)


def write_addresses(folder: Path, addresses: Mapping[str, str | list[str]]) -> None:
    """Write `services.json` in one step, so that no reader sees half of it."""
    unfinished = folder / f"{ADDRESSES}.new"
    unfinished.write_text(json.dumps({**addresses, "pid": os.getpid()}, indent=2))
    unfinished.replace(folder / ADDRESSES)
