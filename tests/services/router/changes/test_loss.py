"""A file with a part of the sites is no network: many open sites are never taken away unless their number is said."""

from dataclasses import replace

import pytest

from services.router.changes.change import Kind, State
from services.router.changes.due import put_due_into_effect
from services.router.changes.rules import ChangeRefused
from services.router.network import apply_next
from services.router.rollback import roll_back
from services.router.sites import Site, diff_networks, loss_of
from shared.postgres import transact
from shared.vocabulary import SiteStatus
from tests.services.router.changes.world import rows, two_people
from tests.services.router.networks import site
from tests.services.router.world import World, in_minutes

SITES = tuple(site(f"s{number:02}") for number in range(20))
CLOSED = tuple(replace(one, status=SiteStatus.CLOSED) for one in SITES)
LOST = "19 of 20 open sites would get no leads any more: s01, s02, s03 and 16 more"


@pytest.mark.parametrize(
    ("after", "lost", "is_large"),
    [
        (SITES, 0, False),
        (SITES[:19], 1, False),
        (SITES[:18], 2, False),
        (SITES[:17], 3, True),
        (SITES[:1], 19, True),
        (CLOSED, 20, True),
        ((*CLOSED[:3], *SITES[3:]), 3, True),
        (tuple(site(f"other-{number}") for number in range(40)), 20, True),
    ],
)
def test_more_than_a_tenth_of_the_open_sites_is_much(after: tuple[Site, ...], lost: int, is_large: bool) -> None:
    found = loss_of(SITES, diff_networks(SITES, after))
    assert (len(found.site_ids), found.of, found.is_large) == (lost, 20, is_large)


def test_the_first_network_and_a_single_site_are_no_loss_and_closed_sites_may_go() -> None:
    assert not loss_of((), diff_networks((), SITES)).is_large
    assert not loss_of(SITES[:2], diff_networks(SITES[:2], SITES[:1])).is_large
    assert not loss_of(CLOSED, diff_networks(CLOSED, SITES[:1])).is_large


async def imported(world: World, *sites: Site) -> None:
    """Another network takes effect, past everybody."""
    await transact(world.pool, lambda connection: apply_next(connection, sites, in_minutes(1)))


async def revisions(world: World) -> int:
    [(newest,)] = await world.rows("SELECT max(revision) FROM router.network_revisions")
    assert isinstance(newest, int)
    return newest


async def test_one_person_says_the_number_or_nothing_happens(world: World) -> None:
    people = await two_people(world, *SITES)
    await people.ask(Kind.TWO_PERSON, "off", by="ann")
    await people.approve(4, by="ben")
    with pytest.raises(ChangeRefused, match=LOST) as refused:
        await people.ask(Kind.NETWORK, rows(SITES[0]), minute=3)
    assert "add --yes-remove 19" in refused.value.hint
    with pytest.raises(ChangeRefused, match="--yes-remove says 18, and 19 of 20 open sites"):
        await people.ask(Kind.NETWORK, rows(SITES[0]), minute=3, yes_remove=18)
    assert await revisions(world) == 1

    done = await people.ask(Kind.NETWORK, rows(SITES[0]), minute=4, yes_remove=19)

    assert done.is_in_effect
    assert done.change is not None
    assert any(LOST in finding for finding in done.change.findings)
    assert await revisions(world) == 2


async def test_going_back_to_few_sites_is_asked_back_too(world: World) -> None:
    await world.set_up(SITES[0])
    await imported(world, *SITES)
    with pytest.raises(ChangeRefused, match=LOST):
        await transact(world.pool, lambda one: roll_back(one, Kind.NETWORK, 1, "", in_minutes(1)))
    done = await transact(world.pool, lambda one: roll_back(one, Kind.NETWORK, 1, "", in_minutes(1), 19))
    assert done.submitted.is_in_effect


async def test_the_second_person_reads_the_loss_that_the_first_has_said(world: World) -> None:
    people = await two_people(world, *SITES)
    with pytest.raises(ChangeRefused, match=LOST):
        await people.ask(Kind.NETWORK, rows(SITES[0]), by="ann")
    proposed = (await people.ask(Kind.NETWORK, rows(SITES[0]), by="ann", yes_remove=19)).change
    assert proposed is not None
    assert f"warning: network: {LOST}" in proposed.findings

    approved = await people.approve(proposed.change_id, by="ben")

    assert approved.change.state is State.IN_EFFECT


async def test_a_loss_that_has_grown_since_is_asked_back_from_who_approves(world: World) -> None:
    people = await two_people(world, *SITES[:2])
    proposed = (await people.ask(Kind.NETWORK, rows(SITES[0]), by="ann")).change
    assert proposed is not None
    await imported(world, *SITES)
    with pytest.raises(ChangeRefused, match=LOST):
        await people.approve(proposed.change_id, by="ben", even_if_changed=True)
    done = await people.approve(proposed.change_id, by="ben", even_if_changed=True, yes_remove=19)
    assert done.change.state is State.IN_EFFECT


async def test_a_loss_that_nobody_has_seen_does_not_come_at_its_time(world: World) -> None:
    people = await two_people(world, *SITES[:2])
    await people.ask(Kind.TWO_PERSON, "off", by="ann")
    await people.approve(4, by="ben")
    waiting = (await people.ask(Kind.NETWORK, rows(SITES[0]), minute=3, at=in_minutes(9), even_if_changed=True)).change
    assert waiting is not None
    await imported(world, *SITES)

    [ended] = await put_due_into_effect(world.pool, in_minutes(10))

    assert (ended.change_id, ended.state) == (waiting.change_id, State.REFUSED)
    assert LOST in (ended.refusal or "")
