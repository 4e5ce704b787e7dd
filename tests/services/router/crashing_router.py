"""A router that dies by SIGKILL when it is about to publish: its decisions are committed, Kafka has not heard of them.

Run as `python -m tests.services.router.crashing_router`; settings come from the environment.
"""

import os
import signal
from collections.abc import Iterable

import services.router.main as router_main
from services.router.settings import read_settings
from shared.contracts import LEADS_DECIDED
from shared.kafka import Producer
from shared.process import run


class CrashingProducer(Producer):
    """Kills its process in place of publishing a decision."""

    async def publish(self, topic: str, records: Iterable[tuple[bytes, bytes]], *, timeout_s: float = 20) -> None:
        """Publish anything but decisions."""
        if topic == LEADS_DECIDED.name:
            os.kill(os.getpid(), signal.SIGKILL)
        await super().publish(topic, records, timeout_s=timeout_s)


if __name__ == "__main__":
    vars(router_main)["Producer"] = CrashingProducer
    run(lambda stop: router_main.main(read_settings(), stop))
