"""A lead is answered after its commit, once, whoever sends it how often; then it is on Kafka."""

import asyncio

import orjson

from shared.contracts import LEADS_RECEIVED
from tests.services.lead_intake.builders import lead_json
from tests.services.lead_intake.running import Installation, IntakeProcess, add_source, until

NAME, PHONE, EMAIL = "测试甲 Unmistakable", "13700137001", "unmistakable@example.com"


async def test_202_means_committed_and_then_published(installation: Installation, intake: IntakeProcess) -> None:
    trace = f"00-{'c' * 32}-{'d' * 16}-01"

    answer = await intake.post(traceparent=trace)

    assert answer.status == 202
    lead_id = answer.json["lead_id"]
    assert answer.json == {"lead_id": lead_id, "status": "accepted", "status_url": f"/v1/leads/{lead_id}"}
    (row,) = await installation.rows("SELECT * FROM leads WHERE lead_id = $1", lead_id)
    assert (row["source"], row["intent"], row["state"], row["epoch"]) == ("web-form", "test_drive", "accepted", 0)

    async def published() -> bool:
        facts = [LEADS_RECEIVED.read(raw) for raw in await installation.facts("leads.received")]
        mine = [fact for fact in facts if str(fact.data.lead_id) == lead_id]
        return len(mine) == 1 and (mine[0].traceparent or "").startswith(f"00-{'c' * 32}-")

    await until(published, "the fact is not on Kafka")

    async def forgotten() -> bool:
        return not await installation.rows("SELECT FROM outbox")

    await until(forgotten, "the outbox still holds the fact")


async def test_a_double_click_is_one_lead(installation: Installation, intake: IntakeProcess) -> None:
    first = await intake.post(idempotency_key="double-click")
    second = await intake.post(idempotency_key='"double-click"')

    assert (first.status, second.status) == (202, 202)
    assert first.body == second.body


async def test_a_key_used_for_another_body_is_refused(installation: Installation, intake: IntakeProcess) -> None:
    first = await intake.post(idempotency_key="other-body")
    other = await intake.post(lead_json(intent="purchase"), idempotency_key="other-body")
    again = await intake.post(idempotency_key="other-body")

    assert (first.status, other.status) == (202, 422)
    assert other.json["type"].endswith("idempotency-key-reused")
    assert again.body == first.body


async def test_a_key_belongs_to_its_source(installation: Installation, intake: IntakeProcess) -> None:
    other_source = await add_source(installation, "app")

    ours = await intake.post(idempotency_key="shared-word")
    theirs = await intake.post(idempotency_key="shared-word", authorization=f"Bearer {other_source}")

    assert (ours.status, theirs.status) == (202, 202)
    assert ours.json["lead_id"] != theirs.json["lead_id"]


async def test_one_key_sent_at_once_to_two_processes_is_one_lead(
    installation: Installation, intake: IntakeProcess
) -> None:
    async with installation.running() as second:
        answers = await asyncio.gather(
            *(process.post(idempotency_key="at-once") for _ in range(20) for process in (intake, second))
        )

    assert {answer.status for answer in answers} == {202}
    assert len({answer.body for answer in answers}) == 1
    lead_id = answers[0].json["lead_id"]
    assert len(await installation.rows("SELECT FROM leads WHERE lead_id = $1", lead_id)) == 1
    keys = await installation.rows("SELECT lead_id FROM idempotency WHERE key = 'at-once'")
    assert [str(row["lead_id"]) for row in keys] == [lead_id]


async def test_a_sources_own_id_is_one_lead_however_often_it_comes(
    installation: Installation, intake: IntakeProcess
) -> None:
    lead = lead_json(source_lead_id="portal-1")

    answers = await asyncio.gather(
        *(intake.post(lead | {"campaign": f"resend {n}"}) for n in range(10)),
        intake.post(lead, idempotency_key="with-a-key"),
    )
    later = await intake.post(lead, idempotency_key="with-a-key")

    assert {answer.status for answer in (*answers, later)} == {202}
    assert len({answer.json["lead_id"] for answer in (*answers, later)}) == 1


async def test_a_sources_id_for_another_person_is_refused_even_when_repeated(
    installation: Installation, intake: IntakeProcess
) -> None:
    first = await intake.post(lead_json(source_lead_id="portal-2"))
    other = lead_json(source_lead_id="portal-2", contact={"phone": "13700137099"})

    refusals = [await intake.post(other, idempotency_key="not-that-person") for _ in range(2)]

    assert first.status == 202
    assert [refusal.status for refusal in refusals] == [409, 409]
    assert refusals[0].json["errors"][0]["pointer"] == "#/source_lead_id"


