"""Unpacking what a foreign producer compressed, within a limit: 3 kB on the wire may be 100 MB, and 1 MB may be 30 GB.

Batches of our own are never compressed, so none of this is on their way. Codec numbers are those of a batch's
attributes (https://kafka.apache.org/documentation/#recordbatch).
"""

import zlib
from collections.abc import Callable

import cramjam

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
FIRST_TRY_BYTES = 1024 * 1024
XERIAL = b"\x82SNAPPY\x00"
"""Begins a stream of snappy blocks as Java clients write it: 8 bytes of this, 8 of versions, then block after block."""


class CannotUnpack(Exception):  # noqa: N818 - it names a state
    """The bytes do not unpack, or to more than the limit."""


def unpack(codec: int, packed: bytes, limit: int) -> memoryview:
    """The bytes behind a batch's header. Raises CannotUnpack when they are more than `limit` or no such stream."""
    unpacker = _UNPACKERS.get(codec)
    if unpacker is None:
        raise CannotUnpack(f"codec {codec} is not known")
    try:
        return unpacker(packed, limit)
    except (zlib.error, cramjam.DecompressionError, ValueError, OSError, MemoryError) as error:
        raise CannotUnpack(f"not to be unpacked within {limit} bytes") from error


def _gzip(packed: bytes, limit: int) -> memoryview:
    parts: list[bytes] = []
    size = 0
    while packed:  # several streams may follow one another
        stream = zlib.decompressobj(wbits=31)
        part = stream.decompress(packed, limit - size + 1)
        size += len(part)
        if size > limit or not stream.eof:
            raise ValueError("too long, or cut off")
        parts.append(part)
        packed = stream.unused_data
    return memoryview(b"".join(parts))


def _snappy(packed: bytes, limit: int) -> memoryview:
    blocks = list(_xerial_blocks(packed)) if packed.startswith(XERIAL) else [packed]
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > limit:
        raise ValueError("too long")
    return memoryview(b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks))


def _xerial_blocks(packed: bytes) -> list[bytes]:
    blocks, at = [], 16
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 4], "big")
        blocks.append(packed[at + 4 : at + 4 + size])
        at += 4 + size
    return blocks


def _growing(unpack_into: Callable[[bytes, bytearray], int]) -> Callable[[bytes, int], memoryview]:
    def unpack_within(packed: bytes, limit: int) -> memoryview:
        # Neither format says up front how much it holds: the room grows until it is enough.
        size = min(limit, FIRST_TRY_BYTES)
        while True:
            room = bytearray(size)
            try:
                return memoryview(room)[: unpack_into(packed, room)]
            except cramjam.DecompressionError:
                if size == limit:
                    raise
                size = min(limit, size * 8)

    return unpack_within


_UNPACKERS: dict[int, Callable[[bytes, int], memoryview]] = {
    GZIP: _gzip,
    SNAPPY: _snappy,
    LZ4: _growing(cramjam.lz4.decompress_into),
    ZSTD: _growing(cramjam.zstd.decompress_into),
}
