"""Whatever is written to whatever topic is buried, in the ledger, and behind: every kind on every subscription."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product

import aiohttp
import asyncpg
import orjson
import pytest

from deploy.local import Stack
from services.doctor import examine
from services.groups import groups
from services.lead_intake.settings import read_settings as read_intake_settings
from services.router.main import CHANGES
from services.router.settings import RouterSettings
from services.store_notifier.settings import NotifierSettings
from shared.contracts import DEAD_LETTERS, LEADS_RECEIVED, TOPICS, RecordDead
from shared.contracts.document import READERS
from shared.kafka.lag import lags
from shared.migrate import SERVICES
from tests.faults.conftest import own_system
from tests.faults.load import Load
from tests.faults.system import System
from tests.poison import ANYWHERE, Poison, RawProducer, batch, distorted
from tests.services.store_notifier.process import free_port

HEARD = {topic.name for topic in CHANGES}
"""A router hears of these in every process, outside of its group: nothing is buried, and it must bear them."""
GROUPS = groups(RouterSettings(), NotifierSettings())
SEEN_WITHIN_S = 60


def kinds(topic: str) -> tuple[Poison, ...]:
    """What is put onto a topic. The dead letters are read by the audit alone: there a third of it will do."""
    return (*(ANYWHERE[::3] if topic.endswith(".dead") else ANYWHERE), *distorted(topic))


def buriers(topic: str) -> list[str]:
    """Services that must bury what they cannot read on a topic."""
    return [
        service for service in READERS[topic] if service != "audit" and not (service == "router" and topic in HEARD)
    ]


SUBSCRIPTIONS = [(topic.name, service) for topic in TOPICS for service in buriers(topic.name)]
CASES = [(topic, service, poison) for topic, service in SUBSCRIPTIONS for poison in ANYWHERE]
"""What is distorted may be handled or buried, as it happens; but nothing may stay behind it."""
LEDGER = [(topic.name, poison) for topic in (*TOPICS, *DEAD_LETTERS.values()) for poison in kinds(topic.name)]
Place = tuple[str, int, int]
NOWHERE: Place = ("", 0, 0)
UNSEEN = """SELECT topic, partition, record_offset, value FROM audit.records
            WHERE (topic, partition, record_offset)
                  NOT IN (SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[]))"""


@dataclass
class Poisoned:
    """A system that every topic of was poisoned, and what it made of it."""

    system: System
    load: Load
    places: dict[tuple[str, str], Place]
    """By topic and name of the poison."""
    buried: dict[tuple[Place, str], RecordDead]
    """By place and service."""
    ledger: dict[Place, bytes]


@pytest.fixture(scope="module")
async def poisoned(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Poisoned]:
    async with own_system(stack, tmp_path_factory.mktemp("poisoned")) as system:
        key = await system.clean("source", "add", "load", "--key-only")
        places = await poison_all(system)
        found = Poisoned(system, Load(system, key.strip()), places, {}, {})
        await lead_is_decided(found)
        await collect(found)
        yield found


async def poison_all(system: System) -> dict[tuple[str, str], Place]:
    """Every kind onto every topic; returns where each is, by topic and name."""
    places = {}
    async with RawProducer(system.settings.kafka) as producer:
        for topic in (*TOPICS, *DEAD_LETTERS.values()):
            name = system.settings.topic_prefix + topic.name
            for number, poison in enumerate(kinds(topic.name)):
                partition = number % topic.partitions
                offset = await producer.send(name, partition, poison.batch())
                places[topic.name, poison.name] = (topic.name, partition, offset)
    return places


async def lead_is_decided(poisoned: Poisoned) -> None:
    """One more lead comes and gets its decision."""
    load, stop = poisoned.load, asyncio.Event()
    before = len(load.acknowledged)
    sending = asyncio.create_task(load.run(10, stop))
    async with asyncio.timeout(SEEN_WITHIN_S):
        while len(load.acknowledged) == before:
            await asyncio.sleep(0.05)
    stop.set()
    await sending
    await poisoned.system.settled(load.acknowledged)


async def collect(poisoned: Poisoned) -> None:
    """Wait until the ledger has every record and every burial, which it reads too; note both."""
    wanted = {(poisoned.places[topic, poison.name], service) for topic, service, poison in CASES}
    connection = await asyncpg.connect(poisoned.system.settings.require_postgres())
    try:
        async with asyncio.timeout(SEEN_WITHIN_S):
            while set(poisoned.places.values()) - poisoned.ledger.keys() or wanted - poisoned.buried.keys():
                await asyncio.sleep(0.2)
                rows = await connection.fetch(UNSEEN, *zip(*(poisoned.ledger or [NOWHERE]), strict=True))
                poisoned.ledger |= {(row[0], row[1], row[2]): row[3] for row in rows}
                poisoned.buried |= dict(
                    burial(row["topic"], row["value"])
                    for row in rows
                    if row["topic"].endswith(".dead") and (row[0], row[1], row[2]) not in poisoned.places.values()
                )
    except TimeoutError:
        pass  # each test says what it lacks
    finally:
        await connection.close()


def burial(topic: str, value: bytes) -> tuple[tuple[Place, str], RecordDead]:
    """What was buried and by whom, of a dead letter."""
    dead = DEAD_LETTERS[topic.removesuffix(".dead")].read(value).data
    return ((dead.source_topic, dead.source_partition, dead.source_offset), dead.consumer), dead


def in_base64(raw: bytes | None) -> str:
    return base64.b64encode(raw or b"").decode()


@pytest.mark.parametrize(
    ("topic", "service", "poison"), CASES, ids=[f"{topic} {service} {poison.name}" for topic, service, poison in CASES]
)
async def test_a_poisoned_record_is_buried_whole_or_by_reference(
    poisoned: Poisoned, topic: str, service: str, poison: Poison
) -> None:
    dead = poisoned.buried[poisoned.places[topic, poison.name], service]

    assert dead.reason
    assert (dead.reference is None) is poison.is_whole
    if dead.reference is None:
        assert dead.raw_base64 == in_base64(poison.value)
        assert dead.raw_key_base64 == (in_base64(poison.key) if poison.key else None)
        assert dead.raw_is_null is (True if poison.value is None else None)
        assert [base64.b64decode(header.value_base64 or "") for header in dead.raw_headers or ()] == [
            value or b"" for _, value in poison.headers
        ]
    elif dead.reference.first_offset is not None:
        raw = poison.batch()
        assert dead.reference.value_bytes == len(raw)
    else:
        assert dead.reference.value_bytes == len(poison.value or b"")
        assert dead.reference.key_bytes == len(poison.key or b"")
        assert dead.reference.sha256 == hashlib.sha256(poison.value or b"").hexdigest()


@pytest.mark.parametrize(("topic", "poison"), LEDGER, ids=[f"{topic} {poison.name}" for topic, poison in LEDGER])
async def test_the_ledger_has_every_record(poisoned: Poisoned, topic: str, poison: Poison) -> None:
    value = poisoned.ledger[poisoned.places[topic, poison.name]]

    assert value == (poison.value or b"") or "reference" in orjson.loads(value)


async def test_nothing_ended_and_nothing_waits(poisoned: Poisoned) -> None:
    # Only another of these tests kills (signal 9).
    assert not [line for line in poisoned.system.said if " ended " in line and "ended (signal 9)" not in line]
    await nothing_waits(poisoned.system)


async def nothing_waits(system: System) -> None:
    """Every group has committed all that its topics have."""
    async with asyncio.timeout(SEEN_WITHIN_S):
        while behind := [lag for lag in await lags(system.settings, GROUPS) if lag.records]:
            await asyncio.sleep(0.2)
    assert not behind


async def test_poison_that_comes_while_services_start_does_not_keep_the_next_lead(poisoned: Poisoned) -> None:
    system, services = poisoned.system, ("router", "store_notifier", "lead_intake", "audit")
    for service in services:
        system.supervisor.kill(service)
    async with RawProducer(system.settings.kafka) as producer:
        for topic, poison in product(TOPICS, ANYWHERE[::4]):
            await producer.send(system.settings.topic_prefix + topic.name, 0, poison.batch())
    for service in services:
        await system.running(service)
        await system.services.ready(service)

    await lead_is_decided(poisoned)
    await nothing_waits(system)


async def test_a_burst_of_garbage_passes_and_the_alarm_stays(poisoned: Poisoned) -> None:
    system, topic = poisoned.system, LEADS_RECEIVED
    burst = batch([Poison("garbage", b"garbage %d" % number) for number in range(250)])
    async with RawProducer(system.settings.kafka) as producer:
        for partition in range(topic.partitions):
            await producer.send(system.settings.topic_prefix + topic.name, partition, burst)

    await lead_is_decided(poisoned)
    await nothing_waits(system)

    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{system.services.health_ports['router']}/healthz/ready"
        async with session.get(url) as response:
            answer = await response.json()
    assert response.status == 200
    assert "buried within an hour" in answer["alarms"]["dead_letters"]


async def test_the_doctor_tells_what_was_buried_and_who_is_ready(poisoned: Poisoned) -> None:
    status, text = await poisoned.system.command("doctor", "--json")

    found = json.loads(text.split("\n}\n", 1)[0] + "\n}")
    assert (status, found["ok"]) == (1, False)
    [received] = [line for line in found["checks"]["dead letters"]["problems"] if line.startswith("leads.received: ")]
    assert "no version of Waypost wrote it" in received or "says it is from lead_intake" in received
    assert found["checks"]["services"]["ok"], found
    ready = {line.split(":")[0] for line in found["checks"]["services"]["notes"] if ": ready (" in line}
    assert ready == set(SERVICES)
    assert found["checks"]["lag"]["ok"], found


async def test_the_doctor_tells_of_a_service_that_is_not_running(poisoned: Poisoned) -> None:
    system = poisoned.system
    urls = system.services.health_urls.split(",")
    nobody = ",".join([f"router=http://127.0.0.1:{free_port()}", *urls[1:]])

    settings = read_intake_settings().model_copy(update={**system.settings.model_dump(), "health_urls": nobody})
    found = await examine(settings, RouterSettings())

    [problem] = [line for line in found["services"].problems if "not running" in line]
    assert problem.startswith("router: not running: no answer from http://127.0.0.1:")
