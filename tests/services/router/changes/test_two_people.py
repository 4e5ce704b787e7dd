"""Two people make a change, on the real PostgreSQL."""

import pytest

from services.router import network, policies
from services.router.changes.change import Kind, State
from services.router.changes.rules import ChangeRefused
from shared.contracts import NETWORK_CHANGED, POLICIES_PUBLISHED
from shared.errors import UserError
from tests.services.router.changes.world import SEVEN, SIX, rows, two_people
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import World, in_minutes


async def test_a_policy_takes_effect_when_a_second_operator_approves_and_both_names_stay(world: World) -> None:
    people = await two_people(world, site("a"))
    proposed = (await people.ask(Kind.POLICY, SIX, by="ann")).change
    assert proposed is not None
    assert (proposed.change_id, proposed.state, proposed.base) == (4, State.PROPOSED, 1)
    assert await world.rows("SELECT max(version) FROM router.policies") == [(1,)]

    approved = await people.approve(4, by="ben")
    assert (approved.change.state, approved.change.became) == (State.IN_EFFECT, 2)
    kept = "SELECT toml, published_at, change_id, published_by, approved_by FROM router.policies WHERE version = 2"
    assert await world.rows(kept) == [(SIX, in_minutes(2), 4, "ann", "ben")]
    assert await people.one(4) == approved.change
    assert await world.rows("SELECT content FROM router.changes WHERE change_id = 4") == [(None,)]
    [(value,)] = await world.rows(
        "SELECT value FROM router.announcements WHERE topic = $1 ORDER BY created_at DESC LIMIT 1",
        POLICIES_PUBLISHED.name,
    )
    told = POLICIES_PUBLISHED.read(value).data
    assert (told.version, told.change_id, told.published_by, told.approved_by) == (2, 4, "ann", "ben")


