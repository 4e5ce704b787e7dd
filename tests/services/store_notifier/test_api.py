"""What stores' systems say and get, over HTTP and down to the rows."""

import asyncio
import os
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.store_notifier import endpoints
from shared.contracts import Answer, DeclineReason, Result
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.looking import answered
from tests.services.store_notifier.serving import Client
from tests.services.store_notifier.setting_up import NOWHERE, OTHER_SITE, SITE, Endpoint, add_webhook, handle
from tests.services.store_notifier.world import Lead, now

ACCEPT = {"answer": "accepted"}
DECLINE = {"answer": "declined", "decline_reason": "no_staff"}
WON = {"answer": "outcome", "result": "won"}


async def test_the_first_answer_is_recorded_and_published(
    db: Connection, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    status, body = await client.answer(endpoint, lead.lead_id, 1, DECLINE)
    assert (status, body["status"], body["current"]["your_answer"]) == (202, "recorded", "declined")
    assert body["current"]["held_by_you"] is False
    (fact,) = await answered(db)
    assert (fact.lead_id, fact.epoch, fact.site_id, fact.via) == (lead.lead_id, 1, SITE, "webhook")
    assert (fact.answer, fact.decline_reason) == (Answer.DECLINED, DeclineReason.NO_STAFF)
    assert await db.fetchval("SELECT state FROM inbox_items") == "declined"


async def test_the_same_answer_again_is_fine_and_changes_nothing(
    db: Connection, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    for message_id, expected in (("msg_a", 202), ("msg_a", 200), ("msg_b", 200)):
        status, _ = await client.answer(endpoint, lead.lead_id, 1, ACCEPT, message_id=message_id)
        assert status == expected
    assert len(await answered(db)) == 1


async def test_ten_answers_at_once_are_one_answer(
    db: Connection, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    words: list[dict[str, Any]] = [ACCEPT, DECLINE] * 5
    got = await asyncio.gather(*(client.answer(endpoint, lead.lead_id, 1, word) for word in words))
    assert Counter(status for status, _ in got) == {202: 1, 200: 4, 409: 5}
    assert len(await answered(db)) == 1


async def test_a_contradiction_is_refused_with_the_state(client: Client, endpoint: Endpoint, lead: Lead) -> None:
    await client.answer(endpoint, lead.lead_id, 1, ACCEPT)
    status, problem = await client.answer(endpoint, lead.lead_id, 1, DECLINE)
    assert status == 409
    assert problem["title"] == "Conflict"
    assert problem["current"] == {
        "lead_id": str(lead.lead_id),
        "epoch": 1,
        "state": "assigned",
        "held_by_you": True,
        "respond_by": problem["current"]["respond_by"],
        "your_answer": "accepted",
        "your_result": None,
    }


async def test_a_late_answer_is_refused_with_the_state_and_without_the_name_of_the_other_site(
    db: Connection, pool: Pool, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    await handle(pool, lead.assigned(OTHER_SITE))
    status, problem = await client.answer(endpoint, lead.lead_id, 1, ACCEPT)
    assert (status, problem["current"]["state"], problem["current"]["held_by_you"]) == (409, "moved_on", False)
    assert OTHER_SITE not in str(problem)
    assert await answered(db) == []


async def test_an_accepted_lead_gets_an_outcome_once(
    db: Connection, pool: Pool, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    assert (await client.answer(endpoint, lead.lead_id, 1, WON))[0] == 409
    assert (await client.answer(endpoint, lead.lead_id, 1, ACCEPT))[0] == 202
    await handle(pool, lead.accepted(SITE, 1))
    assert (await client.answer(endpoint, lead.lead_id, 1, WON))[0] == 202
    await handle(pool, lead.ended(SITE, 1, Result.WON))
    assert (await client.answer(endpoint, lead.lead_id, 1, WON))[0] == 200
    status, problem = await client.answer(endpoint, lead.lead_id, 1, WON | {"result": "lost"})
    assert (status, problem["current"]["state"], problem["current"]["your_result"]) == (409, "outcome", "won")
    assert [fact.answer for fact in await answered(db)] == [Answer.ACCEPTED, Answer.OUTCOME]


async def test_a_site_learns_nothing_of_an_assignment_that_it_never_had(
    pool: Pool, keys: Keys, client: Client, lead: Lead
) -> None:
    stranger = await add_webhook(pool, keys, NOWHERE, OTHER_SITE)
    for lead_id, epoch in ((lead.lead_id, 1), (lead.lead_id, 2), (uuid4(), 1), (lead.lead_id, 10**30)):
        assert (await client.answer(stranger, lead_id, epoch, ACCEPT))[0] == 404
        assert (await client.state(stranger, lead_id, epoch))[0] == 404
        assert (await client.contact(stranger, lead_id, epoch))[0] == 404


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"webhook-signature": "v1,AAAA"}, "no signature matches"),
        ({"webhook-signature": "garbage"}, "no signature matches"),
        ({"webhook-signature": "v1,非"}, "no signature matches"),
        ({"webhook-timestamp": "soon"}, "whole seconds"),
        ({"webhook-timestamp": str(int((now() - timedelta(minutes=6)).timestamp()))}, "5 minutes"),
        ({"webhook-timestamp": "9" * 12}, "5 minutes"),
        ({"webhook-timestamp": "9" * 3_000}, "whole seconds"),
        ({"webhook-id": ""}, "required"),
        ({"waypost-endpoint": "nobody"}, "active endpoint"),
        ({"waypost-endpoint": str(uuid4())}, "active endpoint"),
    ],
    # Names of their own: two of the values differ in every run, and the workers of one run must agree.
    ids=[
        "wrong",
        "garbage",
        "not-ascii",
        "no-number",
        "old",
        "no-date",
        "no-end",
        "no-id",
        "no-endpoint-id",
        "unknown-endpoint",
    ],
)
async def test_a_request_that_is_not_signed_well_is_refused(
    db: Connection, client: Client, endpoint: Endpoint, lead: Lead, headers: dict[str, str], reason: str
) -> None:
    if not headers.get("webhook-signature", "").isascii():
        headers = {"webhook-signature": headers["webhook-signature"].encode().decode("latin-1")}
    status, problem = await client.answer(endpoint, lead.lead_id, 1, ACCEPT, headers=headers)
    assert status == 401
    assert reason in problem["detail"]
    assert await answered(db) == []


async def test_the_secret_of_one_endpoint_does_not_open_another(
    pool: Pool, keys: Keys, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    other = await add_webhook(pool, keys, NOWHERE, OTHER_SITE)
    forged = Endpoint(endpoint.endpoint_id, other.secret)
    assert (await client.answer(forged, lead.lead_id, 1, ACCEPT))[0] == 401


async def test_a_disabled_endpoint_is_not_believed(pool: Pool, client: Client, endpoint: Endpoint, lead: Lead) -> None:
    await endpoints.disable(pool, endpoint.endpoint_id, "test")
    assert (await client.answer(endpoint, lead.lead_id, 1, ACCEPT))[0] == 401


async def test_both_secrets_of_a_rotation_are_believed_until_the_old_one_ends(
    db: Connection, pool: Pool, keys: Keys, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    new = await endpoints.rotate(pool, endpoint.endpoint_id, key=keys.endpoint_key, random_bytes=os.urandom, now=now())
    assert (await client.state(endpoint, lead.lead_id, 1))[0] == 200
    assert (await client.state(Endpoint(endpoint.endpoint_id, new), lead.lead_id, 1))[0] == 200
    await db.execute("UPDATE endpoints SET previous_secret_until = now()")
    assert (await client.state(endpoint, lead.lead_id, 1))[0] == 401
    assert (await client.state(Endpoint(endpoint.endpoint_id, new), lead.lead_id, 1))[0] == 200


async def test_the_id_of_a_request_counts_for_one_body_and_one_address(
    db: Connection, client: Client, endpoint: Endpoint, lead: Lead
) -> None:
    assert (await client.answer(endpoint, lead.lead_id, 1, ACCEPT, message_id="msg_1"))[0] == 202
    status, problem = await client.answer(endpoint, lead.lead_id, 1, WON, message_id="msg_1")
    assert (status, "webhook-id" in problem["detail"]) == (409, True)
    status, _ = await client.post(endpoint, f"/v1/assignments/{lead.lead_id}/1/contact", ACCEPT, message_id="msg_1")
    assert status == 409
    assert len(await answered(db)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"answer": "maybe"}',
        b'{"answer": "undeliverable"}',
        b'{"answer": "outcome"}',
        b'{"answer": "accepted", "result": "won"}',
        b'{"answer": "declined", "decline_reason": "Mr Test, +86 138 0000 0000"}',
        b'{"answer": "accepted\\u0000"}',
        b"[" * 10_000,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
async def test_what_is_no_answer_is_refused_without_repeating_it(
    db: Connection, client: Client, endpoint: Endpoint, lead: Lead, body: bytes
) -> None:
    status, problem = await client.answer(endpoint, lead.lead_id, 1, body)
    assert status == 422
    assert problem["errors"]
    assert "138" not in str(problem)
    assert await answered(db) == []


async def test_a_body_without_end_is_cut_off(client: Client, endpoint: Endpoint, lead: Lead) -> None:
    status, _ = await client.answer(endpoint, lead.lead_id, 1, b"x" * 20_000)
    assert status == 413


@pytest.mark.parametrize(
    "epoch", ["0", "00", "-1", "+1", "1.0", "1e0", "x", "\u0661", "%D9%A1", "2147483648", "7" * 5_000, "0" * 5_000]
)
async def test_an_epoch_that_nobody_ever_had_is_not_found(
    client: Client, endpoint: Endpoint, lead: Lead, epoch: str
) -> None:
    for path in (f"{epoch}/answer", f"{epoch}/contact"):
        status, problem = await client.post(endpoint, f"/v1/assignments/{lead.lead_id}/{path}", ACCEPT)
        assert (status, problem["status"]) == (404, 404)


async def test_an_epoch_may_be_written_with_zeros_before_it(client: Client, endpoint: Endpoint, lead: Lead) -> None:
    status, _ = await client.post(endpoint, f"/v1/assignments/{lead.lead_id}/0001/answer", ACCEPT)
    assert status == 202


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/v1/assignments", 404),
        ("POST", "/v1/assignments/nobody/1/answer", 404),
        ("GET", "/v1/assignments/00000000-0000-0000-0000-000000000000/1/answer", 405),
        ("DELETE", "/v1/assignments/00000000-0000-0000-0000-000000000000/1", 405),
        ("POST", "/v1/assignments/00000000-0000-0000-0000-000000000000/1/answer/", 404),
        ("POST", "/v1/assignments/00000000-0000-0000-0000-000000000000/1/answer", 401),
    ],
)
async def test_every_refusal_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    async with client.session.request(method, client.url + path, data=b"{}", allow_redirects=False) as response:
        problem = await response.json(content_type="application/problem+json")
        assert (response.status, problem["status"]) == (status, status)
        assert ("allow" in response.headers) == (status == 405)


async def test_a_compressed_answer_is_refused(client: Client, endpoint: Endpoint, lead: Lead) -> None:
    headers = {"content-encoding": "gzip"}
    status, problem = await client.answer(endpoint, lead.lead_id, 1, b"\x1f\x8b\x08\x00", headers=headers)
    assert (status, problem["status"]) == (415, 415)


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"answer": "maybe"}, "answer", "must be one of accepted, declined, outcome"),
        ({"answer": "undeliverable"}, "answer", "must be one of accepted, declined, outcome"),
        ({"answer": None}, "answer", "must be one of accepted, declined, outcome"),
        ({"answer": ["accepted"]}, "answer", "must be one of accepted, declined, outcome"),
        ({}, "answer", "must be one of accepted, declined, outcome"),
        (DECLINE | {"decline_reason": "tired"}, "decline_reason", "must be one of no_staff, no_vehicle, too_far"),
        (DECLINE | {"decline_reason": 7}, "decline_reason", "must be one of no_staff, no_vehicle, too_far"),
        (WON | {"result": "draw"}, "result", "must be one of won, lost, unreachable, invalid"),
        ({"answer": "outcome"}, "result", "must be one of won, lost, unreachable, invalid"),
        (ACCEPT | {"result": "won"}, "result", "does not belong to this answer"),
        (ACCEPT | {"+86 139 0000 0000": 1}, "body", "a field that no answer has"),
        ([], "body", "must be a JSON object"),
        (b"{", "body", "must be a JSON object"),
        (b"", "body", "must be a JSON object"),
    ],
    ids=str,
)
async def test_what_an_answer_may_say_is_told_in_words(
    client: Client, endpoint: Endpoint, lead: Lead, body: object, field: str, reason: str
) -> None:
    status, problem = await client.answer(endpoint, lead.lead_id, 1, body)
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == [field]
    assert reason in problem["errors"][0]["reason"]
    for python in ("<", "Answer.", "Enum", "tag", "139"):
        assert python not in str(problem["errors"])
