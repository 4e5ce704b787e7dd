"""What a record is found by in the ledger. Labels are derived from the raw bytes, which stay the only truth.

A record that is no fact of its topic is kept all the same; it merely has no `fact_id`, so nothing counts it as a fact.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from shared.contracts import DEAD_LETTERS, TOPICS

_TYPES = {topic.name: topic.type for topic in (*TOPICS, *DEAD_LETTERS.values())}


class Labels(NamedTuple):
    """Everything but the raw bytes; None where the record does not say it."""

    fact_id: UUID | None = None
    lead_id: UUID | None = None
    epoch: int | None = None
    fact_time: datetime | None = None
    """The envelope's `time`: when it happened."""
    received_at: datetime | None = None
    """When the lead was accepted, on received and decided facts: windows of `audit count` are by this time."""


def label(topic: str, key: bytes, value: bytes) -> Labels:
    """Labels of a record of `topic` (contract name, no prefix). Never raises: poison has few labels, that is all."""
    lead_of_key = _lead_of(key) if topic.startswith(("leads.", "deliveries.")) else None
    try:
        fact = orjson.loads(value)
        data = fact["data"]
        if fact["type"] != _TYPES[topic]:
            return Labels(lead_id=lead_of_key)
        received_at = data.get("received_at")
        return Labels(
            fact_id=UUID(fact["id"]),
            lead_id=UUID(data["lead_id"]) if "lead_id" in data else lead_of_key,
            epoch=_epoch(data.get("epoch")),
            fact_time=_aware(fact["time"]),
            received_at=None if received_at is None else _aware(received_at),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return Labels(lead_id=lead_of_key)


def data_bytes(value: bytes) -> bytes:
    """The bytes of `data` in a fact, exactly as they were published.

    Our envelopes put `data` last and only plain values before it, and a quote inside a JSON string is escaped, so the
    first `"data":` is the member itself. Raises ValueError when the record is not of this form.
    """
    start = value.index(b'"data":') + len(b'"data":')
    if not value.endswith(b"}"):
        raise ValueError("the record does not end where its envelope ends")
    return value[start:-1]


def _lead_of(key: bytes) -> UUID | None:
    try:
        return UUID(key.decode("ascii"))
    except ValueError:
        return None


def _epoch(value: object) -> int | None:
    # A number beyond PostgreSQL's integer is no epoch of ours and must not stop the ledger.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None


def _aware(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without an offset")
    time.astimezone(UTC)  # OverflowError for what is no time in UTC, as PostgreSQL keeps it
    return time
