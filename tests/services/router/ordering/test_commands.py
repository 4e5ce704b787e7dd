"""`waypost queue` and `waypost order` on a ledger that a router wrote."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from services.router.domain import LeadLedger, LeadState, StaleReason
from services.router.ordering.wording import NEXT_TRY, WAITS, refusal
from services.verbs import app
from shared.contracts import LEADS_ORDERED, Answer, WaitingReason
from shared.errors import UserError
from shared.vocabulary import Capability, Intent
from tests.services.router.networks import DEFAULT_POLICY, site
from tests.services.router.world import Router, World, answered_record, as_records, received_record

SUZHOU = [
    site("near"),
    site("next", 31.4),
    site("full", 31.5, limit=1),
    site("service", 31.6, capabilities=[Capability.MAINTENANCE]),
]


@pytest.fixture
def waypost(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Waypost":
    """The command on the world's database, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WAYPOST_POSTGRES", world.settings.require_postgres())
    monkeypatch.setenv("COLUMNS", "240")
    world.clock.now = datetime.now(UTC).replace(microsecond=0)
    return Waypost()


class Waypost:
    """Runs `waypost ...`, apart from the loop of the test."""

    async def __call__(self, *arguments: str) -> str:
        """What the command prints; what it complains of is raised."""
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        # The router of the test logs into the same terminal.
        return "".join(line for line in result.stdout.splitlines(keepends=True) if "[info " not in line)

    async def json(self, *arguments: str) -> dict[str, Any]:
        """The same for machines."""
        told: dict[str, Any] = json.loads(await self(*arguments, "--json"))
        return told

    async def refused(self, *arguments: str) -> str:
        """What the command complains of."""
        with pytest.raises(UserError) as error:
            await self(*arguments)
        return f"{error.value.message} ({error.value.hint})"


@asynccontextmanager
async def at_work(world: World, router: Router) -> AsyncIterator[None]:
    """The router publishes and reads orders, as its process does."""
    handled = set(await world.published(LEADS_ORDERED))
    done = asyncio.Event()

    async def work() -> None:
        while not done.is_set():
            await router.timers.sweep()
            new = [value for value in await world.published(LEADS_ORDERED) if value not in handled]
            if new:
                await router.handle(*as_records(LEADS_ORDERED, new))
            handled.update(new)
            await asyncio.sleep(0.05)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        # Not cancelled: a client that is closing at that moment may swallow it, and the work would go on for ever.
        done.set()
        await task


def named(number: int) -> str:
    return str(UUID(int=number))


async def test_the_queue_shows_every_wait_with_reason_age_place_and_next_try(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU, policy=DEFAULT_POLICY.replace("before_person = 0", "before_person = 1"))
    assert await waypost("queue") == "No lead waits.\n"
    now = world.clock.now
    async with world.router() as router:
        await router.handle(
            received_record(601, None, at=now - timedelta(hours=3)),
            received_record(602, (39.9, 116.4), at=now - timedelta(days=3)),
            received_record(603, at=now - timedelta(days=2, hours=5)),
            answered_record(603, 1, "near", Answer.DECLINED),
        )

    told = await waypost.json("queue")
    assert [(one["lead_id"], one["reason"], one["tries"]) for one in told["waiting"]] == [
        (named(603), "needs_person", 1),
        (named(602), "too_far", 0),
        (named(601), "location_unclear", 0),
    ]
    assert [one["place"] for one in told["waiting"]] == ["City District", "about 1000 km north of City", None]
    assert told["waiting"][0]["age_s"] // 3600 == 53
    assert next((line["reason"], line["leads"]) for line in told["reasons"]) == ("needs_person", 1)
    shown = await waypost("queue", "--limit", "2")
    assert "1 needs a person, the oldest 2 d 5 h" in shown
    assert "never by itself: waypost order" in shown
    assert "3 d 0 h" in shown
    assert "2 of 3 shown." in shown
    only = await waypost.json("queue", "--reason", "location_unclear")
    assert [one["lead_id"] for one in only["waiting"]] == [named(601)]


async def test_a_full_site_is_tried_again_by_a_time(world: World, waypost: Waypost) -> None:
    now = world.clock.now
    await world.set_up(site("only", limit=1), site("daily", 33.3, daily_limit=1))
    async with world.router() as router:
        await router.handle(received_record(611, at=now - timedelta(seconds=1)), received_record(612, at=now))
        far = (33.3, 120.6)
        earlier = now - timedelta(seconds=2)
        await router.handle(received_record(613, far, at=earlier), received_record(614, far, at=now))

    room, day = (await waypost.json("queue"))["waiting"]

    by = datetime.fromisoformat(room["next_try_at"])
    assert by == now + timedelta(minutes=10)
    assert room["next_try"] == f"when a site has room, at the latest {by.astimezone():%a %H:%M}"
    tomorrow = datetime.fromisoformat(day["next_try_at"])
    assert now < tomorrow <= now + timedelta(days=1)
    refused = await waypost.refused("order", "give", named(614), "daily", "--by", "mei")
    assert "site daily has as many leads as it may" in refused


