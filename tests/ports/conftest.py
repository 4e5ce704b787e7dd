"""The ports of real processes: the intake, the notifier with its pages, and the metrics of both."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local import Stack
from services.store_notifier.settings import NotifierSettings
from tests.services.lead_intake.running import Installation, IntakeProcess, install
from tests.services.store_notifier.process import Notifier, free_port

PORTS = ("intake", "notifier", "intake's metrics", "notifier's metrics")


@dataclass(frozen=True)
class Ports:
    """What listens."""

    installation: Installation
    intake: IntakeProcess
    intake_health_port: int
    notifier: Notifier
    notifier_log: Path

    def number(self, name: str) -> int:
        """The port of that name."""
        numbers = (self.intake.port, self.notifier.port, self.intake_health_port, self.notifier.health_port)
        return dict(zip(PORTS, numbers, strict=True))[name]

    def log(self, name: str) -> Path:
        """The log of the process behind it."""
        return self.intake.log if name.startswith("intake") else self.notifier_log


@pytest.fixture(scope="module")
async def ports(
    stack: Stack, postgres_dsn: str, topic_prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ports]:
    """Both processes, ready."""
    folder = tmp_path_factory.mktemp("ports")
    installation = await install(postgres_dsn, stack.kafka_bootstrap, topic_prefix, folder)
    of_intake = installation.settings
    settings = NotifierSettings(
        kafka=of_intake.kafka,
        postgres=of_intake.postgres,
        topic_prefix=topic_prefix,
        keys=of_intake.key_file,
        data_folder=folder,
        notifier_allow_networks="127.0.0.0/8",
    )
    health_port, log = free_port(), folder / "notifier.log"
    async with (
        installation.running(health_port=str(health_port)) as intake,
        Notifier(settings, log=log) as notifier,
    ):
        yield Ports(installation, intake, health_port, notifier, log)
    # Whatever the tests of the module sent: no process may have failed at it.
    for told in (intake.log.read_text(), log.read_text()):
        assert "Traceback" not in told
        assert "request.failed" not in told
