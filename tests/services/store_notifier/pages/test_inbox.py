"""The inbox without scripts: log-in, what is shown, answers, contacts, and what is refused."""

import hashlib
import re

import pytest

from services.store_notifier import endpoints
from services.store_notifier.pages.guard import HEADERS
from shared.contracts import LEADS_ANSWERED, Vehicle
from shared.vocabulary import Intent
from tests.services.store_notifier.pages.visitor import Visitor
from tests.services.store_notifier.pages.world import CONTACT, Lead, World, now


async def answered_facts(world: World, lead: Lead) -> list[str]:
    rows = await world.pool.fetch(
        "SELECT value FROM outbox WHERE key = $1 AND topic = $2", str(lead.lead_id).encode(), LEADS_ANSWERED.name
    )
    return [LEADS_ANSWERED.read(row["value"]).data.answer for row in rows]


async def test_the_inbox_asks_for_its_key_first(world: World) -> None:
    site = await world.open_site()
    stranger = Visitor(world, site)

    page, refused = await stranger.get(), await stranger.log_in("not the key")

    assert (page.status, page.headers["location"]) == (303, f"{site.path}/login")
    assert refused.status == 403
    assert "does not open the inbox" in refused.text
    assert "set-cookie" not in refused.headers


async def test_the_key_gives_a_cookie_that_scripts_and_other_sites_cannot_use(world: World) -> None:
    site = await world.open_site()
    visitor = Visitor(world, site)

    answer = await visitor.log_in(site.key)

    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", f"path={site.path}"} <= attributes
    assert (await visitor.get()).status == 200


async def test_postgresql_keeps_only_the_hash_of_a_log_in(world: World) -> None:
    visitor = await Visitor.logged_in(world, await world.open_site())
    token = visitor.cookie.partition("=")[2]

    rows = await world.pool.fetch("SELECT * FROM inbox_sessions WHERE site_id = $1", visitor.site.site_id)

    assert [row["token_sha256"] for row in rows] == [hashlib.sha256(token.encode()).digest()]
    assert token not in str(rows)


async def test_a_log_in_opens_one_site_only(world: World) -> None:
    mine, other = await world.open_site(), await world.open_site()
    lead = await world.assign(other)
    visitor = await Visitor.logged_in(world, mine)
    csrf = await visitor.csrf()

    page = await visitor.get(other.path)
    answer = await visitor.post(f"{lead.path}/answer", {"csrf": csrf, "answer": "accepted"})
    crossed = lead.path.replace(other.site_id, mine.site_id)
    under_own_name = await visitor.post(f"{crossed}/answer", {"csrf": csrf, "answer": "accepted"})

    assert page.status == answer.status == 303
    assert under_own_name.status == 404
    assert await answered_facts(world, lead) == []


async def test_a_rotated_key_ends_its_log_ins(world: World) -> None:
    site = await world.open_site()
    visitor = await Visitor.logged_in(world, site)

    await endpoints.rotate(
        world.pool, endpoints.inbox_endpoint_id(site.site_id), key=bytes(32), random_bytes=lambda n: b"r" * n, now=now()
    )

    assert (await visitor.get()).status == 303
    assert (await visitor.log_in(site.key)).status == 403


async def test_a_log_in_ends_after_the_working_day(world: World) -> None:
    visitor = await Visitor.logged_in(world, await world.open_site())

    await world.pool.execute(
        "UPDATE inbox_sessions SET expires_at = now() - interval '1 second' WHERE site_id = $1", visitor.site.site_id
    )

    assert (await visitor.get()).status == 303


async def test_logging_out_ends_the_log_in_everywhere(world: World) -> None:
    visitor = await Visitor.logged_in(world, await world.open_site())

    answer = await visitor.post(f"{visitor.site.path}/logout", {"csrf": await visitor.csrf()})

    assert answer.status == 303
    assert (await visitor.get()).headers["location"].endswith("/login?expired")


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
    assert await answered_facts(world, lead) == ["accepted"]


async def test_accepting_twice_counts_once(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)

    answers = [await visitor.answer(lead, "accepted") for _ in range(2)]

    assert [answer.status for answer in answers] == [303, 303]
    assert await answered_facts(world, lead) == ["accepted"]


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
    assert await answered_facts(world, lead) == []


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


async def test_a_contact_is_shown_to_who_asks_and_each_time_recorded(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)
    before = (await visitor.get()).text

    shown = [await visitor.show_contact(lead) for _ in range(2)]

    assert CONTACT["phone"] not in before
    for answer in shown:
        assert answer.status == 200
        assert 'href="tel:+8613800000000">+86 138 0000 0000<' in answer.text
        assert "Test &lt;b&gt;Person&lt;/b&gt;" in answer.text
    reveals = [reveal for reveal in world.intake.reveals if reveal["lead_id"] == str(lead.lead_id)]
    assert [(reveal["site_id"], reveal["epoch"], reveal["via"]) for reveal in reveals] == [
        (site.site_id, 1, "inbox")
    ] * 2
    assert CONTACT["phone"] not in (await visitor.get()).text


async def test_a_contact_is_closed_to_a_store_that_lost_the_lead(world: World) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)
    await world.move_on(lead)

    answer = await visitor.show_contact(lead)

    assert answer.status == 409
    assert "does not hold this lead any more" in answer.text
    assert CONTACT["phone"] not in answer.text
    assert str(lead.lead_id) not in str(world.intake.reveals)


@pytest.mark.parametrize(("status", "words"), [(404, "was erased"), (500, "cannot be read at this moment")])
async def test_a_contact_that_intake_cannot_give_is_explained(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    visitor = await Visitor.logged_in(world, site)
    monkeypatch.setattr(world.intake, "status", status)

    assert words in (await visitor.show_contact(lead)).text


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

    assert "immutable" in current.headers["cache-control"]
    assert (outdated.status, outdated.headers["cache-control"]) == (200, "no-store")
    assert [answer.status for answer in outside] == [404, 404, 404]


async def test_what_does_not_exist_is_a_page_that_says_so(world: World) -> None:
    visitor = Visitor(world, await world.open_site())

    answer = await visitor.get("/inbox/NOT-A-SITE")

    assert answer.status == 404
    assert "There is no such lead" in answer.text
