from uuid import UUID

import pytest

from services.audit.db.reader import open_reader
from services.audit.domain.report import VerifyReport
from services.audit.settings import AuditSettings
from services.audit.verify import verify
from shared.kafka import partition_of
from tests.services.audit.places import START, record_of
from tests.services.audit.world import World


async def verified(settings: AuditSettings) -> VerifyReport:
    async with open_reader(settings) as connection:
        return await verify(connection, lambda _: None)


def partition(lead_id: UUID) -> int:
    return partition_of(str(lead_id).encode(), 12)


async def test_a_ledger_that_nobody_touched_is_clean(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.decline(lead_id, START)

    report = await verified(settings)

    assert report.clean
    assert report.records == 6


async def test_an_altered_value_is_named_by_its_address(world: World, settings: AuditSettings) -> None:
    await world.hand_over([record_of("leads.due", b"k", str(n).encode(), offset=n) for n in range(10)])
    await world.tamper("UPDATE audit.records SET value = 'forged' WHERE topic = 'leads.due' AND record_offset >= 6")

    report = await verified(settings)

    assert not report.clean
    assert [str(broken) for broken in report.breaks] == ["leads.due/0/6: its bytes do not fit the chain"]


async def test_a_removed_record_is_named(world: World, settings: AuditSettings) -> None:
    await world.hand_over([record_of("leads.due", b"k", b"x", offset=n) for n in range(10)])
    await world.tamper("DELETE FROM audit.records WHERE topic = 'leads.due' AND record_offset = 4")

    report = await verified(settings)

    assert [(broken.record_offset, broken.what) for broken in report.breaks] == [
        (4, "removed, up to 4 (or 5 was altered)")
    ]


async def test_a_removed_end_is_named(world: World, settings: AuditSettings) -> None:
    await world.hand_over([record_of("leads.due", b"k", b"x", offset=n) for n in range(3)])
    await world.tamper("DELETE FROM audit.records WHERE topic = 'leads.due' AND record_offset = 2")

    [broken] = (await verified(settings)).breaks

    assert str(broken) == "leads.due/0/2: the chain ends here, its head says 3"


async def test_a_changed_label_is_named_though_the_bytes_fit(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.tamper("UPDATE audit.records SET lead_id = NULL WHERE topic = 'leads.received'")

    [broken] = (await verified(settings)).breaks

    assert (broken.topic, broken.partition) == ("leads.received", partition(lead_id))
    assert "labels" in broken.what


async def test_a_removed_head_is_named(world: World, settings: AuditSettings) -> None:
    await world.tamper("DELETE FROM audit.heads WHERE topic = 'network.changed'")

    [broken] = (await verified(settings)).breaks

    assert str(broken) == "network.changed/0/0: the partition has records but no head"


async def test_offsets_that_kafka_lost_are_a_gap_and_no_break(world: World, settings: AuditSettings) -> None:
    await world.hand_over([record_of("leads.due", b"k", b"x", offset=n) for n in (3, 4, 8)])

    report = await verified(settings)

    assert report.breaks == []
    assert [str(gap) for gap in report.gaps] == ["leads.due/0/0: missing up to 2", "leads.due/0/5: missing up to 7"]
    assert not report.clean


@pytest.mark.parametrize("column", ["key", "chain"])
async def test_no_column_of_the_chain_can_be_altered_unseen(world: World, settings: AuditSettings, column: str) -> None:
    await world.receive()
    await world.tamper(f"UPDATE audit.records SET {column} = sha256({column}) WHERE topic = 'leads.decided'")

    assert not (await verified(settings)).clean
