"""Record batches as brokers send them, made readable for the client library whatever a producer put in them.

The library gives up a whole poll, and with it good records that it passes over for good, when a header's name is not
UTF-8; and it unpacks whatever is compressed, however much that is. So what it cannot read is written anew before it
sees it: names of headers wrapped, records that are too large to be carried along replaced by a reference.

Format: https://kafka.apache.org/documentation/#recordbatch (magic 2, the only one that Kafka 4 has).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from shared.kafka.carried_header import wrap
from shared.kafka.limits import BATCH_OVERHEAD_BYTES, LARGEST_BURIED_BYTES, LARGEST_DEAD_KEY_BYTES
from shared.kafka.record import Header, Reference
from shared.kafka.unpack import CannotUnpack, unpack

HEADER = struct.Struct(">qiibIhiqqqhii")
AFTER_LENGTH = 12
ATTRIBUTES_AT = 21
"""What the checksum covers begins here."""
CODEC, CONTROL = 0x07, 0x20
LARGEST_UNPACKED_BYTES = 128 * 1024 * 1024
"""Of one batch. A larger one is not looked into; no producer means well by it."""
MOST_UNPACKED_RECORDS = 100_000
"""The same: facts of ours in so many would be 30 MB, and a megabyte may unpack to 700,000 that are empty, which take
half a minute to read while the other partitions of their broker wait."""


class Corrupt(Exception):  # noqa: N818 - it names a state
    """The first batch is not what its checksum says: the disk of a broker or the line changed it."""


def is_readable(raw: bytes) -> bool:
    """Whether the library reads all of it, and nothing in it is compressed. A third of a microsecond a record."""
    try:
        batches = MemoryRecords(raw)
        while batches.has_next():
            batch = batches.next_batch()
            if batch.compression_type or not batch.validate_crc():
                return False
            if not batch.is_control_batch:
                for _ in batch:
                    pass
    except Exception:  # noqa: BLE001 - whatever it is, the library may not meet it where records get lost
        return False
    return True


def made_readable(raw: bytes, marker: str, most_bytes: int) -> bytes:
    """The batches of `raw`, those that the library could not take written anew; later ones are left out when
    `most_bytes` are reached, to be fetched again. Raises Corrupt when not even the first is whole."""
    written: list[bytes] = []
    size = 0
    for batch in _split(raw):
        if written and size >= most_bytes:
            break
        if not _is_whole(batch):
            if not written:
                raise Corrupt
            break
        readable = batch if is_readable(batch) else _write_anew(batch, marker)
        written.append(readable)
        size += len(readable)
    return b"".join(written)


def first_offset(raw: bytes) -> int:
    """Where the first batch begins."""
    return int.from_bytes(raw[:8], "big", signed=True)


def _split(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at + BATCH_OVERHEAD_BYTES <= len(raw):
        end = at + AFTER_LENGTH + int.from_bytes(raw[at + 8 : at + 12], "big", signed=True)
        if not at + BATCH_OVERHEAD_BYTES <= end <= len(raw):
            return  # the broker cut the last one off
        yield raw[at:end]
        at = end


def _is_whole(batch: bytes) -> bool:
    return bool(HEADER.unpack_from(batch)[4] == calc_crc32c(batch[ATTRIBUTES_AT:]))


@dataclass(frozen=True, slots=True)
class _Parsed:
    timestamp_delta: int
    offset_delta: int
    key: memoryview | None
    value: memoryview | None
    headers: list[Header]


def _write_anew(batch: bytes, marker: str) -> bytes:
    fields = HEADER.unpack_from(batch)
    attributes, count = fields[5], fields[12]
    if attributes & CONTROL:
        return batch
    try:
        body = _unpacked(batch, attributes & CODEC, count)
        records = [_record(parsed, marker) for parsed in _parse(body, count)]
    except Exception:  # noqa: BLE001 - nothing that a producer wrote may end the one task that fetches
        reference = Reference(len(batch), 0, 0, sha256(batch).hexdigest(), fields[0])
        wrapped = wrap((), reference)
        records = [_write_record(_Parsed(0, fields[6], None, None, []), [(marker.encode(), wrapped)])]
    return _write_batch(fields, records)


def _unpacked(batch: bytes, codec: int, count: int) -> memoryview:
    body = memoryview(batch)[BATCH_OVERHEAD_BYTES:]
    if not codec:
        return body
    if count > MOST_UNPACKED_RECORDS:
        raise CannotUnpack(f"{count} records in one batch")
    return unpack(codec, bytes(body), LARGEST_UNPACKED_BYTES)


def _write_batch(fields: tuple[int, ...], records: list[bytes]) -> bytes:
    offset, _, epoch, magic, _, attributes, last, first_time, last_time, producer, producer_epoch, sequence, _ = fields
    body = b"".join(records)
    length = BATCH_OVERHEAD_BYTES - AFTER_LENGTH + len(body)
    rest = (attributes & ~CODEC, last, first_time, last_time, producer, producer_epoch, sequence, len(records))
    unchecked = HEADER.pack(offset, length, epoch, magic, 0, *rest)
    checksum = calc_crc32c(unchecked[ATTRIBUTES_AT:] + body)
    return HEADER.pack(offset, length, epoch, magic, checksum, *rest) + body


def _record(parsed: _Parsed, marker: str) -> bytes:
    key, value = parsed.key, parsed.value
    key_bytes, value_bytes = len(key or b""), len(value or b"")
    header_bytes = sum(len(name) + len(text or b"") for name, text in parsed.headers)
    if key_bytes + value_bytes + header_bytes > LARGEST_BURIED_BYTES:
        reference = Reference(value_bytes, key_bytes, header_bytes, sha256(value or b"").hexdigest())
        short_key = key if key_bytes <= LARGEST_DEAD_KEY_BYTES else None
        left = _Parsed(parsed.timestamp_delta, parsed.offset_delta, short_key, None, [])
        return _write_record(left, [(marker.encode(), wrap((), reference))])
    if all(_is_utf8(name) for name, _ in parsed.headers):
        return _write_record(parsed, parsed.headers)
    return _write_record(parsed, [(marker.encode(), wrap(tuple(parsed.headers), None))])


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse(body: memoryview, count: int) -> Iterator[_Parsed]:
    """Raises ValueError or IndexError where the bytes are no records."""
    at = 0
    for _ in range(count):
        length, at = _varint(body, at)
        end = at + length
        if length < 0 or end > len(body):
            raise ValueError("a record ends beyond its batch")
        at += 1  # attributes, of which none is defined
        timestamp_delta, at = _varint(body, at)
        offset_delta, at = _varint(body, at)
        key, at = _bytes(body, at, end)
        value, at = _bytes(body, at, end)
        headers: list[Header] = []
        header_count, at = _varint(body, at)
        for _ in range(header_count):
            name, at = _bytes(body, at, end)
            text, at = _bytes(body, at, end)
            headers.append((bytes(name or b""), None if text is None else bytes(text)))
        if at != end:
            raise ValueError("a record does not fill its length")
        yield _Parsed(timestamp_delta, offset_delta, key, value, headers)


def _bytes(body: memoryview, at: int, end: int) -> tuple[memoryview | None, int]:
    length, at = _varint(body, at)
    if length < 0:
        return None, at
    if at + length > end:
        raise ValueError("a field ends beyond its record")
    return body[at : at + length], at + length


def _varint(body: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return (number >> 1) ^ -(number & 1), at
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")


def _write_record(parsed: _Parsed, headers: list[Header]) -> bytes:
    fields = [
        b"\x00",
        _written_varint(parsed.timestamp_delta),
        _written_varint(parsed.offset_delta),
        *_written_bytes(parsed.key),
        *_written_bytes(parsed.value),
        _written_varint(len(headers)),
    ]
    for name, text in headers:
        fields += [*_written_bytes(memoryview(name)), *_written_bytes(None if text is None else memoryview(text))]
    body = b"".join(fields)
    return _written_varint(len(body)) + body


def _written_bytes(value: memoryview | None) -> list[bytes | memoryview]:
    return [_written_varint(-1)] if value is None else [_written_varint(len(value)), value]


def _written_varint(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    written = bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    written.append(left)
    return bytes(written)
