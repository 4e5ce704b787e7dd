"""A contact is shown to the person who asks for it, and to nobody else."""

import pytest

from tests.services.store_notifier.pages.intake import CONTACT
from tests.services.store_notifier.pages.visitor import Visitor
from tests.services.store_notifier.pages.world import World


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
