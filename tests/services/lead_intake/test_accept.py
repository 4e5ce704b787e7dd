"""A lead is answered after its commit, once, whoever sends it how often; then it is on Kafka."""

import asyncio
from datetime import UTC, datetime

import orjson

from services.lead_intake.erase import erase_person
from services.lead_intake.repeated_ids import check_source_ids
from shared.contracts import LEADS_RECEIVED
from shared.postgres import Connection
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


def mail(phone: str, given_id: str = '<id sequence="1" source="a form">82000017</id>', model: str = "One") -> bytes:
    """An ADF file of one prospect, as a portal sends it."""
    vehicle = f"<vehicle><make>Way</make><model>{model}</model></vehicle>"
    contact = f"<contact><name>Test Person</name><phone>{phone}</phone></contact>"
    return f"<adf><prospect>{given_id}{vehicle}<customer>{contact}</customer></prospect></adf>".encode()


async def lead_of(intake: IntakeProcess, body: bytes, **headers: str) -> str:
    answer = await intake.post(body, content_type="text/xml", **headers)
    assert answer.status == 202, answer.body
    lead_id: str = answer.json["lead_id"]
    return lead_id


async def test_a_filler_is_no_identity_but_the_same_bytes_are(intake: IntakeProcess) -> None:
    filler = '<id sequence="uniqueLeadId" source="my web site"></id>'

    first = await lead_of(intake, mail("13700137110", filler))
    other = await lead_of(intake, mail("13700137111", filler))
    answers = await asyncio.gather(*(lead_of(intake, mail("13700137110", filler)) for _ in range(5)))
    another_wish = await lead_of(intake, mail("13700137110", filler, model="Two"))

    assert len({first, other, another_wish}) == 3
    assert set(answers) == {first}


async def test_one_id_for_several_people_is_several_leads_and_an_alarm(
    installation: Installation, intake: IntakeProcess
) -> None:
    key = await add_source(installation, "one-id-for-all", "adf-1")
    people = [f"1370013712{n}" for n in range(5)]

    leads = [await lead_of(intake, mail(phone), authorization=f"Bearer {key}") for phone in people]
    again = [await lead_of(intake, mail(phone), authorization=f"Bearer {key}") for phone in people]
    returning = await lead_of(intake, mail(people[0], model="Two"), authorization=f"Bearer {key}")

    assert len({*leads, returning}) == 6
    assert again == leads
    (row,) = await installation.rows("SELECT * FROM source_leads WHERE source = 'one-id-for-all'")
    assert (str(row["lead_id"]), row["other_people"]) == (leads[0], 4)
    found = await check_source_ids(installation.settings)
    assert ["one-id-for-all" in told for told in found].count(True) == 1
    assert next(told for told in found if "one-id-for-all" in told).startswith(
        "source one-id-for-all gave the id of one person's lead to 4 leads of other people"
    )
    assert b"leads.ids_repeat" in intake.log.read_bytes()


async def test_one_id_for_several_people_in_one_file_is_several_leads(
    installation: Installation, intake: IntakeProcess
) -> None:
    key = await add_source(installation, "one-id-in-a-file", "adf-1")
    prospects = b"".join(mail(f"1370013713{n % 3}").removeprefix(b"<adf>").removesuffix(b"</adf>") for n in range(6))

    answer = await intake.post(b"<adf>" + prospects + b"</adf>", content_type="text/xml", authorization=f"Bearer {key}")

    ids = [result["lead_id"] for result in answer.json["results"]]
    assert len(set(ids)) == 3
    assert ids[:3] == ids[3:]


async def test_an_id_of_one_person_stays_one_lead_whatever_changes(intake: IntakeProcess) -> None:
    given_id = '<id sequence="1" source="a good portal">L-7710</id>'

    first = await lead_of(intake, mail("13700137140", given_id))
    resent = await lead_of(intake, mail("0086 137 0013 7140", given_id, model="Two"), idempotency_key="resent")

    assert resent == first


async def test_the_lead_of_one_who_was_erased_does_not_come_back(
    installation: Installation, intake: IntakeProcess
) -> None:
    given_id = '<id sequence="1" source="a good portal">L-7711</id>'
    first = await lead_of(intake, mail("13700137150", given_id))
    (row,) = await installation.rows("SELECT person_id FROM leads WHERE lead_id = $1", first)

    async def erase(connection: Connection) -> None:
        await erase_person(connection, row["person_id"], datetime.now(UTC))

    await installation.do(erase)
    changed = await intake.post(mail("13700137150", given_id, model="Two"), content_type="text/xml")

    assert changed.status == 409
    assert changed.json["errors"][0]["pointer"] == "#/source_lead_id"


async def test_ids_that_repeat_are_counted_in_json_too_where_they_are_refused(
    installation: Installation, intake: IntakeProcess
) -> None:
    key = await add_source(installation, "json-with-one-id")
    answers = [
        await intake.post(
            lead_json(source_lead_id="example-of-the-docs", contact={"phone": phone}), authorization=f"Bearer {key}"
        )
        for phone in ("13700137160", "13700137161")
    ]

    assert [answer.status for answer in answers] == [202, 409]
    assert any("json-with-one-id" in told for told in await check_source_ids(installation.settings))


async def test_a_way_that_is_none_is_passed_over_beside_one_that_is(intake: IntakeProcess) -> None:
    contact = {"name": "", "phone": "000 0000", "email": "test.person.17@example.com"}

    answer = await intake.post(lead_json(contact=contact, campaign=""))

    assert answer.status == 202
    assert [warning["pointer"] for warning in answer.json["warnings"]] == ["#/contact/phone"]
