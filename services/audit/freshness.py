"""Whether the ledger holds everything published so far; judging sooner would name leads that are not lost."""

import asyncio
import time
from collections.abc import Callable

from aiokafka.errors import KafkaError

from services.audit.db.reader import next_offsets
from shared.contracts import DEAD_LETTERS, TOPICS
from shared.kafka.offsets import end_offsets
from shared.postgres import Connection
from shared.settings import Settings

POLL_S = 0.25
ASK_WITHIN_S = 15.0


class Patience:
    """How long a command may still wait; shared by everything that it waits for."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    async def pause(self) -> bool:
        """Wait a moment; False when there is no time left."""
        if self._monotonic() >= self._end:
            return False
        await asyncio.sleep(POLL_S)
        return True


async def records_behind(settings: Settings, connection: Connection, patience: Patience) -> int | None:
    """Records published before this call that the ledger lacks after waiting for them: 0 when it has them all.

    None when Kafka cannot be asked: what is in the ledger can be judged all the same.
    """
    if not settings.kafka:
        return None
    try:
        async with asyncio.timeout(ASK_WITHIN_S):
            ends = await end_offsets(settings, [*TOPICS, *DEAD_LETTERS.values()])
    except (KafkaError, OSError, TimeoutError):
        return None
    while True:
        have = await next_offsets(connection)
        behind = sum(max(0, end - have.get(partition, 0)) for partition, end in ends.items())
        if not behind or not await patience.pause():
            return behind
