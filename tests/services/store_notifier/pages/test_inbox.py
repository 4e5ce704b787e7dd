"""The inbox without scripts: what is shown, answers, and what is refused."""

import re

import pytest

from services.store_notifier.pages.guard import HEADERS
from shared.contracts import Vehicle
from shared.vocabulary import Intent
from tests.services.store_notifier.pages.visitor import Visitor
from tests.services.store_notifier.pages.world import Lead, World


async def test_a_card_shows_what_the_store_needs_to_decide(world: World) -> None:
    site = await world.open_site()
    await world.assign(
        site, intent=Intent.BODY_REPAIR, distance_m=350, vehicle=Vehicle(brand="Waypost", model="Model One", year=2026)
    )
    visitor = await Visitor.logged_in(world, site)

    page = (await visitor.get()).text

    for words in ("Body repair", "Waypost Model One 2026", "350 m", "Answer by", "New"):
        assert words in page


@pytest.mark.parametrize("path", ["", "/login", "/events", "/leads/none"])
async def test_every_answer_carries_the_protective_headers(world: World, path: str) -> None:
    site = await world.open_site()

    answer = await Visitor(world, site).get(site.path + path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


async def test_the_page_holds_no_inline_script_or_style(world: World) -> None:
    site = await world.open_site()
    await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    page = (await visitor.get()).text

    assert re.findall(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|javascript:|https?://", page) == []


async def test_accepting_is_recorded_published_and_shown(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    answer = await visitor.answer(lead, "accepted")

    assert (answer.status, answer.headers["location"]) == (303, f"{site.path}#{lead.anchor}")
    assert await visitor.state_of(lead) == "accepted"
    assert await world.answered_facts(lead) == ["accepted"]


async def test_accepting_twice_counts_once(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    answers = [await visitor.answer(lead, "accepted") for _ in range(2)]

    assert [answer.status for answer in answers] == [303, 303]
    assert await world.answered_facts(lead) == ["accepted"]


async def test_declining_needs_one_of_the_reasons(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    without = await visitor.answer(lead, "declined")
    invented = await visitor.answer(lead, "declined", decline_reason="the customer Mr Test was rude")
    given = await visitor.answer(lead, "declined", decline_reason="no_staff")

    assert [without.status, invented.status, given.status] == [400, 400, 303]
    assert await visitor.state_of(lead) == "declined"
    assert "Nobody is free in time" in (await visitor.get()).text


async def test_an_outcome_closes_an_accepted_lead(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    too_early = await visitor.answer(lead, "outcome", result="won")
    await visitor.answer(lead, "accepted")
    reported = await visitor.answer(lead, "outcome", result="won")

    assert [too_early.status, reported.status] == [409, 303]
    assert await visitor.state_of(lead) == "closed"


async def test_who_is_late_is_told_how_the_lead_stands(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)
    await world.move_on(lead)

    answer = await visitor.answer(lead, "accepted")

    assert answer.status == 409
    assert "moved on to another site. Please do not call" in answer.text
    assert await visitor.state_of(lead) == "moved_on"
    assert await world.answered_facts(lead) == []


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_without_its_token_changes_nothing(world: World, token: str) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    answer = await visitor.post(f"{lead.path}/answer", {"csrf": token, "answer": "accepted"})

    assert answer.status == 403
    assert await visitor.state_of(lead) == "new"


async def test_a_form_from_another_site_changes_nothing(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)
    fields = {"csrf": await visitor.csrf(), "answer": "accepted"}

    answer = await visitor.post(f"{lead.path}/answer", fields, sec_fetch_site="cross-site")

    assert answer.status == 403
    assert await visitor.state_of(lead) == "new"


@pytest.mark.parametrize("epoch", [0, 2, 2**31, 10**30])
async def test_an_assignment_that_the_site_never_had_is_not_found(world: World, epoch: int) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    lead = Lead((await world.assign(site)).lead_id, epoch, site.site_id)

    assert (await visitor.answer(lead, "accepted")).status == 404
    assert (await visitor.show_contact(lead)).status == 404


async def test_a_store_cannot_speak_for_the_notifier(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    assert (await visitor.answer(lead, "undeliverable")).status == 400


async def test_the_page_speaks_the_browsers_language_or_the_chosen_one(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    visitor.language = "zh-CN,zh;q=0.9"

    chinese = await visitor.get()
    chosen = await visitor.get(f"{site.path}?lang=en")
    visitor.cookie += "; " + chosen.headers["set-cookie"].split(";")[0]
    english = await visitor.get()

    assert '<html lang="zh-Hans">' in chinese.text
    assert "待答复" in chinese.text
    assert chosen.status == 303
    assert "To answer" in english.text


async def test_assets_are_cached_under_their_version_only(world: World) -> None:
    site = await world.open_site()
    visitor = Visitor(world, site)
    page = (await visitor.get(f"{site.path}/login")).text
    found = re.search(r'href="(/inbox/-/\w+/inbox\.css)"', page)
    assert found is not None

    current = await visitor.get(found[1])
    outdated = await visitor.get("/inbox/-/0ld/inbox.css")
    outside = [await visitor.get(f"/inbox/-/x/{name}") for name in ("..%2froutes.py", "none.css", ".")]

    parts = [await visitor.get(found[1], range=part) for part in ("bytes=0-1", "bytes=none", "bytes=" + "0-1," * 1_000)]

    assert {(answer.status, answer.text) for answer in parts} == {(200, current.text)}
    assert current.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in current.headers["cache-control"]
    assert (outdated.status, outdated.headers["cache-control"]) == (200, "no-store")
    assert [answer.status for answer in outside] == [404, 404, 404]


async def test_what_does_not_exist_is_a_page_that_says_so(world: World) -> None:
    visitor = Visitor(world, await world.open_site())

    answer = await visitor.get("/inbox/NOT-A-SITE")

    assert answer.status == 404
    assert "There is no such lead" in answer.text


@pytest.mark.parametrize("epoch", ["0", "2147483648", "x", "%D9%A1", "7" * 5_000])
async def test_an_epoch_that_nobody_ever_had_is_not_found(world: World, epoch: str) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)
    lead = await world.assign(site)
    fields = {"csrf": await visitor.csrf(), "answer": "accepted"}

    for what in ("answer", "contact"):
        answer = await visitor.post(f"{site.path}/leads/{lead.lead_id}/{epoch}/{what}", fields)
        assert answer.status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/-/x/" + "a" * 5_000,
        "/-/x/%00",
        "/-/x/..",
        "/-/" + "7" * 5_000 + "/none.css",
        "/" + "a" * 5_000,
        "/%00",
        "/%ff",
        "/../../etc/passwd",
    ],
)
async def test_odd_paths_lead_nowhere(world: World, path: str) -> None:
    visitor = Visitor(world, await world.open_site())

    assert (await visitor.get("/inbox" + path)).status == 404


@pytest.mark.parametrize(
    "query", ["after=" + "7" * 5_000, "after=-1", "after=x", "after=%D9%A1", "after=", "after=1&after=2"]
)
async def test_odd_places_to_go_on_do_no_harm(world: World, query: str) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)

    url = f"{world.url}{site.path}/events?{query}"
    async with world.client.get(url, headers=visitor.headers | {"last-event-id": "7" * 5_000}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("DELETE", "", 405), ("PUT", "/login", 405), ("GET", "/logout", 405), ("GET", "/nothing", 404), ("GET", "/", 404)],
)
async def test_programs_get_problems_and_people_get_pages(world: World, method: str, path: str, status: int) -> None:
    site = await world.open_site()
    url = world.url + site.path + path
    for accept, kind in (
        ("application/json", "application/problem+json"),
        ("application/problem+json, */*;q=0.1", "application/problem+json"),
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8"),
    ):
        async with world.client.request(method, url, headers={"accept": accept}, allow_redirects=False) as response:
            assert (response.status, response.headers["content-type"]) == (status, kind)
            assert "location" not in response.headers
            assert ("allow" in response.headers) == (status == 405)
