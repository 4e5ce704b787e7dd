"""What happens to a lead afterwards: its state, its contact shown once, its person erased."""

import os
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import orjson

from services.lead_intake.erase import Erased, erase_person
from shared.contracts import (
    LEADS_DECIDED,
    PEOPLE_ERASED,
    Cause,
    ClosedReason,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadWaiting,
    WaitingReason,
    derived_id,
)
from shared.kafka import Producer
from shared.keys import load_keys
from shared.postgres import Connection
from shared.signatures import headers
from shared.vocabulary import Intent
from tests.services.lead_intake.builders import NOW, lead_json
from tests.services.lead_intake.running import Answer, Installation, IntakeProcess, add_source, until

DecisionT = TypeVar("DecisionT", LeadAssigned, LeadWaiting, LeadClosed)


def decision(lead_id: str, epoch: int, kind: type[DecisionT], **fields: Any) -> DecisionT:
    return kind(
        decision_id=derived_id("decision", lead_id, epoch),
        lead_id=UUID(lead_id),
        epoch=epoch,
        person_id=UUID(int=1),
        intent=Intent.TEST_DRIVE,
        cause=Cause.RECEIVED,
        cause_id=UUID(int=2),
        received_at=NOW,
        decided_at=NOW,
        network_revision=1,
        policy_version=1,
        engine_version="1",
        **fields,
    )


async def decide(installation: Installation, *decisions: LeadDecided | bytes) -> None:
    records = []
    for decided in decisions:
        if isinstance(decided, bytes):
            records.append((b"key", decided))
            continue
        key = str(decided.lead_id)
        fact = LEADS_DECIDED.fact(decided, id=decided.decision_id, source="router", subject=key, time=NOW)
        records.append((key.encode(), fact.to_bytes()))
    async with Producer(installation.settings, "test") as producer:
        await producer.publish(LEADS_DECIDED.name, records)


async def reveal(intake: IntakeProcess, lead_id: str, *, secret: str = "", **changes: Any) -> Answer:
    request = {"lead_id": lead_id, "site_id": "site-1", "epoch": 1, "nonce": uuid4().hex, "via": "inbox"} | changes
    body = orjson.dumps(request)
    keys = load_keys(intake.installation.settings.key_file)
    signed = headers([secret or keys.service_secret], "msg_1", datetime.now(UTC), body)
    return await intake.post(body, "/internal/contacts", **signed)


async def accepted(intake: IntakeProcess, **changes: Any) -> str:
    answer = await intake.post(lead_json(**changes))
    assert answer.status == 202
    return str(answer.json["lead_id"])


async def test_a_leads_state_moves_forward_only_and_garbage_is_buried(
    installation: Installation, intake: IntakeProcess
) -> None:
    lead_id = await accepted(intake)
    assigned = decision(lead_id, 2, LeadAssigned, site_id="site-1", distance_m=5, respond_by=NOW, candidates=())
    waiting = decision(lead_id, 1, LeadWaiting, reason=WaitingReason.ALL_FULL)

    await decide(installation, b"\xff garbage", assigned, waiting, b'{"type":"other"}', assigned)

    async def moved() -> bool:
        return bool((await intake.get(f"/v1/leads/{lead_id}")).json["epoch"] == 2)

    await until(moved, "the decision is not seen")
    await decide(
        installation, waiting, decision(lead_id, 3, LeadClosed, reason=ClosedReason.ACCEPTED, site_id="site-1")
    )

    async def closed() -> bool:
        return bool((await intake.get(f"/v1/leads/{lead_id}")).json["epoch"] == 3)

    await until(closed, "the later decision is not seen")
    state = (await intake.get(f"/v1/leads/{lead_id}")).json
    assert (state["state"], state["reason"], state["site_id"]) == ("closed", "accepted", "site-1")
    assert len(await installation.facts("leads.decided.dead")) == 2


async def test_a_leads_state_is_its_sources_business_only(installation: Installation, intake: IntakeProcess) -> None:
    lead_id = await accepted(intake)
    other = await add_source(installation, "other")

    assert (await intake.get(f"/v1/leads/{lead_id}")).json["state"] == "accepted"
    for answer in (
        await intake.get(f"/v1/leads/{lead_id}", authorization=f"Bearer {other}"),
        await intake.get(f"/v1/leads/{uuid4()}"),
        await intake.get("/v1/leads/nonsense"),
    ):
        assert answer.status == 404
    assert (await intake.get(f"/v1/leads/{lead_id}", authorization="")).status == 401


