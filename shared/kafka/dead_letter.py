"""One dead letter: the record whole where it fits, else what finds it again on its topic."""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID

import orjson

from shared.contracts import DEAD_LETTERS, DeadHeader, DeadReference, RecordDead, derived_id
from shared.contracts.document import WRITERS
from shared.kafka.limits import LARGEST_BURIED_BYTES, LARGEST_DEAD_KEY_BYTES, LARGEST_DEAD_LETTER_BYTES
from shared.kafka.record import Record, Reference, size_of

LONGEST_REASON = 500
_TYPE = re.compile(r"^waypost\.[a-z.]+\.v\d+$")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Key and value for the dead-letter topic of the record's topic."""

    record: Record
    reason: str
    key: bytes
    value: bytes
    is_whole: bool


def dead_letter(
    record: Record, reason: str, consumer: str, now: datetime, *, whole: bool = True, is_published: bool = True
) -> DeadLetter:
    """The letter for `record`, by reference when its bytes do not fit or `whole` is False.

    Unless `is_published`, it is one of our own that never came onto its topic.
    """
    key = record.key if len(record.key) <= LARGEST_DEAD_KEY_BYTES else b""
    if record.reference is not None:
        reason = _too_large(record.reference)
    reason = reason[:LONGEST_REASON]
    if whole and record.reference is None and size_of(record.key, record.value, record.headers) <= LARGEST_BURIED_BYTES:
        value = _fact(record, reason, consumer, now, None, is_published)
        # Thousands of short headers take more than their bytes.
        if len(key) + len(value) <= LARGEST_DEAD_LETTER_BYTES:
            return DeadLetter(record, reason, key, value, is_whole=True)
    reference = record.reference or _reference(record)
    value = _fact(record, reason, consumer, now, reference, is_published)
    return DeadLetter(record, reason, key, value, is_whole=False)


def claimed_writer(record: Record) -> str | None:
    """The service that a record says it is from, when its envelope is complete; None when we never wrote such a thing.

    Not by the contract's models: those are what a bad deploy breaks.
    """
    if not record.value or record.reference is not None:
        return None
    try:
        fact = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fact, dict) or fact.get("specversion") != "1.0" or not isinstance(fact.get("data"), dict):
        return None
    source, kind = fact.get("source"), fact.get("type")
    try:
        UUID(fact["id"])
        datetime.fromisoformat(fact["time"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    if not (isinstance(source, str) and isinstance(kind, str) and isinstance(fact.get("subject"), str)):
        return None
    service = source.removeprefix("/waypost/")
    writers = WRITERS.get(record.topic, [])
    return service if source.startswith("/waypost/") and service in writers and _TYPE.match(kind) else None


def _fact(
    record: Record, reason: str, consumer: str, now: datetime, reference: Reference | None, is_published: bool
) -> bytes:
    is_short = len(record.key) <= LARGEST_DEAD_KEY_BYTES
    return (
        DEAD_LETTERS[record.topic]
        .fact(
            RecordDead(
                source_topic=record.topic,
                source_partition=record.partition,
                source_offset=record.offset,
                consumer=consumer,
                consumer_version=_version(),
                reason=reason,
                raw_base64="" if reference else _base64(record.value),
                raw_key_base64=_base64(record.key) if record.key and (is_short or not reference) else None,
                raw_headers=None if reference or not record.headers else _headers(record),
                raw_is_null=record.is_null or None,
                reference=reference and _contract(reference),
                written_by=claimed_writer(record),
                written_at=written_at(record),
                died_at=now,
                is_unpublished=None if is_published else True,
            ),
            id=_id(record, consumer, is_published),
            source=consumer,
            subject=f"{record.topic}/{record.partition}/{record.offset}",
            time=now,
        )
        .to_bytes()
    )


def _id(record: Record, consumer: str, is_published: bool) -> UUID:
    if is_published:
        return derived_id("dead", consumer, record.topic, record.partition, record.offset)
    return derived_id("unpublished", consumer, record.topic, sha256(record.key + record.value).hexdigest())


def written_at(record: Record) -> datetime | None:
    """The record's time by Kafka; None where a producer wrote a number that is no time."""
    try:
        return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _headers(record: Record) -> tuple[DeadHeader, ...]:
    return tuple(
        DeadHeader(name_base64=_base64(name), value_base64=None if text is None else _base64(text))
        for name, text in record.headers
    )


def _reference(record: Record) -> Reference:
    header_bytes = size_of(b"", b"", record.headers)
    return Reference(len(record.value), len(record.key), header_bytes, sha256(record.value).hexdigest())


def _contract(reference: Reference) -> DeadReference:
    return DeadReference(
        value_bytes=reference.value_bytes,
        key_bytes=reference.key_bytes,
        header_bytes=reference.header_bytes,
        sha256=reference.sha256,
        first_offset=reference.first_offset,
    )


def _too_large(reference: Reference) -> str:
    if reference.first_offset is not None:
        return f"a batch of {reference.value_bytes} bytes that cannot be unpacked"
    size = reference.value_bytes + reference.key_bytes + reference.header_bytes
    return f"{size} bytes are more than a record may have"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _version() -> str | None:
    try:
        return version("waypost")
    except PackageNotFoundError:
        return None
