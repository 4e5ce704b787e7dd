"""The small store is a real process: it refuses what is not signed for it and ends with its parent."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from deploy.demo.small_store import ACCEPT, answer_of
from shared.signatures import make_secret
from shared.vocabulary import Intent


@asynccontextmanager
async def small_store() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The running process and its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.demo.small_store",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        listening = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        yield process, f"http://127.0.0.1:{listening['port']}"
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 30)


async def test_it_refuses_a_webhook_that_nobody_signed_and_a_site_it_does_not_know() -> None:
    async with small_store() as (process, address), aiohttp.ClientSession() as http:
        assert process.stdin is not None
        assert process.stdout is not None
        endpoint = {"site_id": "a-store", "endpoint_id": "e", "secret": make_secret(bytes(32))}
        process.stdin.write(json.dumps(endpoint).encode() + b"\n")
        await process.stdin.drain()
        async with http.post(f"{address}/hooks/b-store", data=b"{}") as unknown:
            assert unknown.status == 404
        async with http.post(f"{address}/hooks/a-store", data=b"{}") as unsigned:
            assert unsigned.status == 401
            assert "required" in await unsigned.text()
        said = [json.loads(await process.stdout.readline()) for _ in range(2)]
        assert [(line["event"], line["site_id"]) for line in said] == [("refused", "b-store"), ("refused", "a-store")]


async def test_it_ends_with_0_when_its_parent_closes_its_input() -> None:
    async with small_store() as (process, _):
        pass
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("site_id", "intent", "answer"),
    [
        ("suzhou-wujiang-store", Intent.TEST_DRIVE, ACCEPT),
        ("chongqing-nanan-store", Intent.TEST_DRIVE, {"answer": "declined", "decline_reason": "no_vehicle"}),
        ("chongqing-nanan-store", Intent.MAINTENANCE, ACCEPT),
        ("ningbo-haishu-store", Intent.MAINTENANCE, None),
    ],
)
def test_the_answer_depends_on_the_site_and_the_work(
    site_id: str, intent: Intent, answer: dict[str, str] | None
) -> None:
    assert answer_of(site_id, intent) == answer