async def test_an_order_is_followed_until_the_site_has_the_lead(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(621))
        async with at_work(world, router):
            said = await waypost("order", "give", named(621), "next", "--by", "mei")

    assert said.startswith("next has the lead, 11.1 km away, and answers by ")
    assert await world.holders() == {621: ("held", "next", 2)}
    order = (await world.decided(621))[1].order
    assert order is not None
    assert order.ordered_by == "mei"


STAY = (
    DEFAULT_POLICY
    + """
[[stay]]
name = "same-house"
intents = ["purchase"]
after = ["maintenance"]
within_km = 50
"""
)
HERE = ("--lat", "31.3", "--lon", "120.6", "--datum", "wgs84")
OF_THE_MOMENT = {"decided_at", "respond_by", "cause_id"}
"""What a decision has of when it was taken and because of which fact."""


def lasting(decision: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in decision.items() if key not in OF_THE_MOMENT}


async def test_a_dry_run_says_what_the_order_then_does_also_where_a_person_stays_with_a_site(
    world: World, waypost: Waypost
) -> None:
    await world.set_up(*SUZHOU, policy=STAY)
    async with world.router() as router:
        # Both people have a lead that their site did not serve them for yet; then it serves them.
        await router.handle(received_record(681, None, person=81), received_record(682, person=82))
        for number, person in ((683, 81), (684, 82)):
            service = received_record(number, intent=Intent.MAINTENANCE, person=person, preferred="next")
            await router.handle(service, answered_record(number, 1, "next", Answer.ACCEPTED))
        before = await world.holders(), await world.loads()
        assert before[0][682] == ("held", "near", 1)

        for number in (681, 682):
            place = ("order", "place", named(number), "--by", "mei", *HERE)
            tried = await waypost.json(*place, "--dry-run")
            assert tried["order_id"] is None
            assert (await world.holders(), await world.loads()) == before
            async with at_work(world, router):
                given = await waypost.json(*place)
            assert lasting(tried["expected"]) == lasting(given["decided"])
            assert (given["decided"]["site_id"], given["decided"]["stay"]["rule"]) == ("next", "same-house")
            before = await world.holders(), await world.loads()


async def test_a_dry_run_of_another_try_goes_by_travel_times_as_the_router_does(world: World, waypost: Waypost) -> None:
    policy = DEFAULT_POLICY.replace("before_person = 0", "before_person = 1") + "\n[travel]\ncandidates = 3\n"
    await world.set_up(*SUZHOU, policy=policy)
    async with world.router() as router:
        await router.handle(received_record(687), answered_record(687, 1, "near", Answer.DECLINED))
        tried = await waypost.json("order", "retry", named(687), "--by", "mei", "--dry-run")
        async with at_work(world, router):
            given = await waypost.json("order", "retry", named(687), "--by", "mei")

    assert lasting(tried["expected"]) == lasting(given["decided"])
    assert (given["decided"]["site_id"], given["decided"]["why_distance"]) == ("next", "not_configured")


async def test_a_dry_run_orders_nothing_and_is_refused_what_the_order_is(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(685), received_record(686, (39.9, 116.4)))

    async def tried(verb: str, number: int, *more: str) -> str:
        return await waypost("order", verb, named(number), *more, "--by", "mei", "--dry-run")

    said = await tried("give", 685, "next")
    assert said.startswith("Nothing was ordered. If it were ordered now: next has the lead, 11.1 km away, and answers")
    assert "No site can take it: too far (epoch 2). It waits." in await tried("retry", 686)
    assert "The lead is closed: invalid (epoch 2)." in await tried("close", 685, "--result", "invalid")
    refused = await waypost.refused("order", "retry", named(685), "--by", "mei", "--dry-run")
    assert "near holds it (to take it away" in refused
    assert await world.rows("SELECT 1 FROM router.announcements WHERE topic = 'leads.ordered'") == []
    assert await world.holders() == {685: ("held", "near", 1), 686: ("waiting", None, 1)}


async def test_a_place_in_words_or_by_code_settles_an_unclear_lead(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(631, None), received_record(632, None), received_record(633, None))
        async with at_work(world, router):
            words = await waypost.json("order", "place", named(631), "--by", "mei", "--at", "苏州市吴江区")
            code = await waypost.json("order", "place", named(632), "--by", "mei", "--adcode", "320509")
            point = ("--lat", "31.31", "--lon", "120.6", "--datum", "gcj02")
            given = await waypost.json("order", "give", named(633), "next", "--by", "mei", *point)

    assert words["decided"]["outcome"] == code["decided"]["outcome"] == "assigned"
    assert words["decided"]["order"]["place"] == code["decided"]["order"]["place"]
    assert words["decided"]["order"]["place"]["accuracy"] == "district"
    assert given["decided"]["order"]["place"]["given_datum"] == "gcj02"
    assert given["decided"]["site_id"] == "next"


