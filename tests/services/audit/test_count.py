from datetime import timedelta
from uuid import UUID

import orjson

from services.audit.count import CountReport, count
from services.audit.db.reader import Window, open_reader
from services.audit.domain.moves import Standing
from services.audit.freshness import Patience
from services.audit.settings import AuditSettings
from services.router.domain import Received
from services.router.emission import decided_fact
from shared.contracts import DEAD_LETTERS, RecordDead, Result, derived_id
from tests.services.audit.places import DAY, START
from tests.services.audit.world import World

WINDOW = Window(START - DAY, START + DAY)


async def counted(settings: AuditSettings, window: Window = WINDOW) -> CountReport:
    async with open_reader(settings) as connection:
        return await count(settings, connection, window, Patience(0), lambda _: None)


def named(report: CountReport) -> dict[str, list[str]]:
    return {kind: found.first for kind, found in report.equation.findings.items()}


async def bury(world: World, lead_id: UUID) -> None:
    dead = RecordDead(
        source_topic="leads.received",
        source_partition=0,
        source_offset=0,
        consumer="router",
        reason="intent is unknown",
        raw_base64="",
        died_at=START,
    )
    await world.publish(DEAD_LETTERS["leads.received"], str(lead_id).encode(), dead, f"dead-{lead_id}", START)


async def test_a_day_of_leads_adds_up(world: World, settings: AuditSettings) -> None:
    held = [await world.receive() for _ in range(3)]
    await world.receive(lat=35.0)
    await world.accepted_by_holder(held[0], START + timedelta(minutes=1))
    await world.decline(held[1], START + timedelta(minutes=1))

    report = await counted(settings)

    assert report.clean
    assert all(line.holds for line in report.equation.lines())
    counts = {standing: tally.count for standing, tally in report.equation.standing.items()}
    assert counts == {Standing.JOINED: 0, Standing.WAITING: 1, Standing.HELD: 2, Standing.CLOSED: 1}


async def test_leads_that_operators_moved_add_up(world: World, settings: AuditSettings) -> None:
    held, waiting = await world.receive(), await world.receive(lat=35.0)
    await world.order(held, START + timedelta(minutes=1), "far")
    await world.order(held, START + timedelta(minutes=2), lat=31.4)
    await world.order(waiting, START + timedelta(minutes=1), "near")
    ended = [await world.receive(), await world.receive(lat=35.0)]
    for lead_id in ended:
        await world.order(lead_id, START + timedelta(minutes=1), result=Result.INVALID)

    report = await counted(settings)

    assert report.clean
    assert report.equation.standing[Standing.HELD].count == 2
    assert report.equation.standing[Standing.CLOSED].count == 2


async def test_an_empty_window_is_clean(world: World, settings: AuditSettings) -> None:
    assert (await counted(settings)).clean


async def test_a_lead_that_never_reached_kafka_is_named(world: World, settings: AuditSettings) -> None:
    await world.receive()
    lost = await world.accept()

    report = await counted(settings)

    assert not report.clean
    assert named(report) == {"accepted, but not on leads.received": [str(lost)]}
    assert [line.name for line in report.equation.lines() if not line.holds] == [
        "intake (PostgreSQL) = intake (Kafka)",
        "accepted = joined + waiting + held + closed + dead",
    ]


async def test_a_note_that_a_lead_was_erased_before_it_arrived_counts_as_nothing(
    world: World, settings: AuditSettings
) -> None:
    lead_id = await world.accept()
    erased_by = await world.erase(lead_id, START + timedelta(minutes=1))
    await world.tamper("UPDATE router.leads SET received_at = $1", START)

    # The lead is on its way: that, and nothing about the router's note, is what keeps the sums apart.
    report = await counted(settings)
    assert named(report) == {"accepted, but not on leads.received": [str(lead_id)]}
    assert report.equation.router[Standing.CLOSED].count == 0

    await world.arrive_erased(lead_id, erased_by, START + timedelta(minutes=2))

    report = await counted(settings)
    assert report.clean
    assert report.equation.standing[Standing.CLOSED].count == 1


async def test_an_erasure_of_a_lead_that_never_arrives_breaks_no_sum(world: World, settings: AuditSettings) -> None:
    await world.receive()
    lost = await world.accept(at=START - 2 * DAY)
    await world.erase(lost, START)

    assert (await counted(settings)).clean


async def test_a_lead_that_was_never_decided_is_named(world: World, settings: AuditSettings) -> None:
    lost = await world.accept()
    await world.publish_received(lost)

    report = await counted(settings)

    assert named(report) == {"received, but not decided": [str(lost)]}
    assert report.equation.pending.count == 1


async def test_a_lead_removed_from_intake_is_named(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.tamper("DELETE FROM lead_intake.leads")

    assert named(await counted(settings)) == {"on leads.received, but not in lead_intake.leads": [str(lead_id)]}


async def test_a_swap_of_two_leads_is_seen_although_the_counts_agree(world: World, settings: AuditSettings) -> None:
    await world.receive()
    await world.tamper("UPDATE lead_intake.leads SET lead_id = gen_random_uuid()")

    report = await counted(settings)
    first = next(iter(report.equation.lines()))

    assert first.left.count == first.right.count == 1
    assert not first.holds


async def test_a_router_row_that_disagrees_is_named(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.tamper("UPDATE router.leads SET state = 'closed', epoch = 2")

    assert named(await counted(settings)) == {
        "router.leads disagrees with the last decision": [f"{lead_id}: closed, decided held"],
        "router.leads is at another epoch": [f"{lead_id}: 2, last decision 1"],
    }


async def test_a_buried_lead_is_accounted_for(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    await world.publish_received(lead_id)
    await bury(world, lead_id)

    report = await counted(settings)

    assert report.clean
    assert report.equation.dead.count == 1


async def test_redelivered_facts_change_no_sum(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    fact_id = await world.publish_received(lead_id)
    await world.publish_received(lead_id)
    decided = await world.decide(lead_id, Received(str(fact_id)), START)
    key, value = decided_fact(decided.decision_id, decided.lead_id, START, None, decided.record)
    await world.append("leads.decided", key, value)

    report = await counted(settings)

    assert report.clean
    assert report.equation.repeated == 1


async def test_two_holders_of_one_epoch_are_named(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    fact_id = await world.publish_received(lead_id)
    decided = await world.decide(lead_id, Received(str(fact_id)), START)
    other = orjson.dumps({**orjson.loads(decided.record), "site_id": "far"})
    await world.append("leads.decided", *decided_fact(decided.decision_id, decided.lead_id, START, None, other))

    [broken] = named(await counted(settings))["breaks I2 or I3"]

    assert broken == f"{lead_id}: epoch 1 was decided twice, differently: two holders are possible"


async def test_poison_is_reported_and_counts_as_nothing(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.append("leads.received", str(lead_id).encode(), b"{")
    await world.append("leads.received", b"", bytes(1_000_000))

    report = await counted(settings)

    assert report.clean
    assert report.unreadable == {"leads.received": 2}


async def test_leads_outside_the_window_are_left_alone(world: World, settings: AuditSettings) -> None:
    await world.receive()
    await world.accept(at=START + 2 * DAY)

    assert (await counted(settings)).clean
    assert not (await counted(settings, Window(START, START + 3 * DAY))).clean


async def test_a_decision_without_a_lead_is_named(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    await world.decide(lead_id, Received(str(derived_id("invented"))), START)

    assert "decided, but never received" in named(await counted(settings))
