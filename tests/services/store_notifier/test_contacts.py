"""Who gets the contact of a lead, and how often."""

import asyncio

import pytest

from shared.postgres import Pool
from tests.services.store_notifier.serving import CONTACT, Client, Intake
from tests.services.store_notifier.setting_up import OTHER_SITE, SITE, Endpoint, handle
from tests.services.store_notifier.world import Lead

ACCEPT = {"answer": "accepted"}
DECLINE = {"answer": "declined", "decline_reason": "no_staff"}
WON = {"answer": "outcome", "result": "won"}


async def test_the_contact_is_given_once_to_the_holder(
    client: Client, intake: Intake, endpoint: Endpoint, lead: Lead
) -> None:
    status, contact = await client.contact(endpoint, lead.lead_id, 1)
    assert (status, contact) == (200, CONTACT)
    ((asked),) = intake.asked
    assert asked | {"nonce": ""} == {
        "lead_id": str(lead.lead_id),
        "site_id": SITE,
        "epoch": 1,
        "nonce": "",
        "via": "webhook",
    }
    status, problem = await client.contact(endpoint, lead.lead_id, 1)
    assert (status, problem["title"]) == (410, "Gone")
    assert len(intake.asked) == 1


async def test_of_ten_fetches_at_once_one_gets_the_contact(
    client: Client, intake: Intake, endpoint: Endpoint, lead: Lead
) -> None:
    got = await asyncio.gather(*(client.contact(endpoint, lead.lead_id, 1) for _ in range(10)))
    assert [contact for status, contact in got if status == 200] == [CONTACT]
    assert {status for status, _ in got} <= {200, 410, 503}
    assert len(intake.asked) == 1


@pytest.mark.parametrize("broken", [500, 503, 401])
async def test_a_fetch_that_intake_could_not_serve_may_be_repeated(
    client: Client, intake: Intake, endpoint: Endpoint, lead: Lead, broken: int
) -> None:
    intake.status = broken
    assert (await client.contact(endpoint, lead.lead_id, 1))[0] == 503
    intake.status = 200
    assert (await client.contact(endpoint, lead.lead_id, 1))[0] == 200


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"[]", b"null", b"\xff", b'"' + b"x" * 200_000 + b'"'], ids=lambda b: b[:4]
)
async def test_an_answer_of_intake_that_is_none_is_asked_for_again(
    client: Client, intake: Intake, endpoint: Endpoint, lead: Lead, garbage: bytes
) -> None:
    intake.body = garbage
    assert (await client.contact(endpoint, lead.lead_id, 1))[0] == 503
    intake.body = None
    assert (await client.contact(endpoint, lead.lead_id, 1))[0] == 200


async def test_the_contact_of_an_erased_person_is_gone(
    client: Client, intake: Intake, endpoint: Endpoint, lead: Lead
) -> None:
    intake.status = 404
    assert (await client.contact(endpoint, lead.lead_id, 1))[0] == 410


@pytest.mark.parametrize("how", ["moved on", "declined", "erased"])
async def test_who_does_not_hold_the_lead_gets_no_contact(
    pool: Pool, client: Client, intake: Intake, endpoint: Endpoint, lead: Lead, how: str
) -> None:
    match how:
        case "moved on":
            await handle(pool, lead.assigned(OTHER_SITE))
        case "declined":
            await client.answer(endpoint, lead.lead_id, 1, DECLINE)
        case "erased":
            await handle(pool, lead.erased())
    status, problem = await client.contact(endpoint, lead.lead_id, 1)
    assert (status, problem["current"]["held_by_you"]) == (409, False)
    assert intake.asked == []


async def test_who_accepted_still_gets_the_contact(pool: Pool, client: Client, endpoint: Endpoint, lead: Lead) -> None:
    await client.answer(endpoint, lead.lead_id, 1, ACCEPT)
    await handle(pool, lead.accepted(SITE, 1))
    assert (await client.contact(endpoint, lead.lead_id, 1)) == (200, CONTACT)
