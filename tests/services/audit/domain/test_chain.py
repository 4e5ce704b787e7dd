from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.chain import Gap, Head, extend, first_link, next_link

RECORDS = st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=40)), min_size=1, max_size=20)


def numbered(records: list[tuple[bytes, bytes]], first: int = 0) -> list[tuple[int, bytes, bytes]]:
    return [(first + n, key, value) for n, (key, value) in enumerate(records)]


def test_a_link_is_the_documented_hash() -> None:
    previous = first_link("leads.received", 3)

    link = next_link(previous, 7, b"key", b"value")

    assert previous == sha256(b"waypost:leads.received:3").digest()
    assert (
        link == sha256(previous + (7).to_bytes(8, "big") + sha256(b"key").digest() + sha256(b"value").digest()).digest()
    )


@given(RECORDS, st.data())
def test_any_cut_into_batches_gives_the_same_chain(records: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(records)))
    begin = Head(0, 0, first_link("leads.due", 0))

    whole, links, _ = extend(begin, numbered(records))
    half, first, _ = extend(begin, numbered(records[:cut]))
    again, second, _ = extend(half, numbered(records[cut:], cut))

    assert (again, first + second) == (whole, links)


@given(RECORDS, st.data())
def test_changing_any_byte_changes_every_later_link(records: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    changed = list(records)
    changed[at] = (records[at][0], records[at][1] + b"!")
    begin = Head(0, 0, first_link("leads.due", 0))

    _, links, _ = extend(begin, numbered(records))
    _, other, _ = extend(begin, numbered(changed))

    assert other[:at] == links[:at]
    assert all(one != two for one, two in zip(links[at:], other[at:], strict=True))


def test_key_and_value_cannot_lend_each_other_bytes() -> None:
    assert next_link(bytes(32), 0, b"ab", b"c") != next_link(bytes(32), 0, b"a", b"bc")


def test_skipped_offsets_are_gaps_and_the_records_after_them_are_kept() -> None:
    begin = Head(4, 4, bytes(32))

    head, links, gaps = extend(begin, [(6, b"", b"x"), (7, b"", b"y"), (9, b"", b"z")])

    assert gaps == [Gap(4, 5), Gap(8, 8)]
    assert (head.next_offset, head.records, len(links)) == (10, 7, 3)
