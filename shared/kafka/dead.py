"""Burying what can never be handled, with its address, whole or by reference; and holding back when too much dies."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Metric

from shared.contracts import DEAD_LETTERS
from shared.kafka.dead_letter import DeadLetter, claimed_writer, dead_letter
from shared.kafka.dead_share import DeadShare
from shared.kafka.produce import Producer, RecordTooLarge
from shared.kafka.record import Record
from shared.telemetry import Progress, get_logger

SLICE_BYTES = 8 * 1024 * 1024
"""So much is published at once: hundreds of records of a megabyte may die together."""
REMEMBERED = 20_000
"""Addresses of buried records: a batch that comes back is not buried, nor counted, twice."""
LOGGED_SINGLY = 5
"""Of one batch; the rest is counted by reason."""
ALARM_S = 3_600.0

Address = tuple[str, int, int]


class TooManyDead(Exception):  # noqa: N818 - it names a state
    """More than 1 % of the facts of our own cannot be read: most likely this version of the code is wrong, not they."""


class DeadLetters:
    """The dead-letter topics as seen by one consumer. `hold=False` never holds anything back."""

    def __init__(
        self,
        producer: Producer,
        consumer: str,
        *,
        registry: CollectorRegistry | None = None,
        progress: Progress | None = None,
        hold: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._producer = producer
        self._consumer = consumer
        self._hold = hold
        self._monotonic = monotonic
        self._share = DeadShare()
        self._buried: dict[Address, None] = {}
        self._lately: deque[tuple[float, str]] = deque(maxlen=REMEMBERED)
        self._metric = Metric(
            "waypost_dead_letters",
            "Records that could never be handled, by what became of their bytes: whole, reference, or log (nowhere)",
            ("topic", "kept"),
            registry=registry,
        )
        if progress is not None:
            progress.add_alarm("dead_letters", self.alarm)

    def alarm(self) -> str:
        """What was buried in the last hour, in words; empty when nothing was."""
        horizon = self._monotonic() - ALARM_S
        while self._lately and self._lately[0][0] < horizon:
            self._lately.popleft()
        if not self._lately:
            return ""
        held = "; facts of our own are held back" if self._share.is_holding else ""
        return f"{len(self._lately)} buried within an hour, the last because: {self._lately[-1][1]}{held}"

    async def bury(self, dead: Sequence[tuple[Record, str]], *, seen: int, now: datetime) -> None:
        """Publish each `(record, reason)` to its dead-letter topic; `seen` is the size of the batch they came in.

        Reasons must not quote the record. Raises TooManyDead when facts that claim to be ours are held back; what was
        buried by then is remembered, and the batch may come back.
        """
        new = [item for item in dead if _address(item[0]) not in self._buried]
        ours = [item for item in new if claimed_writer(item[0]) is not None] if new else []
        admitted = self._share.admit(len(ours), seen, now) if self._hold else len(ours)
        if not new:
            return
        held = {_address(record) for record, _ in ours[admitted:]}
        going = [item for item in new if _address(item[0]) not in held] if held else new
        letters = (dead_letter(record, reason, self._consumer, now) for record, reason in going)
        for part in _in_slices(letters):
            await self._publish(part, now)
        self._report(going)
        if held:
            raise TooManyDead(
                f"{self._share.dead + len(held)} of {self._share.seen + seen} records of {self._consumer} are dead"
            )

    async def _publish(self, letters: list[DeadLetter], now: datetime) -> None:
        for source in dict.fromkeys(letter.record.topic for letter in letters):
            of_topic = [letter for letter in letters if letter.record.topic == source]
            topic = DEAD_LETTERS[source].name
            refused: list[int] = []
            try:
                await self._producer.publish(topic, [(letter.key, letter.value) for letter in of_topic])
            except RecordTooLarge as error:
                refused = error.positions
            for i, letter in enumerate(of_topic):
                kept = "whole" if letter.is_whole else "reference"
                if i in refused:
                    kept = await self._publish_shorter(topic, letter, now)
                self._metric.labels(source, kept).inc()
                self._remember(letter)

    async def _publish_shorter(self, topic: str, letter: DeadLetter, now: datetime) -> str:
        """The topic takes less than it should: keep a reference, or what it refuses even then in the log alone."""
        short = dead_letter(letter.record, letter.reason, self._consumer, now, whole=False)
        try:
            await self._producer.publish(topic, [(short.key, short.value)])
        except RecordTooLarge:
            get_logger().error("record.not_buried", **_described(letter.record, letter.reason))
            return "log"
        return "reference"

    def _remember(self, letter: DeadLetter) -> None:
        self._buried[_address(letter.record)] = None
        self._lately.append((self._monotonic(), letter.reason))
        if len(self._buried) > REMEMBERED:
            for address in list(islice(self._buried, REMEMBERED // 2)):
                del self._buried[address]

    @staticmethod
    def _report(buried: Sequence[tuple[Record, str]]) -> None:
        log = get_logger()
        for record, reason in buried[:LOGGED_SINGLY]:
            log.warning("record.buried", **_described(record, reason))
        if more := buried[LOGGED_SINGLY:]:
            reasons = Counter(f"{record.topic}: {reason}" for record, reason in more)
            log.warning("records.buried", more=len(more), reasons=dict(reasons.most_common(10)))


def _address(record: Record) -> Address:
    return record.topic, record.partition, record.offset


def _described(record: Record, reason: str) -> dict[str, object]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "reason": reason,
        "written_by": claimed_writer(record),
    }


def _in_slices(letters: Iterator[DeadLetter]) -> Iterator[list[DeadLetter]]:
    part: list[DeadLetter] = []
    size = 0
    for letter in letters:
        part.append(letter)
        size += len(letter.value)
        if size >= SLICE_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
