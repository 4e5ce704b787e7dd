"""When something is down: no false 202, nothing lost, and an answer in bounded time."""

import asyncio
import time
from collections import Counter

import aiohttp
import asyncpg

from deploy.local import Stack
from shared.contracts import LEADS_RECEIVED
from tests.services.lead_intake.builders import lead_json
from tests.services.lead_intake.running import Installation, IntakeProcess, until


async def published_ids(installation: Installation) -> set[str]:
    return {str(LEADS_RECEIVED.read(raw).data.lead_id) for raw in await installation.facts("leads.received")}


async def test_with_kafka_stopped_leads_are_accepted_and_published_later(
    stack: Stack, installation: Installation, intake: IntakeProcess
) -> None:
    await intake.post()
    await asyncio.to_thread(stack.kafka.stop)
    try:
        answers = await asyncio.gather(*(intake.post() for _ in range(50)))
        assert {answer.status for answer in answers} == {202}
        assert len(await installation.rows("SELECT FROM outbox")) >= 50
        async with installation.running() as second:
            assert (await second.post()).status == 202, "an intake that starts without Kafka takes leads too"
        assert second.status == 0, "and it stops in time"
    finally:
        await asyncio.to_thread(stack.kafka.start)

    accepted = {answer.json["lead_id"] for answer in answers}

    async def drained() -> bool:
        return not await installation.rows("SELECT FROM outbox")

    await until(drained, f"the outbox is not drained: {intake.log.read_text()[-1500:]}", within_s=90)
    assert accepted <= await published_ids(installation)


async def test_with_postgres_stopped_nothing_is_accepted_and_the_sender_is_told_when_to_come_back(
    stack: Stack, installation: Installation, intake: IntakeProcess
) -> None:
    before = await intake.post(idempotency_key="around-the-fault")
    await asyncio.to_thread(stack.postgres.stop)
    try:
        began = time.monotonic()
        answers = await asyncio.gather(*(intake.post(idempotency_key=f"fault-{n}") for n in range(20)))
        took_s = time.monotonic() - began
    finally:
        await asyncio.to_thread(stack.postgres.start)

    assert {answer.status for answer in answers} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert took_s < 15, "a sender must not wait for a database that is gone"

    async def accepts_again() -> bool:
        return (await intake.post(idempotency_key="around-the-fault")).body == before.body

    await until(accepts_again, "the intake does not come back")
    retried = await asyncio.gather(*(intake.post(idempotency_key=f"fault-{n}") for n in range(20)))
    assert {answer.status for answer in retried} == {202}


async def test_more_than_can_wait_is_refused_and_what_was_promised_is_there(installation: Installation) -> None:
    settings = {"intake_max_waiting_leads": "10", "intake_batch_leads": "5", "intake_commit_timeout": "PT2S"}
    async with installation.running(**settings) as intake:
        assert (await intake.post()).status == 202
        blocker = await asyncpg.connect(installation.settings.require_postgres())
        try:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE lead_intake.leads IN EXCLUSIVE MODE")
                answers = await asyncio.gather(*(intake.post() for _ in range(60)))
        finally:
            await blocker.close()

        counts = Counter((answer.status, answer.json["type"].rpartition(":")[2]) for answer in answers)
        assert set(counts) == {(503, "overloaded"), (503, "unavailable")}
        assert all("retry-after" in answer.headers for answer in answers)
        assert counts[503, "overloaded"] >= 30
        assert (await intake.post()).status == 202


async def test_too_many_requests_at_once_are_refused_at_the_door(installation: Installation) -> None:
    async with installation.running(intake_max_in_flight="3") as intake:
        slow = [await asyncio.open_connection("127.0.0.1", intake.port) for _ in range(3)]
        for _, writer in slow:
            writer.write(
                b"POST /v1/leads HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\ncontent-type: application/json\r\n"
                b"authorization: Bearer " + installation.key.encode() + b"\r\n\r\n"
            )

        async def refused() -> bool:
            answer = await intake.post()
            return answer.status == 503 and answer.headers["retry-after"] == "1"

        await until(refused, "the fourth request is not refused")
        for _, writer in slow:
            writer.close()

        async def accepted() -> bool:
            return (await intake.post()).status == 202

        await until(accepted, "the places are not free again")


async def test_killed_under_load_every_202_is_kept_and_published_once_by_id(installation: Installation) -> None:
    accepted: set[str] = set()
    async with installation.running() as intake:
        for round_number in range(3):
            senders = [
                asyncio.create_task(_send_until_refused(intake, f"{round_number}-{n}", accepted)) for n in range(8)
            ]
            target = len(accepted) + 40

            async def enough(target: int = target) -> bool:
                return len(accepted) >= target

            await until(enough, "too few leads get through")
            intake.kill()
            await asyncio.gather(*senders)
            intake.start()
            await intake.until_ready()

        async def drained() -> bool:
            return not await installation.rows("SELECT FROM outbox")

        await until(drained, "the outbox is not drained")

    rows = await installation.rows("SELECT lead_id FROM leads")
    assert accepted <= {str(row["lead_id"]) for row in rows}
    assert {str(row["lead_id"]) for row in rows} == await published_ids(installation)
    keys = await installation.rows("SELECT count(*) AS keys, count(DISTINCT lead_id) AS leads FROM idempotency")
    assert keys[0]["keys"] == keys[0]["leads"]


async def _send_until_refused(intake: IntakeProcess, name: str, accepted: set[str]) -> None:
    number = 0
    while True:
        key = f"{name}-{number}"
        try:
            answer = await intake.post(lead_json(), idempotency_key=key)
        except (OSError, aiohttp.ClientError):
            return
        assert answer.status == 202
        accepted.add(answer.json["lead_id"])
        number += 1
