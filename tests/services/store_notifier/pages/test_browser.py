"""The page in a real browser: a day at the counter. Pictures are kept in artifacts/inbox/."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.store_notifier import endpoints
from shared.contracts import Vehicle
from shared.vocabulary import Intent
from tests.services.store_notifier.pages.browser import PHONE, Browser, chromium
from tests.services.store_notifier.pages.intake import CONTACT
from tests.services.store_notifier.pages.world import World, now

do = asyncio.to_thread
"""Selenium blocks, and the page's server runs on this loop."""

MARK_PAGE = "window.neverReloaded = true"
IS_SAME_PAGE = "return window.neverReloaded === true"
PHONE_LINK = f"a[href='tel:{CONTACT['phone']}']"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("desktop")) as browser:
        yield browser


async def test_a_lead_arrives_is_called_accepted_and_won_without_a_reload(world: World, browser: Browser) -> None:
    site = await world.open_site()
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)
    await do(browser.run, MARK_PAGE)

    lead = await world.assign(site, vehicle=Vehicle(brand="Waypost", model="Model One", year=2026))
    await do(browser.until_state, lead, "new")
    announced, title = await do(browser.text, "#announcer"), await do(browser.title)
    countdown, cue = (
        await do(browser.text, f"#{lead.anchor} .left"),
        await do(browser.has, f"#{lead.anchor}.has-arrived"),
    )
    await do(browser.screenshot, "desktop-new")

    assert announced.startswith("New lead: Test drive, 1.2 km. Answer by")
    assert title.startswith("(1) ")
    assert countdown.endswith("left")
    assert cue
    assert CONTACT["phone"] not in await do(browser.source)

    await do(browser.press, lead, ".reveal button")
    await do(browser.until, f"#{lead.anchor} {PHONE_LINK}")
    await do(browser.screenshot, "desktop-contact")

    await do(browser.press, lead, "form:not(.reveal) .button-main")
    await do(browser.until, f"#in_progress #{lead.anchor}")
    # Whoever is on the phone with the customer keeps the number when the card changes.
    assert await do(browser.has, f"#{lead.anchor} {PHONE_LINK}")

    await do(browser.press, lead, "summary")
    await do(browser.press, lead, "input[value=won]")
    await do(browser.screenshot, "desktop-outcome")
    await do(browser.press, lead, ".more button")
    await do(browser.until, f"#earlier #{lead.anchor}[data-state=closed]")

    assert not await do(browser.has, ".contact")
    assert await do(browser.run, IS_SAME_PAGE)
    assert await do(browser.complaints) == []


async def test_a_lead_that_was_taken_away_greys_out_by_itself_and_settles(world: World, browser: Browser) -> None:
    site = await world.open_site()
    lost, kept = await world.assign(site, minutes=1), await world.assign(site, intent=Intent.PURCHASE)
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)

    await world.move_on(lost)
    await do(browser.until_state, lost, "moved_on")

    assert await do(browser.has, f"#to_answer #{lost.anchor}"), "it greys where the eye last saw it"
    assert not await do(browser.has, f"#{lost.anchor} form")
    assert "Moved on" in await do(browser.text, "#announcer")
    await do(browser.screenshot, "desktop-moved-on")
    await do(browser.until, f"#earlier #{lost.anchor}")
    assert await do(browser.text, "#to_answer .count") == "1"
    assert await do(browser.has, f"#to_answer #{kept.anchor}[data-state=new]")


async def test_a_lead_whose_time_is_running_out_says_so_and_keeps_what_was_begun(
    world: World, browser: Browser
) -> None:
    site = await world.open_site()
    slow, calm = await world.assign(site, reminded=True), await world.assign(site, intent=Intent.PURCHASE)
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)
    await do(browser.press, slow, "summary")
    await do(browser.press, slow, "input[value=too_far]")
    assert not await do(browser.has, ".hurry:not([hidden])")

    await world.remind()
    await do(browser.until, f"#{slow.anchor} .hurry:not([hidden])")

    assert (await do(browser.text, "#announcer")).startswith("Still to answer: Test drive. Answer by")
    assert await do(browser.has, f"#{slow.anchor} input[value=too_far]:checked")
    assert not await do(browser.has, f"#{calm.anchor} .hurry:not([hidden])")
    await do(browser.screenshot, "desktop-reminded")
    await do(browser.open, world.url + site.path)
    assert await do(browser.has, f"#{slow.anchor}[data-reminded] .hurry:not([hidden])"), "a new page shows it too"
    await do(browser.until_live)
    await do(browser.press, slow, "form:not(.reveal) .button-main")
    await do(browser.until_state, slow, "accepted")
    assert not await do(browser.has, f"#{slow.anchor} .hurry")
    assert await do(browser.complaints) == []


