"""One record as it came, and the reference that stands for bytes which are too many to be carried along."""

from dataclasses import dataclass

Header = tuple[bytes, bytes | None]
"""Name and value; Kafka promises UTF-8 for neither, and the value may be absent."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for what is on the topic and is not held in memory. Sizes are in bytes, after decompression."""

    value_bytes: int
    key_bytes: int
    header_bytes: int
    sha256: str
    """Hex, of the value; of the batch as it is on the topic when `first_offset` is set."""
    first_offset: int | None = None
    """Set when a whole batch could not be unpacked: it begins here and ends at the record's offset. Then `value_bytes`
    is what the batch takes on the topic."""


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as it came; `topic` is the contract's name, without the installation's prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp_ms: int
    headers: tuple[Header, ...] = ()
    is_null: bool = False
    """It has no value at all (a tombstone), where `value` is empty."""
    reference: Reference | None = None
    """Set when `value` (and with it the headers, and a long key) was left on the topic."""


def size_of(key: bytes, value: bytes, headers: tuple[Header, ...] = ()) -> int:
    """Bytes that a record brings."""
    return len(key) + len(value) + sum(len(name) + len(text or b"") for name, text in headers)
