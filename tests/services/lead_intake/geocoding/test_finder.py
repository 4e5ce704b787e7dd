"""Asking a real HTTP server that is slow, broken, out of quota or fine; nothing of it ever raises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.lead_intake.geocoding.finder import BUSY, FOUND, KEPT, NOTHING, OPEN, PlaceFinder
from services.lead_intake.geocoding.http import MOST_BODY_BYTES
from services.lead_intake.geocoding.opening import FAILURES_IN_A_ROW, REST_S, open_finder, try_geocoder
from services.lead_intake.geocoding.port import Failure, Question
from services.lead_intake.settings import IntakeSettings
from shared.errors import UserError
from tests.services.lead_intake.geocoding.map_service import (
    KEY,
    Behaviour,
    MapService,
    amap_failure,
    drip,
    geocode,
    hang,
    map_service,
    osm_place,
    says,
)
from tests.services.lead_intake.geocoding.test_keeping_away import Clock

LHASA = Question("拉萨市某路1号")


@pytest.fixture
async def service() -> AsyncIterator[MapService]:
    async with map_service() as running:
        running.amap_places = {LHASA.text: [geocode(91.11, 29.65, "门牌号")]}
        running.nominatim_places = {LHASA.text: [osm_place(91.11, 29.65, 30)]}
        yield running


def settings(service: MapService, **changes: Any) -> IntakeSettings:
    given = {
        "geocoder": "amap",
        "geocoder_url": service.url,
        "geocoder_key": KEY,
        "geocoder_per_second": 1000,
        "geocoder_timeout_s": 5,
    }
    return IntakeSettings.model_validate(given | changes)


@asynccontextmanager
async def finding(
    given: IntakeSettings, clock: Clock | None = None, registry: CollectorRegistry | None = None
) -> AsyncIterator[PlaceFinder]:
    async with open_finder(given, b"p" * 32, registry or CollectorRegistry(), clock or Clock()) as finder:
        assert finder is not None
        yield finder


@pytest.mark.parametrize("dialect", ["amap", "nominatim"])
async def test_a_place_is_found_once_and_then_kept(service: MapService, dialect: str) -> None:
    async with finding(settings(service, geocoder=dialect, geocoder_contact="ops@example.com")) as finder:
        first, again = await finder.find(LHASA), await finder.find(LHASA)

    assert (first.result, again.result) == (FOUND, KEPT)
    assert len(first.found) == 1
    assert again.found == first.found
    assert service.asked == [LHASA.text]
    assert service.agents == ["Waypost/1 (ops@example.com)"]


async def test_an_unknown_place_is_asked_once_too(service: MapService) -> None:
    async with finding(settings(service)) as finder:
        asked = [await finder.find(Question("Atlantis")) for _ in range(2)]

    assert [(one.result, one.found) for one in asked] == [(NOTHING, ()), (KEPT, ())]
    assert service.asked == ["Atlantis"]


async def test_equal_questions_of_one_moment_are_one_request(service: MapService) -> None:
    async with finding(settings(service)) as finder:
        answers = await asyncio.gather(*(finder.find(LHASA) for _ in range(20)))

    assert {answer.result for answer in answers} == {FOUND}
    assert len(service.asked) == 1


async def test_who_goes_away_takes_no_answer_from_another(service: MapService) -> None:
    async with finding(settings(service)) as finder:
        leaves, stays = (asyncio.create_task(finder.find(LHASA)) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()

        assert (await stays).result == FOUND


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (hang, Failure.TIMEOUT),
        (drip, Failure.TIMEOUT),
        (says(500), Failure.SERVER),
        (says(301, location="http://192.0.2.1/"), Failure.SERVER),
        (says(403), Failure.KEY),
        (says(429, retry_after="60"), Failure.TOO_FAST),
        (says(429, retry_after="Sun, 1 Mar 888888888888888888 09:00:00 GMT"), Failure.TOO_FAST),
        (says(200, b"<html>a portal</html>"), Failure.GARBAGE),
        (says(200, b"[" * (MOST_BODY_BYTES + 1)), Failure.GARBAGE),
        (says(200, b"\x1f\x8b", content_encoding="gzip"), Failure.GARBAGE),
    ],
    ids=["hangs", "drips", "fails", "redirects", "forbids", "too fast", "no date", "garbage", "endless", "compressed"],
)
async def test_what_goes_wrong_is_named_and_is_no_answer(
    service: MapService, behaviour: Behaviour, failure: Failure
) -> None:
    service.behaviour = behaviour
    async with finding(settings(service, geocoder_timeout_s=0.5)) as finder:
        asked = await finder.find(LHASA)

    assert (asked.result, asked.found) == (failure, ())


async def test_nobody_there_is_named() -> None:
    nobody = MapService(url="http://127.0.0.1:9")
    async with finding(settings(nobody)) as finder:
        assert (await finder.find(LHASA)).result == Failure.UNREACHABLE


async def test_it_is_left_alone_after_failures_and_asked_again_later(service: MapService) -> None:
    clock, registry = Clock(), CollectorRegistry()
    service.behaviour = says(500)
    async with finding(settings(service), clock, registry) as finder:
        failed = []
        for number in range(FAILURES_IN_A_ROW + 1):
            clock.now += 0.01
            failed.append((await finder.find(Question(f"Atlantis {number}"))).result)
        assert failed == [Failure.SERVER] * FAILURES_IN_A_ROW + [OPEN]
        assert len(service.asked) == FAILURES_IN_A_ROW
        assert registry.get_sample_value("waypost_intake_geocoder_open") == 1

        service.behaviour = None
        clock.now += REST_S
        assert (await finder.find(LHASA)).result == FOUND
        assert registry.get_sample_value("waypost_intake_geocoder_open") == 0


@pytest.mark.parametrize("infocode", ["10003", "10044"])
async def test_a_used_up_quota_is_not_asked_twice(service: MapService, infocode: str) -> None:
    body = f'{{"status":"0","info":"OVER_LIMIT","infocode":"{infocode}"}}'
    service.behaviour = says(200, body.encode())
    async with finding(settings(service)) as finder:
        asked = [(await finder.find(Question(text))).result for text in ("one", "two")]

    assert asked == [Failure.QUOTA, OPEN]
    assert service.asked == ["one"]


async def test_a_wrong_key_leaves_it_alone(service: MapService) -> None:
    async with finding(settings(service, geocoder_key="another")) as finder:
        asked = [(await finder.find(Question(text))).result for text in ("one", "two")]

    assert asked == [Failure.KEY, OPEN]


async def test_more_questions_than_the_pace_allows_are_not_asked(service: MapService) -> None:
    async with finding(settings(service, geocoder_per_second=0.1)) as finder:
        asked = await asyncio.gather(*(finder.find(Question(f"{n} Road")) for n in range(10)))

    assert sorted(one.result for one in asked) == [BUSY] * 9 + [NOTHING]
    assert len(service.asked) == 1


async def test_a_service_that_answers_after_the_time_counts_as_silent(service: MapService) -> None:
    async with finding(settings(service, geocoder_timeout_s=0.2)) as finder:
        service.behaviour = hang
        assert (await finder.find(LHASA)).result == Failure.TIMEOUT
        service.behaviour = None
        assert (await finder.find(LHASA)).result == FOUND


async def test_metrics_tell_results_and_nothing_of_the_question(service: MapService) -> None:
    registry = CollectorRegistry()
    async with finding(settings(service), registry=registry) as finder:
        await finder.find(LHASA)
        await finder.find(LHASA)
        told = generate_latest(registry).decode()

    assert 'waypost_intake_geocoder_questions_total{result="found"} 1.0' in told
    assert 'waypost_intake_geocoder_questions_total{result="kept"} 1.0' in told
    assert "waypost_intake_geocoder_seconds_count 1.0" in told
    assert "拉萨" not in told
    assert KEY not in told


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"geocoder_key": ""}, "needs a key"),
        ({"geocoder_key_file": "/nowhere/at/all"}, "two keys"),
        ({"geocoder_key": "", "geocoder_key_file": "/nowhere/at/all"}, "cannot be read"),
        ({"geocoder_url": "restapi.amap.com"}, "no address"),
        ({"geocoder_url": "https://host:port"}, "no address"),
        ({"geocoder_url": "https://user:secret@host"}, "no address"),
        ({"geocoder_url": "http://maps.example.com"}, "in the open"),
        ({"geocoder": "nominatim", "geocoder_url": "", "geocoder_per_second": 2}, "allows 1 question"),
    ],
)
async def test_settings_that_cannot_work_are_refused_at_the_start(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        async with finding(settings(MapService(url="http://127.0.0.1:9"), **changes)):
            pass


async def test_nothing_is_asked_unless_a_service_is_chosen() -> None:
    async with open_finder(IntakeSettings(), b"p" * 32, CollectorRegistry(), Clock()) as finder:
        assert finder is None


async def test_the_doctor_asks_for_a_public_place_and_says_what_is_wrong(service: MapService, tmp_path: Any) -> None:
    service.amap_places["苏州市"] = [geocode(120.585, 31.299, "市")]
    (tmp_path / "key").write_text(f"{KEY}\n")

    assert await try_geocoder(settings(service, geocoder_key="", geocoder_key_file=tmp_path / "key")) == []
    assert service.asked == ["苏州市"]
    [wrong] = await try_geocoder(settings(service, geocoder_key="another"))
    assert "refuses the key" in wrong
    [empty] = await try_geocoder(settings(service, geocoder="nominatim"))
    assert "is its data loaded" in empty
    service.behaviour = says(200, str(amap_failure("10044")).replace("'", '"').encode())
    [used_up] = await try_geocoder(settings(service))
    assert "quota is used up" in used_up
