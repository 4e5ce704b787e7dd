from collections import Counter
from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from services.audit.db.reader import Window, open_reader
from services.audit.domain.comparison import Finding, Verdict
from services.audit.domain.report import ReplayReport
from services.audit.replay import replay
from services.audit.replay_jobs import replay_window
from services.audit.settings import AuditSettings
from services.router.domain import Received
from services.router.emission import decided_fact
from shared.contracts import LEADS_DECIDED, LEADS_RECEIVED, NETWORK_CHANGED, POLICIES_PUBLISHED, Result, derived_id
from tests.services.audit.world import DAY, START, World

WINDOW = Window(START - DAY, START + DAY)


async def replayed(settings: AuditSettings, *, topic: str | None = None, chunk: int = 3) -> ReplayReport:
    async with open_reader(settings) as connection:
        return await replay(connection, WINDOW, topic=topic, chunk=chunk, on_progress=lambda _: None)


async def lives_of_leads(world: World) -> list[UUID]:
    """Accepted and won, declined twice, silent, waiting, never answered."""
    leads = [await world.receive(at=START + timedelta(seconds=n)) for n in range(5)]
    nowhere = await world.receive(lat=35.0)
    minute = timedelta(minutes=1)
    await world.accepted_by_holder(leads[0], START + minute)
    await world.report(leads[0], START + 2 * minute, Result.WON)
    await world.decline(leads[1], START + minute)
    await world.decline(leads[1], START + 2 * minute)
    await world.decline(leads[1], START + 3 * minute)
    await world.stay_silent(leads[2])
    return [*leads, nowhere]


async def finding_of(settings: AuditSettings) -> Finding:
    [finding] = (await replayed(settings)).findings
    return finding


async def test_every_decision_of_a_day_comes_out_the_same(world: World, settings: AuditSettings) -> None:
    await lives_of_leads(world)

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 12})
    assert report.clean


async def test_an_erased_person_leaves_a_past_that_still_proves_itself(world: World, settings: AuditSettings) -> None:
    held, accepted = await world.receive(), await world.receive()
    await world.accepted_by_holder(accepted, START + timedelta(minutes=1))
    await world.erase(held, START + timedelta(hours=1))
    await world.erase(accepted, START + timedelta(hours=1))

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 5})
    assert (await replayed(settings, topic="people.erased")).counts == Counter({Verdict.SAME: 2})


async def test_a_row_altered_by_hand_is_found_and_named(world: World, settings: AuditSettings) -> None:
    leads = await lives_of_leads(world)
    await world.tamper("UPDATE router.decisions SET site_id = 'far' WHERE lead_id = $1 AND epoch = 1", leads[3])

    finding = await finding_of(settings)

    assert finding == Finding(
        Verdict.TAMPERED, leads[3], 1, "router.decisions.site_id", "the row says far, published was near"
    )
    assert not (await replayed(settings)).clean


async def test_an_altered_record_is_named_down_to_the_field(world: World, settings: AuditSettings) -> None:
    leads = await lives_of_leads(world)
    await world.tamper(
        """UPDATE router.decisions SET record = replace(record::text, '"load":0', '"load":7')::json
           WHERE lead_id = $1""",
        leads[0],
    )

    report = await replayed(settings)

    assert {finding.field for finding in report.findings} == {"router.decisions.record data.candidates[0].load"}