async def test_one_person_has_one_id_in_all_processes(installation: Installation, intake: IntakeProcess) -> None:
    contacts = [{"phone": "13700137002", "email": "same@example.com"}, {"phone": "0086 137 0013 7002"}]
    async with installation.running() as second:
        answers = await asyncio.gather(
            *(
                process.post(lead_json(contact=contact))
                for _ in range(10)
                for contact in contacts
                for process in (intake, second)
            )
        )
        answers.append(await second.post(lead_json(contact={"email": "Same@Example.com"})))

    assert {answer.status for answer in answers} == {202}
    ids = [answer.json["lead_id"] for answer in answers]
    persons = await installation.rows("SELECT DISTINCT person_id FROM leads WHERE lead_id = ANY($1::uuid[])", ids)
    assert len(persons) == 1


async def test_a_batch_is_answered_line_by_line_and_the_same_again(
    installation: Installation, intake: IntakeProcess
) -> None:
    no_datum = lead_json(location={"lat": 31.3, "lon": 120.6})
    body = b"\n".join([orjson.dumps(lead_json()), b"{nonsense", orjson.dumps(no_datum), orjson.dumps(lead_json())])

    first = await intake.post(body, content_type="application/x-ndjson", idempotency_key="batch")
    again = await intake.post(body, content_type="application/x-ndjson", idempotency_key="batch")

    assert (first.status, first.headers["content-type"]) == (207, "application/x-ndjson")
    lines = [orjson.loads(line) for line in first.body.splitlines()]
    assert [(line["line"], line["status_code"]) for line in lines] == [(1, 202), (2, 422), (3, 422), (4, 202)]
    assert lines[2]["problem"]["errors"][0]["pointer"] == "#/location/datum"
    assert again.body == first.body


async def test_a_place_that_may_be_several_is_taken_and_its_sender_is_told_which(intake: IntakeProcess) -> None:
    clear, unclear = lead_json(location={"text": "苏州市吴江区"}), lead_json(location={"text": "鼓楼区"})
    body = b"\n".join([orjson.dumps(unclear), orjson.dumps(clear)])

    answer = await intake.post(body, content_type="application/x-ndjson")

    lines = [orjson.loads(line) for line in answer.body.splitlines()]
    assert [line["status_code"] for line in lines] == [202, 202]
    assert "南京市鼓楼区 (320106), 徐州市鼓楼区 (320302)" in lines[0]["warnings"][0]["detail"]
    states = [(await intake.get(line["status_url"])).json for line in lines]
    assert states[0]["place_candidates"] == [
        {"adcode": "320106", "name": "南京市鼓楼区"},
        {"adcode": "320302", "name": "徐州市鼓楼区"},
        {"adcode": "350102", "name": "福州市鼓楼区"},
        {"adcode": "410204", "name": "开封市鼓楼区"},
    ]
    assert "place_candidates" not in states[1]


async def test_an_adf_file_is_answered_prospect_by_prospect(installation: Installation, intake: IntakeProcess) -> None:
    contact = "<contact><name>Test Person</name><phone>13800138000</phone></contact>"
    good = f"<prospect><customer>{contact}</customer></prospect>"
    bad = good.replace("<phone>13800138000</phone>", "")

    single = await intake.post(f"<adf>{good}</adf>".encode(), content_type="text/xml")
    several = await intake.post(f"<adf>{good}{bad}</adf>".encode(), content_type="application/x-adf+xml; charset=utf-8")

    assert single.status == 202
    assert several.status == 207
    assert [(r["prospect"], r["status_code"]) for r in several.json["results"]] == [(1, 202), (2, 422)]


async def test_nothing_personal_leaves_the_sealed_contact(installation: Installation, intake: IntakeProcess) -> None:
    contact = {"name": NAME, "phone": PHONE, "email": EMAIL}
    point = {"lat": 31.234567891, "lon": 120.987654321, "datum": "bd09"}
    accepted = await intake.post(
        lead_json(contact=contact, location=point, source_lead_id=f"caller {PHONE}"), idempotency_key="p-1"
    )
    refused = await intake.post(lead_json(contact=contact, intent=PHONE, vehicle={"brand": EMAIL, "year": 1}))
    broken = await intake.post(orjson.dumps({"contact": contact})[:-3])
    assert (accepted.status, refused.status, broken.status) == (202, 422, 400)

    written = []
    for row in await installation.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'lead_intake'"):
        rows = await installation.rows(f"SELECT to_jsonb(t)::text AS row FROM {row['name']} AS t")
        written += [row["row"].encode() for row in rows]

    async def published() -> bool:
        return any(accepted.json["lead_id"].encode() in fact for fact in await installation.facts("leads.received"))

    await until(published, "the fact is not on Kafka")
    seen = [
        *written,
        *await installation.facts("leads.received"),
        intake.log.read_bytes(),
        refused.body,
        broken.body,
    ]
    for secret in ("Unmistakable", "测试甲", "137001370", "31.2345678", "120.98765"):
        for text in seen:
            assert secret.encode() not in text
            assert secret.encode().hex().encode() not in text
