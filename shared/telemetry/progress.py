"""Health that watches work being done, not sockets being open."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from shared.words import counted

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

STUCK_AFTER_S = 60.0
"""Records waiting and none handled for so long means stuck: the platform should restart the process."""


class Placed(Protocol):
    """A record's address."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102


class Progress:
    """What the consumers of one process have done lately. Times are monotonic seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._consumers: list[tuple[str, Callable[[], AIOKafkaConsumer | None]]] = []
        self._next: dict[tuple[str, int], int] = {}
        self._last_progress = monotonic()
        self._last_error = ""
        self._fatal = ""
        self.gave_up = asyncio.Event()
        """Set with `give_up`, for whoever must end the process."""
        self._alarms: dict[str, Callable[[], str]] = {}
        self.records_handled = 0
        self.batches_failed = 0

    def watch(self, consumer: "Callable[[], AIOKafkaConsumer | None]", topic_prefix: str = "") -> None:
        """Watch the lag of a consumer that may not exist yet."""
        self._consumers.append((topic_prefix, consumer))

    def polled(self, records: Sequence[Placed]) -> None:
        """A batch was fetched and is about to be handled."""
        for record in records:
            self._next.setdefault((record.topic, record.partition), record.offset)

    def handled(self, records: Sequence[Placed]) -> None:
        """A batch was handled to its end."""
        for record in records:
            self._next[record.topic, record.partition] = record.offset + 1
        self.records_handled += len(records)
        self._last_progress = self._monotonic()
        self._last_error = ""

    def failed(self, error: str) -> None:
        """A batch failed and will come back."""
        self.batches_failed += 1
        self._last_error = error

    def add_alarm(self, name: str, told: Callable[[], str]) -> None:
        """`told` gives what an operator should look at, or an empty text; the process is at work all the same."""
        self._alarms[name] = told

    def alarms(self) -> dict[str, str]:
        """What an operator should look at, by name."""
        return {name: text for name, told in self._alarms.items() if (text := told())}

    def give_up(self, reason: str) -> None:
        """This process cannot go on; it reports dead until it is restarted."""
        self._fatal = reason
        self.gave_up.set()

    @property
    def fatal(self) -> str:
        """Why this process cannot go on; empty while it can."""
        return self._fatal

    def lag(self) -> int:
        """Records known to wait in the partitions of this process; partitions without a fetch yet count as empty."""
        waiting = 0
        for prefix, get in self._consumers:
            consumer = get()
            if consumer is None:
                continue
            for partition in consumer.assignment():
                upcoming = self._next.get((partition.topic.removeprefix(prefix), partition.partition))
                end = consumer.highwater(partition)
                if upcoming is not None and end is not None:
                    waiting += max(0, end - upcoming)
        return waiting

    def live(self) -> tuple[bool, str]:
        """False when the process should be restarted, with the reason."""
        if self._fatal:
            return False, self._fatal
        silent_s = self._monotonic() - self._last_progress
        if silent_s > STUCK_AFTER_S and (lag := self.lag()):
            return False, f"{counted(lag, 'record')} not handled yet, and none was handled for {silent_s:.0f} s"
        return True, "ok"

    def ready(self) -> tuple[bool, str]:
        """False while it cannot do its work (not assigned, or its last batch failed), with the reason."""
        if self._fatal:
            return False, self._fatal
        if self._last_error:
            return False, f"the last batch failed: {self._last_error}"
        for prefix, get in self._consumers:
            consumer = get()
            corrupt: dict[tuple[str, int], int] = getattr(consumer, "corrupt", {})
            for at in consumer.assignment() if consumer is not None and corrupt else ():
                if (offset := corrupt.get((at.topic, at.partition))) is not None:
                    place = f"{at.topic.removeprefix(prefix)}/{at.partition}/{offset}"
                    return False, f"the batch at {place} is corrupt: its partition waits"
            if consumer is None or (not consumer.assignment() and not self.records_handled):
                return False, "no partitions assigned yet"
        return True, "ok"
