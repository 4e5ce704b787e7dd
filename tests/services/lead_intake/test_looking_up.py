"""A running intake beside a map service: what it settles, what still waits, and that nobody's address leaks."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest

from shared.contracts import LEADS_RECEIVED, Place
from shared.vocabulary import Accuracy, Datum
from tests.collector import collecting
from tests.services.lead_intake.builders import lead_json
from tests.services.lead_intake.geocoding.map_service import (
    KEY,
    MapService,
    amap_failure,
    geocode,
    hang,
    map_service,
    says,
)
from tests.services.lead_intake.running import Installation, IntakeProcess, until

HOUSE = "拉瓦市无忧巷7号"
SEVERAL = "幸福小区无忧巷8号"
TRACED = "拉瓦市无忧巷6号"
UNKNOWN = "Atlantis无忧巷9号"


@pytest.fixture(scope="module")
async def service() -> AsyncIterator[MapService]:
    async with map_service() as running:
        running.amap_places = {
            HOUSE: [geocode(91.114, 29.6525, "门牌号")],
            TRACED: [geocode(91.114, 29.6525, "门牌号")],
            SEVERAL: [geocode(91.1, 29.6, "兴趣点"), geocode(94.36, 29.64, "兴趣点", "540402", city="林芝市")],
        }
        yield running


@pytest.fixture(scope="module")
async def asking(
    installation: Installation, service: MapService, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[IntakeProcess]:
    """An intake with a map service and a list of postal codes."""
    codes = tmp_path_factory.mktemp("postal") / "codes.csv"
    codes.write_text("postal_code,lat,lon,datum,name\n850000,29.65,91.11,wgs84,Lhasa\n")
    async with installation.running(**asking_of(service), postal_codes=str(codes)) as process:
        yield process


def asking_of(service: MapService) -> dict[str, str]:
    return {
        "geocoder": "amap",
        "geocoder_url": service.url,
        "geocoder_key": KEY,
        "geocoder_per_second": "1000",
        "geocoder_timeout_s": "3",
    }


async def place_of(installation: Installation, lead_id: str) -> Place | None:
    """The place of the fact about a lead, once it is on Kafka."""
    found: list[Place | None] = []

    async def published() -> bool:
        facts = map(LEADS_RECEIVED.read, await installation.facts("leads.received"))
        found[:] = [fact.data.place for fact in facts if str(fact.data.lead_id) == lead_id]
        return bool(found)

    await until(published, "the fact is not on Kafka")
    return found[0]


async def test_a_house_that_no_list_knows_is_found_and_published_as_wgs84(
    installation: Installation, asking: IntakeProcess, service: MapService
) -> None:
    first = await asking.post(lead_json(location={"text": HOUSE}))
    again = await asking.post(lead_json(location={"text": f" {HOUSE}"}))

    assert (first.status, again.status) == (202, 202)
    assert "warnings" not in first.json
    place = await place_of(installation, first.json["lead_id"])
    assert place is not None
    assert (place.accuracy, place.given_datum, place.adcode) == (Accuracy.POINT, Datum.GCJ02, "540102")
    assert 0.001 < abs(place.lat - 29.6525) + abs(place.lon - 91.114) < 0.01
    assert await place_of(installation, again.json["lead_id"]) == place
    assert service.asked.count(HOUSE) == 1


async def test_answers_far_apart_wait_and_are_told(installation: Installation, asking: IntakeProcess) -> None:
    answer = await asking.post(lead_json(location={"text": SEVERAL}))

    [warning] = answer.json["warnings"]
    assert "拉萨市城关区 (29.60, 91.10), 西藏自治区林芝市城关区 (29.64, 94.36)" in warning["detail"]
    assert (await asking.get(answer.json["status_url"])).json["place_candidates"] == [
        {"name": "西藏自治区拉萨市城关区", "lat": 29.6, "lon": 91.1},
        {"name": "西藏自治区林芝市城关区", "lat": 29.64, "lon": 94.36},
    ]
    assert await place_of(installation, answer.json["lead_id"]) is None


async def test_what_the_lists_settle_is_not_asked(asking: IntakeProcess, service: MapService) -> None:
    before = len(service.asked)
    for location in ({"text": "苏州市吴江区"}, {"text": "850000"}, {"lat": 31.3, "lon": 120.6, "datum": "wgs84"}):
        assert (await asking.post(lead_json(location=location))).status == 202
    refused = await asking.post(lead_json(contact={"name": "Test Person"}, location={"text": UNKNOWN}))

    assert refused.status == 422
    assert len(service.asked) == before


async def test_a_silent_map_service_costs_a_lead_its_place_and_others_nothing(
    installation: Installation, asking: IntakeProcess, service: MapService
) -> None:
    service.behaviour = hang
    before = len(service.asked)
    waits = asyncio.create_task(asking.post(lead_json(location={"text": f"{UNKNOWN}甲"})))

    async def asked() -> bool:
        return len(service.asked) > before

    await until(asked, "the map service is not asked")
    others = [await asking.post() for _ in range(3)]
    overtook = not waits.done()
    answer = await waits
    service.behaviour = None

    assert overtook
    assert [other.status for other in others] == [202] * 3
    assert answer.status == 202
    assert answer.json["warnings"][0]["pointer"] == "#/location/text"
    assert await place_of(installation, answer.json["lead_id"]) is None


async def test_nothing_of_an_address_or_the_key_is_told_anywhere(
    installation: Installation, service: MapService
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    # One of its own: a quota that is used up closes the map service to whoever comes next.
    async with installation.running(**asking_of(service), health_port=port) as intake:
        told = await everything_told(installation, intake, service, f"http://127.0.0.1:{port}/metrics")

    for secret in ("无忧巷", "Atlantis", KEY):
        for text in told:
            assert secret.encode() not in text
            assert secret.encode().hex().encode() not in text
            assert secret.encode("unicode-escape") not in text


async def everything_told(
    installation: Installation, asking: IntakeProcess, service: MapService, metrics_url: str
) -> list[bytes]:
    """Answers, states, facts, rows, log and metrics after questions that end well, badly and not at all."""
    answers = [await asking.post(lead_json(location={"text": UNKNOWN}))]
    for behaviour in (says(500, b"no"), says(200, b"<html>"), says(200, orjson.dumps(amap_failure("10044")))):
        service.behaviour = behaviour
        answers.append(await asking.post(lead_json(location={"text": f"{UNKNOWN}{len(answers)}"})))
    service.behaviour = None
    answers.append(await asking.post(lead_json(location={"text": f"{UNKNOWN}乙"}, intent="none")))
    answers.append(await asking.post(lead_json(location={"text": UNKNOWN, "street": UNKNOWN})))
    assert [answer.status for answer in answers] == [202, 202, 202, 202, 422, 422]
    states = [await asking.get(answer.json["status_url"]) for answer in answers[:4]]
    async with aiohttp.ClientSession() as session, session.get(metrics_url) as response:
        metrics = await response.text()
    rows = []
    for table in await installation.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'lead_intake'"):
        found = await installation.rows(f"SELECT to_jsonb(t)::text AS row FROM {table['name']} AS t")
        rows += [row["row"].encode() for row in found]

    assert 'waypost_intake_geocoder_questions_total{result="quota"} 1.0' in metrics
    return [
        *(answer.body for answer in (*answers, *states)),
        *rows,
        *await installation.facts("leads.received"),
        asking.log.read_bytes(),
        metrics.encode(),
    ]


async def test_asking_is_a_span_of_the_lead(installation: Installation, service: MapService) -> None:
    async with (
        collecting() as collector,
        installation.running(**asking_of(service), otlp_endpoint=collector.url) as intake,
    ):
        answer = await intake.post(lead_json(location={"text": TRACED}))

        async def came() -> bool:
            return len(collector.spans) == 2

        await until(came, "the spans did not come")

    accept, asked = sorted(collector.spans, key=lambda span: span.name)
    assert (accept.name, asked.name) == ("lead.accept", "lead.geocode")
    assert (asked.trace, asked.parent, asked.failed) == (accept.trace, accept.span, False)
    assert asked.attributes == {"waypost.lead_id": answer.json["lead_id"], "waypost.result": "found"}


async def test_an_intake_with_a_bad_list_of_postal_codes_does_not_start(
    installation: Installation, tmp_path: Path
) -> None:
    bad = tmp_path / "codes.csv"
    bad.write_text("postal_code,lat,lon,datum\n21500,31.3,120.6,wgs84\n")
    process = IntakeProcess(installation, {"postal_codes": str(bad)}, tmp_path / "intake.log")
    process.start()

    async def said_why() -> bool:
        return "row 2 postal_code" in process.log.read_text()

    try:
        await until(said_why, "the fault is not told")
    finally:
        process.stop()
    assert process.status != 0
