"""The hash chain of one partition: each record's link covers its bytes, its offset and every record before it.

link_n = SHA-256(link_{n-1} || offset, 8 bytes big-endian || SHA-256(key) || SHA-256(value))

The first link hangs on the partition's own name, so that the rows of two partitions cannot change places.
Changing anything here makes every ledger that exists look broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


def first_link(topic: str, partition: int) -> bytes:
    """What the chain of a partition hangs on before its first record (32 bytes)."""
    return sha256(f"waypost:{topic}:{partition}".encode()).digest()


def next_link(previous: bytes, offset: int, key: bytes, value: bytes) -> bytes:
    """The link (32 bytes) of the record at `offset` that follows `previous`."""
    return sha256(previous + offset.to_bytes(8, "big") + sha256(key).digest() + sha256(value).digest()).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of a partition ends."""

    next_offset: int
    records: int
    """Rows so far; less than `next_offset` when offsets were skipped."""
    chain: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets that never reached the ledger: Kafka lost or removed them before audit could read them."""

    first: int
    last: int


def extend(head: Head, records: Sequence[tuple[int, bytes, bytes]]) -> tuple[Head, list[bytes], list[Gap]]:
    """The new head, one link per `(offset, key, value)`, and the gaps met.

    Offsets ascend and none is below `head.next_offset`.
    """
    links, gaps = [], []
    chain, upcoming = head.chain, head.next_offset
    for offset, key, value in records:
        if offset != upcoming:
            gaps.append(Gap(upcoming, offset - 1))
        chain = next_link(chain, offset, key, value)
        links.append(chain)
        upcoming = offset + 1
    return Head(upcoming, head.records + len(records), chain), links, gaps
