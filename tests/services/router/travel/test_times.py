"""The times of a batch, asked of a real server: what it says, what it refuses, and what when it says nothing."""

import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.router.barriers import Point
from services.router.domain import LeadFeatures, Travel
from services.router.policy import Policy
from services.router.snapshot import Site, Snapshot
from services.router.travel.answer import Interface
from services.router.travel.cache import TravelCache
from services.router.travel.client import MOST_ANSWER_BYTES, open_engine
from services.router.travel.metrics import TravelMetrics
from services.router.travel.osrm import Osrm
from services.router.travel.tables import MOST_ENDS, MOST_STARTS
from services.router.travel.times import TravelTimes
from services.router.travel.valhalla import Valhalla
from shared.breaker import Breaker
from shared.contracts import WhyDistance
from shared.vocabulary import Intent
from tests.services.router.networks import lead, policy, site
from tests.services.router.travel.engine import FakeEngine, fake_engine

ACROSS, ROUND, FAR = site("across", lon=120.63), site("round", lon=120.55), site("far", lon=120.7)
BY_TIME = policy(travel=(2, 60))


def bay(start: Point, end: Point) -> float | None:
    """Ten minutes, and forty more across the bay at 120.62."""
    return 3_000.0 if (start[1] < 120.62) != (end[1] < 120.62) else 600.0


