"""The router as the process that operators run: it decides, is killed, comes back and stops in time."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from services.router import network
from services.router.changes.change import Kind
from services.router.changes.proposing import Wanted, submit
from services.router.settings import RouterSettings
from services.router.sites import canonical_rows
from shared.contracts import LEADS_ANSWERED, LEADS_DECIDED, LEADS_RECEIVED, Answer
from shared.kafka import Producer, Record, apply_topics
from shared.postgres import transact
from tests.services.router.networks import site
from tests.services.router.world import World, answered_record, in_minutes, read_all, received_record
from tests.services.store_notifier.process import free_port

NEAR, NEXT = site("near", lon=120.6), site("next", lon=120.62)
CLI = ("services.cli", "run", "router")
CRASHING = ("tests.services.router.crashing_router",)


@pytest.fixture
async def apart(world: World, request: pytest.FixtureRequest) -> World:
    """The world with topics of this test's own: a router process reads all that was ever put on them."""
    prefix = f"{world.settings.topic_prefix}{request.node.name[:40]}."
    world.settings = world.settings.model_copy(update={"topic_prefix": prefix})
    await apply_topics(world.settings)
    return world


@asynccontextmanager
async def process(
    settings: RouterSettings, module: tuple[str, ...] = CLI
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A router process and the address of its health pages; ended by SIGTERM when it still runs."""
    port = free_port()
    environment = {
        **os.environ,  # noqa: TID251 - handed down, not read
        "WAYPOST_KAFKA": settings.kafka,
        "WAYPOST_POSTGRES": settings.require_postgres(),
        "WAYPOST_TOPIC_PREFIX": settings.topic_prefix,
        "WAYPOST_HEALTH_PORT": str(port),
        "WAYPOST_LOG_LEVEL": "warning",
    }
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", *module, env=environment)
    try:
        yield running, f"http://127.0.0.1:{port}"
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            await running.wait()


async def send(world: World, *records: Record) -> None:
    """Put records on their topics."""
    async with Producer(world.settings, "test") as producer:
        for topic in (LEADS_RECEIVED.name, LEADS_ANSWERED.name):
            await producer.publish(topic, [(one.key, one.value) for one in records if one.topic == topic])


async def until_decided(world: World, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], set[bytes]]:
    """Wait until Kafka has these decisions (lead number, epoch); returns every distinct value of each."""
    async with asyncio.timeout(60):
        while True:
            found: dict[tuple[int, int], set[bytes]] = {}
            for _, value in await read_all(world.settings, LEADS_DECIDED):
                data = LEADS_DECIDED.read(value).data
                found.setdefault((data.lead_id.int, data.epoch), set()).add(value)
            if wanted <= found.keys():
                return {decision: found[decision] for decision in wanted}
            await asyncio.sleep(0.2)


async def test_a_lead_on_kafka_is_decided_and_its_answer_too(apart: World) -> None:
    world = apart
    await world.set_up(NEAR, NEXT)
    async with process(world.settings) as (running, health):
        await send(world, received_record(401), received_record(402))
        await until_decided(world, {(401, 1), (402, 1)})
        await send(world, answered_record(401, 1, "near", Answer.DECLINED))
        await until_decided(world, {(401, 2)})
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{health}/healthz/ready") as answer:
                assert answer.status == 200, await answer.text()
            async with session.get(f"{health}/metrics") as answer:
                metrics = await answer.text()
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await running.wait() == 0

    assert 'waypost_router_leads_decided_total{outcome="assigned"} 3.0' in metrics
    assert {number: row[:2] for number, row in (await world.holders()).items()} == {
        401: ("held", "next"),
        402: ("held", "near"),
    }


async def test_a_router_killed_between_commit_and_publishing_loses_nothing(apart: World) -> None:
    world = apart
    await world.set_up(NEAR, NEXT)
    await send(world, *[received_record(500 + number) for number in range(50)])
    async with process(world.settings, CRASHING) as (running, _), asyncio.timeout(60):
        assert await running.wait() == -signal.SIGKILL
    ledger = await world.rows("SELECT lead_id, record::text FROM router.decisions ORDER BY lead_id")
    assert ledger

    async with process(world.settings):
        found = await until_decided(world, {(500 + number, 1) for number in range(50)})

    assert all(len(values) == 1 for values in found.values())
    kept = await world.rows("SELECT lead_id, record::text FROM router.decisions ORDER BY lead_id")
    assert set(ledger) <= set(kept)
    assert len(kept) == 50
    emitted = {next(iter(values)).partition(b'"data":')[2][:-1].decode() for values in found.values()}
    assert emitted == {record for _, record in kept}


async def test_a_new_network_reaches_a_running_router_and_its_waiting_leads(apart: World) -> None:
    world = apart
    await world.set_up(site("elsewhere", lat=40.0, lon=116.4))
    async with process(world.settings):
        await send(world, received_record(601))
        await until_decided(world, {(601, 1)})
        await network.apply(world.pool, (NEAR,), in_minutes(1))
        await until_decided(world, {(601, 2)})

    assert (await world.holders())[601] == ("held", "near", 2)


async def test_a_change_takes_effect_at_its_time_in_running_routers_once_and_their_leads_move_on(apart: World) -> None:
    world = apart
    await world.set_up(site("elsewhere", lat=40.0, lon=116.4))
    async with process(world.settings), process(world.settings):
        await send(world, received_record(611))
        await until_decided(world, {(611, 1)})
        wanted = Wanted(Kind.NETWORK, canonical_rows((NEAR,)).decode(), takes_effect_at=soon())
        await transact(world.pool, lambda connection: submit(connection, wanted, datetime.now(UTC)))
        await until_decided(world, {(611, 2)})

    assert (await world.holders())[611] == ("held", "near", 2)
    assert await world.rows("SELECT state, became, refusal FROM router.changes") == [("in_effect", 2, None)]
    [taken] = await world.rows("SELECT ended_at >= takes_effect_at FROM router.changes")
    assert taken == (True,)
    assert await world.rows("SELECT revision FROM router.network_revisions ORDER BY 1") == [(1,), (2,)]


async def test_three_routers_give_every_freed_place_to_the_lead_that_waited_longest(apart: World) -> None:
    world = apart
    await world.set_up(site("near", limit=1))
    async with process(world.settings), process(world.settings), process(world.settings):
        await send(world, *(came(number) for number in (701, 702, 703)))
        for turn in range(8):
            number, epoch = await held_lead(world)
            await until_decided(world, {(703, 1)})
            await send(world, came(710 + turn), answered_record(number, epoch, "near", Answer.ACCEPTED))
            await until_decided(world, {(number, epoch + 1), (710 + turn, 1)})
            await held_lead(world)

    rows = await world.rows("SELECT lead_id, decided_at FROM router.decisions WHERE outcome = 'assigned' ORDER BY 2")
    assert [lead_id.int for lead_id, _ in rows[1:]] == sorted(lead_id.int for lead_id, _ in rows[1:])
    assert len(rows) == 9
    # Whichever of the first three was read first; the other two came before all that were sent later.
    assert {lead_id.int for lead_id, _ in rows[:3]} == {701, 702, 703}


async def test_a_place_freed_by_a_router_that_is_killed_at_once_is_kept_for_the_lead_that_waits(apart: World) -> None:
    world = apart
    await world.set_up(site("near", limit=1))
    async with process(world.settings):
        await send(world, came(721))
        await until_decided(world, {(721, 1)})
        await send(world, came(722))
        await until_decided(world, {(722, 1)})
    await send(world, answered_record(721, 1, "near", Answer.ACCEPTED))
    async with process(world.settings, CRASHING) as (running, _), asyncio.timeout(60):
        assert await running.wait() == -signal.SIGKILL
    assert await world.loads() == {}

    await send(world, came(723))
    async with process(world.settings):
        await until_decided(world, {(721, 2), (722, 2), (723, 1)})

    states = {number: held[:2] for number, held in (await world.holders()).items()}
    assert states == {721: ("closed", "near"), 722: ("held", "near"), 723: ("waiting", None)}


def came(number: int) -> Record:
    """A lead arrives; of two, the greater number came later."""
    return received_record(number, at=in_minutes(number / 1000))


async def held_lead(world: World) -> tuple[int, int]:
    """The lead that the only site holds, once it holds one, and its epoch."""
    async with asyncio.timeout(60):
        while True:
            rows = await world.rows("SELECT lead_id, epoch FROM router.leads WHERE state = 'held'")
            if rows:
                [(lead_id, epoch)] = rows
                return lead_id.int, epoch
            await asyncio.sleep(0.05)


def soon() -> datetime:
    """Late enough to be proposed, early enough to wait for."""
    return datetime.now(UTC) + timedelta(seconds=5)