async def test_a_network_takes_effect_the_same_way(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.ask(Kind.NETWORK, rows(site("a"), site("b")), by="ben")
    approved = await people.approve(4, by="ann")
    assert approved.effect.difference is not None
    assert [one.site_id for one in approved.effect.difference.diff.added] == ["b"]
    assert await world.rows(
        "SELECT change_id, published_by, approved_by FROM router.network_revisions WHERE revision = 2"
    ) == [(4, "ben", "ann")]
    [(value,)] = await world.rows(
        "SELECT value FROM router.announcements WHERE topic = $1 ORDER BY created_at DESC LIMIT 1", NETWORK_CHANGED.name
    )
    told = NETWORK_CHANGED.read(value).data
    assert (told.revision, told.published_by, told.approved_by) == (2, "ben", "ann")


async def test_nobody_approves_alone_by_any_key(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.ask(Kind.POLICY, SIX, by="ann")
    with pytest.raises(ChangeRefused, match="ann proposed change 4 and cannot approve it too"):
        await people.approve(4, by="ann")
    with pytest.raises(ChangeRefused, match="you gave no key"):
        await people.approve(4)
    with pytest.raises(ChangeRefused, match="two people make every change here, and you gave no key"):
        await people.ask(Kind.POLICY, SEVEN)
    with pytest.raises(UserError, match="two people make every change here"):
        await policies.publish(world.pool, SEVEN, in_minutes(3))
    with pytest.raises(UserError, match="two people make every change here"):
        await network.apply(world.pool, (site("b"),), in_minutes(3))
    assert (await people.one(4)).state is State.PROPOSED
    assert await world.rows("SELECT max(version) FROM router.policies") == [(1,)]


async def test_a_wrong_key_and_a_disabled_operators_are_refused_in_the_same_words(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.add("cleo", by="ann", minute=1)
    await people.approve(4, by="ben")
    await people.ask(Kind.POLICY, SIX, by="ann", minute=3)
    await people.approve(5, by="cleo", minute=4)
    await people.ask(Kind.POLICY, SEVEN, by="ann", minute=5)
    await people.disable("cleo", by="ben", minute=6)
    people.keys["nobody"] = "wpo_" + "A" * 43
    refusals = []
    for name in ("cleo", "nobody"):
        with pytest.raises(UserError) as refused:
            await people.approve(6, by=name, minute=7)
        refusals.append((refused.value.message, refused.value.hint))
    assert refusals[0] == refusals[1]
    assert refusals[0][0] == "the key in WAYPOST_OPERATOR_KEY is not accepted"
    assert (await people.one(6)).state is State.PROPOSED


async def test_the_rule_is_switched_off_by_two_people_and_on_by_one(world: World) -> None:
    people = await two_people(world, site("a"))
    assert await people.two_person()
    await people.ask(Kind.TWO_PERSON, "off", by="ann")
    assert await people.two_person()
    with pytest.raises(ChangeRefused, match="cannot approve it too"):
        await people.approve(4, by="ann")
    await people.approve(4, by="ben")
    assert not await people.two_person()
    await people.ask(Kind.POLICY, SIX, minute=3)
    assert await world.rows("SELECT published_by FROM router.policies WHERE version = 2") == [(None,)]
    await people.ask(Kind.TWO_PERSON, "on", by="ben", minute=4)
    assert await people.two_person()
    assert (await people.ask(Kind.TWO_PERSON, "on", by="ben", minute=5)).change is None


async def test_the_rule_needs_two_operators_and_they_cannot_be_taken_away(world: World) -> None:
    people = await two_people(world, site("a"))
    with pytest.raises(ChangeRefused, match="without ben nobody could approve"):
        await people.disable("ben", by="ann")
    await people.add("cleo", by="ann")
    assert await world.rows("SELECT count(*) FROM router.operators") == [(2,)]
    await people.approve(4, by="ben")
    await people.disable("ben", by="cleo", minute=3)
    assert await world.rows("SELECT operator FROM router.operators WHERE disabled_at IS NULL ORDER BY 1") == [
        ("ann",),
        ("cleo",),
    ]
    with pytest.raises(UserError, match="no operator ben whose key is accepted"):
        await people.disable("ben", by="cleo", minute=3)


async def test_one_operator_is_too_few_for_the_rule(world: World) -> None:
    people = await two_people(world, site("a"))
    await world.db.execute("TRUNCATE router.changes, router.operators")
    await people.add("ann")
    with pytest.raises(ChangeRefused, match="needs 2 operators, and there is 1"):
        await people.ask(Kind.TWO_PERSON, "on", by="ann")
    with pytest.raises(ChangeRefused, match="only operators may do this"):
        await people.add("ben")
    people.keys["first"] = people.keys["ann"]
    with pytest.raises(ChangeRefused, match="there is an operator ann already"):
        await people.add("ann", by="first")


async def test_a_disabled_operator_comes_back_with_a_new_key_only(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.add("cleo", by="ann")
    await people.approve(4, by="ben")
    await people.disable("cleo", by="ann", minute=3)
    old = people.keys["cleo"]
    await people.add("cleo", by="ann", minute=4)
    await people.approve(5, by="ben", minute=5)
    await people.ask(Kind.POLICY, SIX, by="cleo", minute=6)
    assert (await people.one(6)).proposed_by == "cleo"
    people.keys["cleo"] = old
    with pytest.raises(UserError, match="is not accepted"):
        await people.withdraw(6, by="cleo", minute=7)


async def test_a_proposal_that_would_undo_what_came_between_says_so_at_its_approval(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.ask(Kind.POLICY, SIX, by="ann")
    await people.ask(Kind.POLICY, SEVEN, by="ben")
    await people.approve(4, by="ben")
    with pytest.raises(ChangeRefused, match="change 5 was made on policy version 1, and 2 is in effect"):
        await people.approve(5, by="ann", minute=3)
    assert (await people.one(5)).state is State.PROPOSED
    done = await people.approve(5, by="ann", minute=4, even_if_changed=True)
    assert done.change.became == 3
    with pytest.raises(ChangeRefused, match="whoever approves a change says --even-if-changed"):
        await people.ask(Kind.POLICY, DEFAULT_POLICY, by="ann", minute=5, even_if_changed=True)


async def test_the_same_wish_is_proposed_once_and_a_retry_of_it_finds_it(world: World) -> None:
    people = await two_people(world, site("a"))
    first = await people.ask(Kind.POLICY, SIX, by="ann")
    again = await people.ask(Kind.POLICY, SIX, by="ann")
    assert again.change == first.change
    with pytest.raises(ChangeRefused, match="change 4 asks for the same and is proposed"):
        await people.ask(Kind.POLICY, SIX, by="ben")
    approved = await people.approve(4, by="ben")
    assert (await people.approve(4, by="ben")).change == approved.change
    with pytest.raises(ChangeRefused, match="change 4 is in effect already"):
        await people.approve(4, by="ben", minute=9)
    assert (await people.ask(Kind.POLICY, SIX, by="ann", minute=9)).change is None
    assert await world.rows("SELECT max(version) FROM router.policies") == [(2,)]


async def test_a_withdrawn_change_is_over(world: World) -> None:
    people = await two_people(world, site("a"))
    await people.ask(Kind.POLICY, SIX, by="ann")
    ended = await people.withdraw(4, by="ben")
    assert (ended.state, ended.withdrawn_by, ended.ended_at) == (State.WITHDRAWN, "ben", in_minutes(2))
    assert await people.withdraw(4, by="ben") == ended
    with pytest.raises(ChangeRefused, match="change 4 is withdrawn already"):
        await people.approve(4, by="ben", minute=3)
    with pytest.raises(UserError, match="there is no change 9"):
        await people.withdraw(9, by="ben")


async def test_an_administrator_of_postgresql_starts_anew_when_the_keys_are_lost(world: World) -> None:
    people = await two_people(world, site("a"))
    await world.db.execute("UPDATE router.changes SET state = 'withdrawn' WHERE kind = 'two_person'")
    await world.db.execute("UPDATE router.operators SET disabled_at = now() WHERE disabled_at IS NULL")
    assert not await people.two_person()
    await people.add("cleo", minute=5)
    await people.ask(Kind.POLICY, SIX, by="cleo", minute=6)
    assert await world.rows("SELECT published_by FROM router.policies WHERE version = 2") == [("cleo",)]