async def test_a_decision_moved_out_of_the_window_is_found_by_its_fact(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.tamper("UPDATE router.decisions SET decided_at = decided_at + interval '9 days'")

    finding = await finding_of(settings)

    assert (finding.lead_id, finding.field) == (lead_id, "router.decisions.decided_at")


async def test_a_removed_row_is_missing(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.tamper("DELETE FROM router.decisions")

    finding = await finding_of(settings)

    assert (finding.verdict, finding.lead_id, finding.field) == (Verdict.MISSING, lead_id, "router.decisions")


async def test_a_row_that_was_never_published_is_missing_its_fact(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    fact_id = await world.publish_received(lead_id)
    await world.decide(lead_id, Received(str(fact_id)), START, publish=False)

    finding = await finding_of(settings)

    assert (finding.verdict, finding.lead_id, finding.field) == (Verdict.MISSING, lead_id, "leads.decided")


async def test_a_decision_for_a_lead_that_nobody_sent_is_extra(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    await world.decide(lead_id, Received(str(derived_id("invented"))), START)

    finding = await finding_of(settings)

    assert (finding.verdict, finding.lead_id, finding.field) == (Verdict.EXTRA, lead_id, "leads.received")


async def test_a_decision_that_names_another_cause_is_extra(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    await world.publish_received(lead_id)
    await world.decide(lead_id, Received(str(derived_id("invented"))), START)

    finding = await finding_of(settings)

    assert (finding.verdict, finding.field) == (Verdict.EXTRA, "data.cause_id")


async def test_a_published_forgery_is_found_by_deciding_again(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    fact_id = await world.publish_received(lead_id)
    decided = await world.decide(lead_id, Received(str(fact_id)), START, publish=False)
    forged = orjson.dumps({**orjson.loads(decided.record), "site_id": "far", "distance_m": 10_977})
    key, value = decided_fact(decided.decision_id, decided.lead_id, START, None, forged)
    await world.append("leads.decided", key, value)
    await world.tamper("UPDATE router.decisions SET site_id = 'far', record = $1::text::json", forged.decode())

    finding = await finding_of(settings)

    assert (finding.verdict, finding.lead_id, finding.epoch) == (Verdict.CHANGED_UNEXPLAINED, lead_id, 1)
    assert finding.field == "data.site_id"


async def test_a_redelivered_decision_is_judged_once(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    fact_id = await world.publish_received(lead_id)
    await world.publish_received(lead_id)
    decided = await world.decide(lead_id, Received(str(fact_id)), START)
    key, value = decided_fact(decided.decision_id, decided.lead_id, START, None, decided.record)
    for _ in range(5):
        await world.append("leads.decided", key, value)

    report = await replayed(settings)

    assert report.counts == Counter({Verdict.SAME: 1})


async def test_a_second_decision_of_one_epoch_is_extra(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    fact_id = await world.publish_received(lead_id)
    decided = await world.decide(lead_id, Received(str(fact_id)), START)
    other = orjson.dumps({**orjson.loads(decided.record), "site_id": "far"})
    await world.append("leads.decided", *decided_fact(decided.decision_id, decided.lead_id, START, None, other))

    finding = await finding_of(settings)

    assert (finding.verdict, finding.lead_id, finding.epoch) == (Verdict.EXTRA, lead_id, 1)
    assert finding.detail == 'published twice: first "near", then "far"'


async def test_an_altered_network_revision_is_named_and_nothing_is_trusted_to_it(
    world: World, settings: AuditSettings
) -> None:
    await world.receive()
    await world.receive()
    await world.tamper("UPDATE router.network_revisions SET sites = replace(sites::text, '31.4', '31.2')::json")

    report = await replayed(settings)

    assert report.findings[0].field == "router.network_revisions 1"
    assert report.counts == Counter({Verdict.TAMPERED: 3})


async def test_an_altered_policy_is_named(world: World, settings: AuditSettings) -> None:
    await world.receive()
    await world.tamper("UPDATE router.policies SET toml = replace(toml, '= 50', '= 5')")

    report = await replayed(settings)

    assert report.findings[0].field == "router.policies 1"


async def test_poison_on_the_topic_of_decisions_does_not_stop_a_replay(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.append("leads.decided", str(lead_id).encode(), b"\xff\xff")
    await world.append("leads.decided", b"", b'{"type":"waypost.leads.decided.v2"}')
    await world.receive()

    report = await replayed(settings, chunk=1)

    assert report.counts == Counter({Verdict.SAME: 2})


async def test_a_fact_without_the_fields_of_a_decision_is_named(world: World, settings: AuditSettings) -> None:
    lead_id = await world.accept()
    said = {"lead_id": str(lead_id), "epoch": 1}
    fact = {"type": LEADS_DECIDED.type, "id": str(derived_id("odd")), "time": START, "data": said}
    await world.append("leads.decided", str(lead_id).encode(), orjson.dumps(fact))

    finding = await finding_of(settings)

    assert (finding.verdict, finding.detail) == (Verdict.EXTRA, "the record is no decided fact")


async def test_only_decisions_caused_by_one_topic_can_be_asked_for(world: World, settings: AuditSettings) -> None:
    await lives_of_leads(world)

    counts = {
        topic: (await replayed(settings, topic=topic)).counts[Verdict.SAME]
        for topic in ("leads.received", "leads.answered", "leads.due")
    }

    assert counts == {"leads.received": 6, "leads.answered": 5, "leads.due": 1}


async def test_decisions_outside_the_window_are_left_alone(world: World, settings: AuditSettings) -> None:
    await world.receive()
    await world.receive(at=START + 3 * DAY)

    assert (await replayed(settings)).counts.total() == 1


async def test_two_processes_find_what_one_finds(world: World, settings: AuditSettings) -> None:
    leads = await lives_of_leads(world)
    await world.tamper("UPDATE router.decisions SET site_id = 'far' WHERE lead_id = $1 AND epoch = 1", leads[3])
    seen: list[int] = []

    report = await replay_window(settings, WINDOW, topic=None, total=12, jobs=2, on_progress=seen.append)

    assert report.counts == Counter({Verdict.SAME: 11, Verdict.TAMPERED: 1})
    assert [finding.lead_id for finding in report.findings] == [leads[3]]
    assert sum(seen) == 12


async def test_a_replay_cannot_write(world: World, settings: AuditSettings) -> None:
    async with open_reader(settings) as connection:
        with pytest.raises(Exception, match="read-only transaction"):
            await connection.execute("DELETE FROM audit.heads")


async def test_poison_among_the_announcements_and_leads_does_not_stop_a_replay(
    world: World, settings: AuditSettings
) -> None:
    lead_id = await world.receive()
    for topic in (NETWORK_CHANGED, POLICIES_PUBLISHED):
        fact = {"type": topic.type, "id": str(derived_id(topic.name)), "time": START, "data": {"revision": "x"}}
        await world.append(topic.name, b"k", orjson.dumps(fact))
    said = {"lead_id": str(lead_id), "received_at": START}
    fact = {"type": LEADS_RECEIVED.type, "id": str(derived_id("odd")), "time": START, "data": said}
    await world.append("leads.received", str(lead_id).encode(), orjson.dumps(fact))

    assert (await replayed(settings)).clean


async def test_a_second_announcement_of_a_revision_changes_nothing(world: World, settings: AuditSettings) -> None:
    await world.receive()
    await world.announce("0" * 64)

    assert (await replayed(settings)).clean