async def test_a_contact_is_shown_once_per_nonce_and_every_reveal_is_recorded(
    installation: Installation, intake: IntakeProcess
) -> None:
    lead_id = await accepted(intake, contact={"name": "Test Person", "phone": "138 0013 8011"})

    first = await reveal(intake, lead_id, nonce="nonce-number-1")
    again = await reveal(intake, lead_id, nonce="nonce-number-1")
    other = await reveal(intake, lead_id, nonce="nonce-number-2", via="webhook")

    assert (first.status, again.status, other.status) == (200, 410, 200)
    assert first.json == {"name": "Test Person", "phone": "+8613800138011", "email": None}
    assert first.headers["cache-control"] == "no-store"
    rows = await installation.rows("SELECT * FROM reveals WHERE lead_id = $1 ORDER BY nonce", lead_id)
    assert [(row["site_id"], row["epoch"], row["via"]) for row in rows] == [
        ("site-1", 1, "inbox"),
        ("site-1", 1, "webhook"),
    ]


async def test_only_our_own_services_may_ask(intake: IntakeProcess) -> None:
    lead_id = await accepted(intake)
    keys = load_keys(intake.installation.settings.key_file)
    body = orjson.dumps({"lead_id": lead_id})
    old = headers([keys.service_secret], "msg_1", datetime(2020, 1, 1, tzinfo=UTC), body)

    assert (await reveal(intake, lead_id, secret="whsec_" + "A" * 43 + "=")).status == 401
    assert (await intake.post(body, "/internal/contacts")).status == 401
    assert (await intake.post(body, "/internal/contacts", **old)).status == 401


async def test_a_request_for_nothing_is_told_so(intake: IntakeProcess) -> None:
    lead_id = await accepted(intake)

    assert (await reveal(intake, str(uuid4()))).status == 404
    wrong = await reveal(intake, lead_id, epoch=0)
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "#/epoch")


async def test_a_site_that_lost_the_lead_does_not_see_the_contact(
    installation: Installation, intake: IntakeProcess
) -> None:
    lead_id = await accepted(intake)
    await decide(
        installation,
        decision(lead_id, 2, LeadAssigned, site_id="site-2", distance_m=5, respond_by=NOW, candidates=()),
    )

    async def moved() -> bool:
        return bool((await intake.get(f"/v1/leads/{lead_id}")).json["epoch"] == 2)

    await until(moved, "the decision is not seen")
    assert (await reveal(intake, lead_id, site_id="site-1", epoch=1)).status == 409
    assert (await reveal(intake, lead_id, site_id="site-2", epoch=2)).status == 200


async def test_an_erased_person_is_unreadable_and_new_when_coming_back(
    installation: Installation, intake: IntakeProcess
) -> None:
    contact = {"phone": "13800138012", "email": "erase-me@example.com"}
    lead_ids = [await accepted(intake, contact=contact, source_lead_id=f"erase-{n}") for n in range(2)]
    (person,) = await installation.rows(
        "SELECT DISTINCT person_id FROM leads WHERE lead_id = ANY($1::uuid[])", lead_ids
    )

    async def erase(connection: Connection) -> Erased | None:
        return await erase_person(connection, person["person_id"], datetime.now(UTC))

    first, second = await installation.do(erase), await installation.do(erase)

    assert (first.leads, first.contacts, first.tokens) == (2, 2, 2)
    assert (second.leads, second.contacts, second.tokens) == (2, 0, 0)
    for lead_id in lead_ids:
        assert (await reveal(intake, lead_id)).status == 404
        assert (await intake.get(f"/v1/leads/{lead_id}")).status == 200

    async def told() -> bool:
        facts = [PEOPLE_ERASED.read(raw) for raw in await installation.facts("people.erased")]
        return [sorted(map(str, fact.data.lead_ids)) for fact in facts] == [sorted(lead_ids)] * 2 and len(
            {fact.id for fact in facts}
        ) == 1

    await until(told, "people.erased is not on Kafka, with the same id both times")
    resent = await intake.post(lead_json(contact=contact, source_lead_id="erase-0"))
    assert resent.status == 409
    new_lead = await accepted(intake, contact=contact)
    (new_person,) = await installation.rows("SELECT person_id FROM leads WHERE lead_id = $1", new_lead)
    assert new_person["person_id"] != person["person_id"]


async def test_nobody_is_erased_when_nobody_is_known(installation: Installation, intake: IntakeProcess) -> None:
    async def erase(connection: Connection) -> Erased | None:
        return await erase_person(connection, UUID(bytes=os.urandom(16)), datetime.now(UTC))

    assert await installation.do(erase) is None
