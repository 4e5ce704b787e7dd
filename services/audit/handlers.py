"""Batch of records in, rows of the ledger out: read the heads, link, append. Nothing is judged and nothing buried."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

import orjson
from prometheus_client import CollectorRegistry, Counter

from services.audit.db import ledger
from services.audit.db.ledger import Partition, Row
from services.audit.domain.chain import Gap, extend
from services.audit.domain.labels import label
from shared.kafka import Record, Reference
from shared.kafka.dead_letter import written_at
from shared.postgres import Connection, Pool, transact
from shared.telemetry import get_logger

PART_BYTES = 16 * 1024 * 1024
"""Most bytes of one transaction: thousands of records may come at once, and each may have a megabyte."""


NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a number of a producer that is no time."""


class LedgerConflict(Exception):  # noqa: N818 - it names a state
    """Kafka now says something else than it said before: a topic was made anew, or its log was changed.

    Nothing is recorded over it. Keep the old ledger (rename its schema) before a new one is begun.
    """


@dataclass(frozen=True, slots=True)
class Appended:
    """What one batch did to the ledger."""

    added: int
    redelivered: int
    unreadable: int
    """Added records that are no fact of their topic."""
    gaps: Sequence[tuple[Partition, Gap]]


class Recorder:
    """Appends every batch to the ledger, once, however often it is delivered."""

    def __init__(self, pool: Pool, registry: CollectorRegistry) -> None:
        self._pool = pool
        self._records = Counter("waypost_audit_records", "Records appended to the ledger", registry=registry)
        self._unreadable = Counter(
            "waypost_audit_unreadable_records", "Appended records that are no fact of their topic", registry=registry
        )
        self._skipped = Counter("waypost_audit_skipped_offsets", "Offsets that never arrived", registry=registry)

    async def __call__(self, records: list[Record]) -> None:
        """Append `records`; returns when they are committed.

        Raises LedgerConflict rather than record a contradiction.
        """

        for part in in_parts([kept(record) for record in records]):
            await self._record(part)

    async def _record(self, records: Sequence[Record]) -> None:
        async def work(connection: Connection) -> Appended:
            return await record_batch(connection, records)

        done = await transact(self._pool, work)
        self._records.inc(done.added)
        self._unreadable.inc(done.unreadable)
        log = get_logger()
        for (topic, partition), gap in done.gaps:
            self._skipped.inc(gap.last - gap.first + 1)
            log.error("audit.gap", topic=topic, partition=partition, first_offset=gap.first, last_offset=gap.last)
        log.info(
            "audit.recorded",
            records=len(records),
            added=done.added,
            redelivered=done.redelivered,
            unreadable=done.unreadable,
        )


def kept(record: Record) -> Record:
    """The record as the ledger keeps it: one that is not held in memory, or is larger than a transaction may be, by the
    sizes and the hash that find it again on its topic."""
    reference = record.reference
    if reference is None:
        if len(record.key) + len(record.value) <= PART_BYTES:
            return record
        reference = Reference(len(record.value), len(record.key), 0, sha256(record.value).hexdigest())
        record = replace(record, key=record.key if len(record.key) <= PART_BYTES else b"")
    return replace(record, value=orjson.dumps({"reference": asdict(reference)}), reference=reference)


def in_parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The batch in its order, cut where a part reaches PART_BYTES; a larger record is a part of its own."""
    start = used = 0
    for place, record in enumerate(records):
        size = len(record.key) + len(record.value)
        if used and used + size > PART_BYTES:
            yield records[start:place]
            start, used = place, 0
        used += size
    yield records[start:]


async def record_batch(connection: Connection, records: Sequence[Record]) -> Appended:
    """Append what is new of `records` within the caller's transaction."""
    by_partition: dict[Partition, list[Record]] = defaultdict(list)
    for record in records:
        by_partition[record.topic, record.partition].append(record)
    heads = await ledger.lock_heads(connection, sorted(by_partition))
    rows, gaps, known, moved = [], [], [], {}
    for partition, head in heads.items():
        batch = sorted(by_partition[partition], key=lambda record: record.offset)
        new = [record for record in batch if record.offset >= head.next_offset]
        known += [record for record in batch if record.offset < head.next_offset]
        if not new:
            continue
        moved[partition], links, met = extend(head, [(record.offset, record.key, record.value) for record in new])
        gaps += [(partition, gap) for gap in met]
        rows += [_row(record, link) for record, link in zip(new, links, strict=True)]
    if known and (stranger := await ledger.first_stranger(connection, known)):
        raise LedgerConflict("{}/{}/{} came again with other bytes".format(*stranger))
    if rows:
        if await ledger.append(connection, rows) != len(rows):
            raise LedgerConflict("the ledger holds records beyond its heads: run `waypost audit verify`")
        await ledger.move_heads(connection, moved)
    return Appended(len(rows), len(known), sum(row.labels.fact_id is None for row in rows), gaps)


def _row(record: Record, link: bytes) -> Row:
    return Row(record, written_at(record) or NO_TIME, link, label(record.topic, record.key, record.value))
