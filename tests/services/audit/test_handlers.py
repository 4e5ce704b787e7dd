import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from asyncpg import InsufficientPrivilegeError
from prometheus_client import CollectorRegistry

from services.audit.domain.chain import first_link, next_link
from services.audit.handlers import PART_BYTES, LedgerConflict, Recorder, in_parts
from services.audit.settings import AuditSettings
from shared.kafka import Record
from shared.postgres import Connection, open_pool
from tests.services.audit.places import record_of


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def recorder(db: Connection, settings: AuditSettings, registry: CollectorRegistry) -> AsyncIterator[Recorder]:
    async with open_pool(settings, "audit", max_size=2) as pool:
        yield Recorder(pool, registry)


def due(offset: int, value: bytes = b"x", partition: int = 0) -> Record:
    return record_of("leads.due", b"key", value, partition=partition, offset=offset)


async def offsets(db: Connection, topic: str = "leads.due", partition: int = 0) -> list[int]:
    rows = await db.fetch(
        "SELECT record_offset FROM audit.records WHERE topic = $1 AND partition = $2 ORDER BY 1", topic, partition
    )
    return [row["record_offset"] for row in rows]


async def links(db: Connection) -> list[bytes]:
    return [row["chain"] for row in await db.fetch("SELECT chain FROM audit.records ORDER BY record_offset")]


def chain(topic: str, values: Sequence[bytes]) -> list[bytes]:
    made = [first_link(topic, 0)]
    for offset, value in enumerate(values):
        made.append(next_link(made[-1], offset, b"key", value))
    return made[1:]


async def test_a_batch_is_kept_raw_under_one_chain(recorder: Recorder, db: Connection) -> None:
    await recorder([due(0, b"\x00\xff"), due(1, b""), due(2, b"{}")])

    rows = await db.fetch("SELECT key, value FROM audit.records ORDER BY record_offset")
    assert [(row["key"], row["value"]) for row in rows] == [(b"key", b"\x00\xff"), (b"key", b""), (b"key", b"{}")]
    assert await links(db) == chain("leads.due", [b"\x00\xff", b"", b"{}"])


async def test_a_redelivered_batch_repeats_nothing(
    recorder: Recorder, registry: CollectorRegistry, db: Connection
) -> None:
    await recorder([due(0), due(1)])
    await recorder([due(0), due(1), due(2)])
    await recorder([due(1)])

    assert await offsets(db) == [0, 1, 2]
    assert await links(db) == chain("leads.due", [b"x", b"x", b"x"])
    assert registry.get_sample_value("waypost_audit_records_total") == 3


async def test_a_batch_over_several_partitions_extends_each_chain(recorder: Recorder, db: Connection) -> None:
    await recorder([due(0, partition=4), due(0), due(1), due(1, partition=4), due(0, partition=2)])

    heads = await db.fetch("SELECT partition, next_offset, records FROM audit.heads ORDER BY partition")
    assert [tuple(head) for head in heads] == [(0, 2, 2), (2, 1, 1), (4, 2, 2)]


async def test_skipped_offsets_are_kept_counted_and_chained_over(
    recorder: Recorder, registry: CollectorRegistry, db: Connection
) -> None:
    await recorder([due(0), due(5)])

    assert await offsets(db) == [0, 5]
    assert registry.get_sample_value("waypost_audit_skipped_offsets_total") == 4


async def test_a_megabyte_of_poison_is_stored_and_the_partition_goes_on(
    recorder: Recorder, registry: CollectorRegistry, db: Connection
) -> None:
    await recorder([due(0, b"\xff" * 1_000_000), due(1, b'{"type":"unknown.v9"}'), due(2, b"[" * 100_000)])

    assert await offsets(db) == [0, 1, 2]
    assert registry.get_sample_value("waypost_audit_unreadable_records_total") == 3


async def test_a_batch_of_megabytes_is_recorded_in_parts_of_bounded_size(recorder: Recorder, db: Connection) -> None:
    megabyte = bytes(1_000_000)
    batch = [due(n, megabyte) for n in range(40)]

    await recorder(batch)

    assert await offsets(db) == list(range(40))
    assert await links(db) == chain("leads.due", [megabyte] * 40)
    sizes = [sum(len(record.value) for record in part) for part in in_parts(batch)]
    assert max(sizes) <= PART_BYTES
    assert len(sizes) == 3


def test_parts_keep_every_record_in_order_and_a_giant_stands_alone() -> None:
    batch = [due(0), due(1, bytes(PART_BYTES + 1)), due(2), due(3)]

    assert [[record.offset for record in part] for part in in_parts(batch)] == [[0], [1], [2, 3]]


async def test_a_topic_made_anew_is_refused_and_nothing_is_recorded_over(recorder: Recorder, db: Connection) -> None:
    await recorder([due(0, b"before"), due(1, b"before")])

    with pytest.raises(LedgerConflict, match=r"leads\.due/0/1"):
        await recorder([due(0, b"before"), due(1, b"after"), due(2, b"after")])

    assert await offsets(db) == [0, 1]


async def test_two_audits_that_read_the_same_records_keep_one_chain(recorder: Recorder, db: Connection) -> None:
    batch = [due(n, str(n).encode()) for n in range(200)]
    await asyncio.gather(*(recorder(batch[start : start + 50]) for start in (0, 0)))
    await asyncio.gather(*(recorder(batch) for _ in range(3)))

    assert await offsets(db) == list(range(200))
    assert await links(db) == chain("leads.due", [str(n).encode() for n in range(200)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.records SET value = ''",
        "DELETE FROM audit.records",
        "TRUNCATE audit.records",
        "DELETE FROM audit.heads",
    ],
)
async def test_the_ledger_refuses_every_change_even_to_a_superuser(
    recorder: Recorder, db: Connection, statement: str
) -> None:
    await recorder([due(0)])

    with pytest.raises(InsufficientPrivilegeError, match="only grows"):
        await db.execute(statement)

    assert await offsets(db) == [0]


async def test_the_audit_role_has_no_right_to_change_records(recorder: Recorder, db: Connection) -> None:
    rights = await db.fetchrow(
        """SELECT has_table_privilege('waypost_audit', 'audit.records', 'INSERT') AS may_add,
                  has_table_privilege('waypost_audit', 'audit.records', 'UPDATE') AS may_change,
                  has_table_privilege('waypost_audit', 'audit.records', 'DELETE') AS may_delete,
                  has_table_privilege('waypost_audit', 'audit.records', 'TRUNCATE') AS may_empty"""
    )

    assert rights is not None
    assert tuple(rights) == (True, False, False, False)
