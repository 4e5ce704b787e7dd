from collections import Counter

import orjson

from services.audit.domain.comparison import Finding, Verdict
from services.audit.settings import AuditSettings
from services.router.domain import Received
from services.router.emission import decided_fact
from shared.contracts import derived_id
from tests.services.audit.places import START
from tests.services.audit.replays import finding_of, lives_of_leads, replayed
from tests.services.audit.world import World


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


async def test_an_order_that_nobody_gave_is_found(world: World, settings: AuditSettings) -> None:
    lead_id = await world.receive()
    await world.order(lead_id, START, "far", hide=True)

    finding = await finding_of(settings)

    assert finding == Finding(Verdict.EXTRA, lead_id, 2, "data.cause_id", "no such fact on leads.ordered")


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
