"""Whatever a batch holds, the library reads what becomes of it, at the same offsets, and never more than it should."""

import contextlib
import hashlib

import pytest
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.batches import MOST_UNPACKED_RECORDS, Corrupt, is_readable, made_readable
from shared.kafka.carried_header import unwrap
from shared.kafka.limits import LARGEST_BURIED_BYTES
from shared.kafka.unpack import CannotUnpack, unpack
from tests.poison import ANYWHERE, GZIP, LZ4, NONE, SNAPPY, ZSTD, Poison, batch

MARKER = "marker"
ALL = 1 << 40


def read(raw: bytes) -> list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]]:
    """As the library reads it."""
    batches, found = MemoryRecords(raw), []
    while batches.has_next():
        one = batches.next_batch()
        assert one.validate_crc()
        found += [(record.offset, record.key, record.value, list(record.headers)) for record in one]
    return found


def moved(raw: bytes, offset: int) -> bytes:
    """The batch as a broker hands it out from a place on its topic."""
    return offset.to_bytes(8, "big") + raw[8:]


small = st.one_of(st.none(), st.binary(max_size=300))
headers = st.lists(st.tuples(st.text(max_size=20), small), max_size=4).map(tuple)
records = st.lists(
    st.builds(
        Poison,
        name=st.just("any"),
        value=small,
        key=small,
        headers=headers,
        timestamp_ms=st.integers(-(2**40), 2**45),
    ),
    min_size=1,
    max_size=8,
)


@given(records, st.sampled_from([NONE, GZIP, SNAPPY, LZ4, ZSTD]), st.integers(0, 2**50))
def test_a_compressed_batch_has_the_same_records_afterwards(content: list[Poison], codec: int, offset: int) -> None:
    raw = moved(batch(content, codec), offset)

    written = made_readable(raw, MARKER, ALL)

    assert is_readable(written)
    assert read(written) == [(offset + n, one.key, one.value, list(one.headers)) for n, one in enumerate(content)]


@pytest.mark.parametrize("poison", ANYWHERE, ids=lambda poison: poison.name)
def test_every_poison_becomes_readable_at_its_place(poison: Poison) -> None:
    written = made_readable(moved(poison.batch(), 41), MARKER, ALL)

    [(offset, _, value, found)] = read(written)
    assert offset == 41
    assert len(value or b"") <= LARGEST_BURIED_BYTES
    if found and found[0][0] == MARKER:
        own, reference = unwrap(found[0][1] or b"")
        assert reference is not None or len(own) == len(poison.headers)
    else:
        assert value == poison.value


def test_neighbours_of_a_giant_are_whole() -> None:
    giant = Poison("giant", bytes(5_000_000))
    content = [Poison("before", b"before"), giant, Poison("after", b"after", headers=(("h", b"v"),))]

    found = read(made_readable(batch(content, GZIP), MARKER, ALL))

    assert [value for _, _, value, _ in found] == [b"before", None, b"after"]
    _, reference = unwrap(found[1][3][0][1] or b"")
    assert reference is not None
    assert reference.sha256 == hashlib.sha256(bytes(5_000_000)).hexdigest()


def test_a_batch_of_more_records_than_anybody_means_is_one_reference() -> None:
    raw = batch([Poison("none", None, key=None)] * (MOST_UNPACKED_RECORDS + 1), GZIP)

    [(offset, key, value, found)] = read(made_readable(raw, MARKER, ALL))

    assert (offset, key, value) == (MOST_UNPACKED_RECORDS, None, None)
    _, reference = unwrap(found[0][1] or b"")
    assert reference is not None
    assert (reference.first_offset, reference.value_bytes) == (0, len(raw))


def test_no_more_is_written_than_was_asked_for_but_always_something() -> None:
    raw = b"".join(moved(batch([Poison("one", bytes(1_000))], GZIP), n) for n in range(10))

    assert [offset for offset, *_ in read(made_readable(raw, MARKER, 2_500))] == [0, 1, 2]
    assert [offset for offset, *_ in read(made_readable(raw, MARKER, 0))] == [0]


def test_a_batch_that_was_cut_off_waits_for_its_rest() -> None:
    raw = batch([Poison("one", b"x")], GZIP)
    assert made_readable(raw + moved(raw, 1)[:-3], MARKER, ALL) == made_readable(raw, MARKER, ALL)
    assert made_readable(raw[:-3], MARKER, ALL) == b""


def test_a_changed_batch_is_told_from_poison_and_hides_none_before_it() -> None:
    good, bad = batch([Poison("one", b"x")]), bytearray(moved(batch([Poison("two", b"y" * 50)]), 1))
    bad[-10] ^= 1

    assert not is_readable(good + bytes(bad))
    assert made_readable(good + bytes(bad), MARKER, ALL) == good
    with pytest.raises(Corrupt):
        made_readable(bytes(bad), MARKER, ALL)


@given(st.binary(max_size=2_000), st.integers(0, 7))
def test_garbage_for_a_compressed_body_never_raises_anything_else(garbage: bytes, codec: int) -> None:
    with contextlib.suppress(CannotUnpack):
        unpack(codec, garbage, 1_000_000)


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_unpacking_ends_at_its_limit(codec: int) -> None:
    body = Poison("zeros", bytes(3_000_000), codec=codec).batch()[61:]

    assert len(unpack(codec, body, 4_000_000)) > 3_000_000
    with pytest.raises(CannotUnpack):
        unpack(codec, body, 2_000_000)