@dataclass
class Asked:
    """Travel times of one process, with a clock that a test moves."""

    times: TravelTimes
    engine: FakeEngine
    registry: CollectorRegistry
    clock: list[float] = field(default_factory=lambda: [0.0])

    async def of(
        self, *leads: LeadFeatures, network: Sequence[Site] = (ACROSS, ROUND, FAR), rules: Policy = BY_TIME
    ) -> list[Travel | None]:
        """What each lead may know, in their order."""
        found = await self.times.of(leads, Snapshot.build(network, 1), rules)
        return [None if one.point is None else found.get((one.lead_id, one.point)) for one in leads]

    def counted(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def asking(
    interface: Interface | None = None, *, url: str = "", timeout_s: float = 20, cache: int = 100
) -> AsyncIterator[Asked]:
    registry = CollectorRegistry()
    async with (
        fake_engine(bay) as engine,
        open_engine(url or engine.url, interface or Osrm(), 4) as client,
    ):
        asked = Asked(
            TravelTimes(client, TravelCache(cache, 3_600), Breaker(3, 10, 10), TravelMetrics(registry), timeout_s),
            engine,
            registry,
        )
        asked.times._monotonic = lambda: asked.clock[0]
        yield asked


def without(why: WhyDistance) -> list[Travel | None]:
    return [Travel({}, why)]


@pytest.mark.parametrize("interface", [Osrm(), Valhalla()], ids=["osrm", "valhalla"])
async def test_each_lead_learns_the_ways_to_the_few_sites_near_it(interface: Interface) -> None:
    async with asking(interface) as asked:
        east = lead(2, (31.3, 120.66))

        assert await asked.of(lead(), east) == [
            Travel({"across": 3_000, "round": 600}),
            Travel({"across": 600, "far": 600}),
        ]
        assert asked.engine.asked == [
            (((31.3, 120.6), (31.3, 120.66)), ((31.3, 120.63), (31.3, 120.55), (31.3, 120.7)))
        ]
        assert asked.counted("waypost_router_travel_leads_total", result="times") == 2
        assert asked.counted("waypost_router_travel_requests_total", result="answered") == 1


async def test_leads_of_one_place_ask_once_and_later_ones_not_at_all() -> None:
    async with asking() as asked:
        first = await asked.of(lead(1), lead(2), lead(3))
        later = await asked.of(lead(4))

        assert first == [Travel({"across": 3_000, "round": 600})] * 3
        assert later == first[:1]
        assert len(asked.engine.asked) == 1
        assert asked.counted("waypost_router_travel_ways_total", **{"from": "cache"}) == 2

        asked.clock[0] = 3_600
        await asked.of(lead(5))
        assert len(asked.engine.asked) == 2


async def test_a_cache_too_small_for_one_lead_changes_no_answer() -> None:
    async with asking(cache=1) as asked:
        assert await asked.of(lead()) == await asked.of(lead()) == [Travel({"across": 3_000, "round": 600})]


async def test_who_has_no_place_or_no_site_in_reach_asks_nobody() -> None:
    async with asking() as asked:
        assert await asked.of(lead(point=None), lead(2, (39.9, 116.4))) == [None, None]
        assert await asked.of(lead(), network=[]) == [None]
        assert await asked.of(lead(), rules=policy()) == [None]
        assert asked.engine.asked == []


async def test_only_sites_that_may_do_the_work_within_the_greatest_distance_are_compared() -> None:
    async with asking() as asked:
        found = await asked.of(lead(), rules=policy(travel=(20, 60), max_km=4))

        assert found == [Travel({"across": 3_000})]
        assert await asked.of(lead(intent=Intent.MAINTENANCE), rules=policy(travel=(20, 60), max_km=4)) == found


async def test_without_an_engine_every_lead_says_so() -> None:
    registry = CollectorRegistry()
    times = TravelTimes(None, TravelCache(1, 1), Breaker(3, 10, 10), TravelMetrics(registry), 1)

    found = await times.of([lead()], Snapshot.build([ACROSS], 1), BY_TIME)

    assert [*found.values()] == without(WhyDistance.NOT_CONFIGURED)


async def test_a_site_without_a_road_is_known_to_have_none() -> None:
    async with asking() as asked:
        asked.engine.road = lambda start, end: None if end[1] > 120.62 else 600.4

        assert await asked.of(lead()) == [Travel({"across": None, "round": 600})]


@pytest.mark.parametrize("interface", [Osrm(), Valhalla()], ids=["osrm", "valhalla"])
async def test_one_lead_that_no_road_is_near_takes_nobody_elses_times_away(interface: Interface) -> None:
    async with asking(interface) as asked:
        asked.engine.island = (31.31, 120.6)

        found = await asked.of(lead(1), lead(2, (31.31, 120.6)), lead(3, (31.32, 120.6)))

        assert found == [
            Travel({"across": 3_000, "round": 600}),
            Travel({"across": None, "round": None}),
            Travel({"across": 3_000, "round": 600}),
        ]
        assert len(asked.engine.asked) == 4


async def test_a_crowd_is_asked_for_in_few_tables_and_each_gets_its_own_times() -> None:
    async with asking(cache=10_000) as asked:
        asked.engine.road = lambda start, end: round((abs(start[0] - end[0]) + abs(start[1] - end[1])) * 10_000)
        network = [site(f"s-{place:02}", 31 + place % 7 / 20, 120 + place // 7 / 20) for place in range(49)]
        crowd = [lead(n, (31 + n % 20 / 60, 120 + n // 20 / 60)) for n in range(200)]

        found = await asked.of(*crowd, network=network, rules=policy(travel=(8, 60)))

        where = {one.site_id: (one.lat, one.lon) for one in network}
        for one, travel in zip(crowd, found, strict=True):
            assert travel is not None
            assert one.point is not None
            assert travel.seconds == {s: asked.engine.road(one.point, where[s]) for s in travel.seconds}
            assert len(travel.seconds) == 8
        assert len(asked.engine.asked) < 20
        assert all(len(starts) <= MOST_STARTS and len(ends) <= MOST_ENDS for starts, ends in asked.engine.asked)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"", WhyDistance.UNAVAILABLE),
        (503, b"", WhyDistance.UNAVAILABLE),
        (429, b"", WhyDistance.UNAVAILABLE),
        (400, b'{"code":"TooBig"}', WhyDistance.REFUSED),
        (404, b"no such profile", WhyDistance.REFUSED),
        (302, b"", WhyDistance.REFUSED),
        (200, b"<html>", WhyDistance.UNREADABLE),
        (200, b'{"code":"Ok","durations":[[1,2,3]]}', WhyDistance.UNREADABLE),
        (200, b" " * (MOST_ANSWER_BYTES + 1), WhyDistance.UNREADABLE),
    ],
    ids=["500", "503", "429", "refused", "404", "redirect", "garbage", "wrong-size", "too-long"],
)
async def test_a_lead_whose_times_fail_is_told_why_and_nothing_is_remembered(
    status: int, body: bytes, why: WhyDistance
) -> None:
    async with asking() as asked:
        asked.engine.status, asked.engine.body = status, body
        assert await asked.of(lead()) == without(why)
        assert asked.counted("waypost_router_travel_requests_total", result=why.value) == 1

        asked.engine.status, asked.engine.body = 200, None
        assert await asked.of(lead()) == [Travel({"across": 3_000, "round": 600})]


async def test_an_answer_that_nobody_asked_to_be_packed_is_not_unpacked() -> None:
    async with asking() as asked:
        asked.engine.headers = {"content-encoding": "gzip"}
        asked.engine.body = gzip.compress(b" " * 64 * 1024 * 1024)
        assert await asked.of(lead()) == without(WhyDistance.UNREADABLE)


async def test_an_engine_that_is_not_there_is_unavailable() -> None:
    async with asking(url="http://127.0.0.1:1") as asked:
        assert await asked.of(lead()) == without(WhyDistance.UNAVAILABLE)


async def test_an_engine_that_never_answers_keeps_no_lead() -> None:
    async with asking(timeout_s=0.05) as asked:
        asked.engine.hangs = True

        assert await asked.of(lead()) == without(WhyDistance.TIMEOUT)


async def test_what_is_known_counts_though_another_question_hangs() -> None:
    async with asking() as asked:
        await asked.of(lead())
        asked.engine.hangs, asked.times._timeout_s = True, 0.05

        known, unknown = await asked.of(lead(2), lead(3, (31.3, 120.66)))

        assert known == Travel({"across": 3_000, "round": 600})
        assert unknown == Travel({}, WhyDistance.TIMEOUT)


async def test_after_some_failures_the_engine_is_left_alone_until_it_has_rested() -> None:
    async with asking() as asked:
        asked.engine.status = 500
        for _ in range(5):
            assert await asked.of(lead()) == without(WhyDistance.UNAVAILABLE)
        assert len(asked.engine.asked) == 3
        assert asked.counted("waypost_router_travel_resting") == 1

        asked.engine.status, asked.clock[0] = 200, 10
        assert await asked.of(lead()) == [Travel({"across": 3_000, "round": 600})]
        assert asked.counted("waypost_router_travel_resting") == 0


async def test_refusals_never_make_an_engine_rest() -> None:
    async with asking(Valhalla()) as asked:
        asked.engine.status, asked.engine.body = 400, b'{"error_code":154}'
        for _ in range(5):
            assert await asked.of(lead()) == without(WhyDistance.REFUSED)

        assert len(asked.engine.asked) == 5


async def test_logs_tell_of_failures_and_never_of_places() -> None:
    async with asking() as asked:
        asked.engine.status = 500
        with capture_logs() as logs:
            for _ in range(3):
                await asked.of(lead())
            asked.engine.status, asked.clock[0] = 200, 10
            await asked.of(lead())

    assert [one["event"] for one in logs] == [
        *["router.travel_times_missing"] * 3,
        "router.travel_engine_rests",
        "router.travel_engine_back",
    ]
    assert logs[0]["unavailable"] == 1
    assert logs[0]["details"] == {"HTTP 500": 1}
    assert not any("120" in str(one) or "31.3" in str(one) or "http:" in str(one) for one in logs)