async def test_an_open_page_outlives_a_restart_of_the_service(world: World, browser: Browser) -> None:
    site = await world.open_site()
    first = await world.assign(site)
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)
    await do(browser.run, MARK_PAGE)

    await world.stop()
    await do(browser.until, "#live.is-lost")
    await do(browser.screenshot, "desktop-reconnecting")
    await do(browser.press, first, "form:not(.reveal) .button-main")
    await do(browser.until, f"#{first.anchor} .notice:not([hidden])")
    not_sent = await do(browser.text, f"#{first.anchor} .notice")
    missed = await world.assign(site, intent=Intent.MAINTENANCE)
    await world.start()
    await do(browser.until_state, missed, "new")
    await do(browser.until_live)
    await do(browser.press, first, "form:not(.reveal) .button-main")
    await do(browser.until_state, first, "accepted")

    assert not_sent.startswith("Not sent")
    assert await do(browser.run, IS_SAME_PAGE)


async def test_who_answers_too_late_is_told_on_the_card(world: World, browser: Browser) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)
    card = f"document.getElementById('{lead.anchor}')"
    await do(browser.run, f"window.asItWas = {card}.outerHTML")
    await world.move_on(lead)
    await do(browser.until_state, lead, "moved_on")
    # A page that has not heard yet: the person still has the card in front of them.
    await do(browser.run, f"{card}.outerHTML = window.asItWas")

    await do(browser.press, lead, "form:not(.reveal) .button-main")
    await do(browser.until, f"#{lead.anchor}[data-state=moved_on] .notice:not([hidden])")
    await do(browser.screenshot, "desktop-late")

    assert "moved on to another site. Please do not call" in await do(browser.text, f"#{lead.anchor} .notice")


async def test_the_keyboard_alone_is_enough(world: World, browser: Browser) -> None:
    site = await world.open_site()
    lead = await world.assign(site)
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)

    reached = await do(browser.tab_until, f"#{lead.anchor} summary")
    await do(browser.type, "\n")
    await do(browser.tab_until, f"#{lead.anchor} input[type=radio]")
    await do(browser.type, " ")
    await do(browser.tab_until, f"#{lead.anchor} .more button")
    await do(browser.type, "\n")
    await do(browser.until_state, lead, "declined")

    assert [text for text in ("Accept", "Show contact", "Decline") if text in reached] == [
        "Accept",
        "Show contact",
        "Decline",
    ]
    assert await do(browser.focus_is_in, f"#{lead.anchor}"), "the focus is not lost with the card that was replaced"


async def test_a_log_in_that_ends_takes_the_page_to_the_log_in(world: World, browser: Browser) -> None:
    site = await world.open_site()
    await do(browser.log_in, world.url, site)
    await do(browser.until_live)

    inbox_id = endpoints.inbox_endpoint_id(site.site_id)
    await endpoints.rotate(world.pool, inbox_id, key=bytes(32), random_bytes=lambda count: b"n" * count, now=now())
    await world.assign(site)

    await do(browser.until, "form.login [role=status]")


async def test_a_phone_in_chinese_shows_everything_without_scrolling_sideways(world: World, tmp_path: Path) -> None:
    site = await world.open_site()
    for intent, minutes in ((Intent.TEST_DRIVE, 15), (Intent.BODY_REPAIR, 1.5)):
        await world.assign(site, intent=intent, minutes=minutes, vehicle=Vehicle(brand="Waypost", model="Model One"))
    moved = await world.assign(site, intent=Intent.TRADE_IN)
    await world.move_on(moved)
    await world.assign(site, intent=Intent.MAINTENANCE, reminded=True)
    await world.remind()
    with chromium(tmp_path, size=PHONE, language="zh-CN") as phone:
        await do(phone.open, world.url + site.path)
        await do(phone.screenshot, "phone-log-in")
        await do(phone.log_in, world.url, site)
        await do(phone.until_live)
        await do(phone.run, "document.querySelector('summary').click()")
        await do(phone.screenshot, "phone-inbox")

        assert await do(phone.text, "#to_answer h2") == "待答复 3"
        assert await do(phone.run, "return document.documentElement.scrollWidth") == PHONE[0]
        assert await do(
            phone.run,
            "return [...document.querySelectorAll('.button')].every(b => b.offsetHeight >= 40 || b.offsetHeight === 0)",
        )
        assert await do(phone.complaints) == []


async def test_the_forms_work_where_scripts_do_not_run(world: World, tmp_path: Path) -> None:
    site = await world.open_site()
    accepted, declined = await world.assign(site), await world.assign(site, intent=Intent.PAINT_REPAIR)
    with chromium(tmp_path, scripts=False) as browser:
        await do(browser.log_in, world.url, site)
        assert not await do(browser.has, "#live:not([hidden])"), "scripts run in this browser"

        await do(browser.press, accepted, "form:not(.reveal) .button-main")
        await do(browser.until, f"#in_progress #{accepted.anchor}")
        await do(browser.press, accepted, ".reveal button")
        await do(browser.until, f"#{accepted.anchor} {PHONE_LINK}")
        await do(browser.screenshot, "no-scripts-contact")
        await do(browser.press, declined, "summary")
        await do(browser.press, declined, "input[value=too_far]")
        await do(browser.press, declined, ".more button")
        await do(browser.until, f"#earlier #{declined.anchor}[data-state=declined]")

        assert not await do(browser.has, PHONE_LINK)
