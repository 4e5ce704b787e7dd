from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import orjson
import pytest

from services.audit.db.reader import open_reader
from services.audit.domain.comparison import Verdict
from services.audit.freshness import Patience
from services.audit.replay_jobs import replay_window
from services.audit.settings import AuditSettings
from services.router.domain import Received
from services.router.emission import decided_fact
from services.router.snapshot import Snapshot
from shared.contracts import LEADS_DECIDED, LEADS_RECEIVED, NETWORK_CHANGED, POLICIES_PUBLISHED, Result, derived_id
from tests.services.audit.places import DAY, POLICY, START
from tests.services.audit.replays import WINDOW, finding_of, lives_of_leads, replayed
from tests.services.audit.world import World


async def test_every_decision_of_a_day_comes_out_the_same(world: World, settings: AuditSettings) -> None:
    await lives_of_leads(world)

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 12})
    assert report.clean


async def test_a_lead_that_came_before_any_network_replays_too(world: World, settings: AuditSettings) -> None:
    world.snapshot = Snapshot.build((), 0)
    await world.receive()

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 1})


async def test_an_erased_person_leaves_a_past_that_still_proves_itself(world: World, settings: AuditSettings) -> None:
    held, accepted = await world.receive(), await world.receive()
    await world.accepted_by_holder(accepted, START + timedelta(minutes=1))
    await world.erase(held, START + timedelta(hours=1))
    await world.erase(accepted, START + timedelta(hours=1))

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 5})
    assert (await replayed(settings, topic="people.erased")).counts == Counter({Verdict.SAME: 2})


async def test_a_lead_erased_before_it_arrived_replays_as_closed_by_the_erasure(
    world: World, settings: AuditSettings
) -> None:
    lead_id = await world.accept()
    erased_by = await world.erase(lead_id, START + timedelta(minutes=1))
    assert (await replayed(settings)).counts == Counter()

    decided = await world.arrive_erased(lead_id, erased_by, START + timedelta(minutes=2))
    report = await replayed(settings)

    assert (decided.epoch, decided.outcome) == (1, "closed")
    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 1})
    assert (await replayed(settings, topic="people.erased")).counts == Counter({Verdict.SAME: 1})
    assert (await replayed(settings, topic="leads.received")).counts == Counter()


async def test_what_operators_ordered_is_decided_again_from_what_they_said(
    world: World, settings: AuditSettings
) -> None:
    moved, placed, retried = await world.receive(), await world.receive(lat=35.0), await world.receive(lat=36.0)
    await world.order(moved, START + timedelta(minutes=1), "far")
    await world.order(placed, START + timedelta(minutes=1), lat=31.399)
    await world.decline(placed, START + timedelta(minutes=2))
    await world.order(placed, START + timedelta(minutes=3), "near", lat=31.3)
    await world.stay_silent(placed)
    await world.order(retried, START + timedelta(minutes=1))
    await world.order(retried, START + timedelta(minutes=2), result=Result.LOST)
    await world.order(moved, START + timedelta(minutes=5), result=Result.WON)

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 11})
    assert (await replayed(settings, topic="leads.ordered")).counts == Counter({Verdict.SAME: 6})


async def test_tries_and_the_way_to_a_person_replay_too(world: World, settings: AuditSettings) -> None:
    await world.publish_policy(f"{POLICY}[tries]\nbefore_person = 2")
    lead_id = await world.receive()
    await world.decline(lead_id, START + timedelta(minutes=1))
    await world.decline(lead_id, START + timedelta(minutes=2))
    given = await world.order(lead_id, START + timedelta(minutes=3), "near")
    assert (given.epoch, given.site_id) == (4, "near")

    report = await replayed(settings)

    assert report.findings == []
    assert report.counts == Counter({Verdict.SAME: 4})


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


class Until(Patience):
    """Time enough for what happens meanwhile."""

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(0)
        self._happens = happens
        self._pauses = 0

    async def pause(self) -> bool:
        """The first pause is when it happens; there is none after the second."""
        self._pauses += 1
        if self._pauses == 1:
            await self._happens()
        return self._pauses < 3


async def test_a_decision_that_is_published_while_replay_waits_is_judged_like_the_rest(
    world: World, settings: AuditSettings
) -> None:
    in_time, forged, never = await world.accept(), await world.accept(), await world.accept()
    kept = {
        lead_id: await world.decide(lead_id, Received(str(await world.publish_received(lead_id))), START, publish=False)
        for lead_id in (in_time, forged, never)
    }
    record = orjson.dumps({**orjson.loads(kept[forged].record), "site_id": "far"})

    async def publish() -> None:
        for lead_id, said in ((in_time, kept[in_time].record), (forged, record)):
            one = kept[lead_id]
            await world.append("leads.decided", *decided_fact(one.decision_id, one.lead_id, START, None, said))

    report = await replayed(settings, patience=Until(publish))

    assert report.counts == Counter({Verdict.SAME: 1, Verdict.TAMPERED: 1, Verdict.MISSING: 1})
    assert {(one.verdict, one.lead_id) for one in report.findings} == {
        (Verdict.TAMPERED, forged),
        (Verdict.MISSING, never),
    }


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

    report = await replay_window(settings, WINDOW, topic=None, total=12, jobs=2, wait_s=0, on_progress=seen.append)

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