async def test_trying_again_says_that_the_lead_still_waits(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(641, (39.9, 116.4)))
        async with at_work(world, router):
            said = await waypost("order", "retry", named(641), "--by", "mei")

    assert said == "No site can take it: too far (epoch 2). It waits.\n"


async def test_what_cannot_be_ordered_is_refused_at_once_and_nothing_is_published(
    world: World, waypost: Waypost
) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(651), received_record(652, (31.5, 120.6)), received_record(653, None))
        await router.handle(received_record(654), answered_record(654, 1, "near", Answer.ACCEPTED))

    async def refused(verb: str, number: int, *more: str) -> str:
        return await waypost.refused("order", verb, named(number), *more, "--by", "mei")

    assert "there is no site nowhere in the network" in await refused("give", 651, "nowhere")
    assert "cannot do what the lead asks for" in await refused("give", 651, "service")
    assert "has as many leads as it may" in await refused("give", 651, "full")
    assert "site near holds the lead already" in await refused("give", 651, "near")
    assert "near holds it (to take it away" in await refused("retry", 651)
    assert "at epoch 1 now" in await refused("give", 651, "next", "--epoch", "4")
    assert "nobody knows where the lead is (say where" in await refused("give", 653, "next")
    assert "the lead is closed (accepted)" in await refused("give", 654, "next")
    assert "the router has no lead" in await refused("give", 699, "next")
    assert "no place is given" in await refused("place", 653)
    assert "--at" in await refused("place", 653, "--at", "Gulou")
    nowhere = await refused("place", 653, "--lat", "0", "--lon", "0", "--datum", "wgs84")
    assert "the place is not clear: --lat is a point in the sea" in nowhere
    swapped = await refused("place", 653, "--lat", "120.6", "--lon", "31.3", "--datum", "wgs84")
    assert "lat and lon look swapped" in swapped
    assert "北京市朝阳区 (110105)" in await refused("place", 653, "--at", "朝阳区")
    assert "the place is not clear: --datum is required" in await refused("place", 653, "--lat", "31", "--lon", "120")
    assert "is no lead id" in await waypost.refused("order", "retry", "651", "--by", "mei")
    assert "--by has 1 to 63" in await waypost.refused("order", "retry", named(653), "--by", "Mei Li")
    assert await world.rows("SELECT 1 FROM router.announcements WHERE topic = 'leads.ordered'") == []


async def test_a_lead_is_ended_with_a_result(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(656, None))
        async with at_work(world, router):
            said = await waypost("order", "close", named(656), "--result", "unreachable", "--by", "mei")

    assert said == "The lead is closed: unreachable (epoch 2).\n"
    assert (await waypost.json("queue"))["waiting"] == []


async def test_without_a_router_the_order_is_kept_and_the_person_told(world: World, waypost: Waypost) -> None:
    await world.set_up(*SUZHOU)
    async with world.router() as router:
        await router.handle(received_record(661))

    order = ("order", "give", named(661), "next", "--by", "mei")
    assert "no router has acted on it in 0.3 s" in await waypost.refused(*order, "--wait", "0.3")
    assert "on its way" in await waypost(*order, "--wait", "0")
    assert len(await world.rows("SELECT 1 FROM router.announcements WHERE topic = 'leads.ordered'")) == 2

    async with world.router() as router:
        await router.timers.sweep()
        values = [value for value in await world.published(LEADS_ORDERED) if named(661).encode() in value]
        await router.handle(*as_records(LEADS_ORDERED, values))
        assert router.counted("waypost_router_facts_stale_total", topic="leads.ordered", reason="already_there") == 0
        assert router.counted("waypost_router_facts_stale_total", topic="leads.ordered", reason="wrong_epoch") == 1
    assert await world.holders() == {661: ("held", "next", 2)}


async def test_an_operators_name_is_for_whoever_has_the_key(
    world: World, waypost: Waypost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.set_up(*SUZHOU)
    key = (await waypost("operator", "add", "mei", "--key-only")).strip()
    async with world.router() as router:
        await router.handle(received_record(671))
    order = ("order", "give", named(671), "next", "--wait", "0")

    assert "mei is an operator with a key" in await waypost.refused(*order, "--by", "mei")
    assert "the order has no giver" in await waypost.refused(*order)
    monkeypatch.setenv("WAYPOST_OPERATOR_KEY", key)
    assert "li is not the owner of the key" in await waypost.refused(*order, "--by", "li")
    assert "on its way" in await waypost(*order)
    [(value,)] = await world.rows("SELECT value FROM router.announcements WHERE topic = 'leads.ordered'")
    assert LEADS_ORDERED.read(value).data.ordered_by == "mei"


def test_every_wait_and_every_refusal_has_words() -> None:
    assert WAITS.keys() == NEXT_TRY.keys() == set(WaitingReason)
    closed = LeadLedger(3, LeadState.CLOSED)
    told = [refusal(reason, closed, "near") for reason in StaleReason]
    assert all(message and hint for message, hint in told)
