"""Every service is asked, whatever answers at its address or does not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from services.attendance import Attendance, attend, health_urls
from shared.errors import UserError
from tests.services.store_notifier.process import free_port

READY = {"ready": True, "checks": {"progress": "ok", "postgres": "ok"}, "alarms": {}, "lag": 0}


class Listener:
    """Something that answers at a service's address."""

    def __init__(self) -> None:
        self.live: Any = {"live": True, "reason": "ok"}
        self.ready: Any = READY
        self.status = 200
        self.is_silent = False
        self.is_over = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        if self.is_silent:
            await self.is_over.wait()
        content = self.live if request.path.endswith("live") else self.ready
        if isinstance(content, bytes):
            return web.Response(body=content, status=self.status)
        return web.json_response(content, status=self.status)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_get("/healthz/{what}", listener.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listener
    listener.is_over.set()
    await runner.cleanup()


async def asked(listener: Listener) -> Attendance:
    [found] = await attend([("router", listener.url)])
    return found


async def test_a_service_that_is_ready_says_so_with_its_alarms(listener: Listener) -> None:
    listener.ready = {**READY, "alarms": {"dead_letters": "3 buried within an hour"}}

    found = await asked(listener)

    assert (found.is_running, found.is_ready, found.reasons) == (True, True, [])
    assert found.alarms == ["dead letters: 3 buried within an hour"]


async def test_a_service_that_is_not_ready_gives_its_reasons(listener: Listener) -> None:
    listener.status = 503
    listener.ready = {"ready": False, "checks": {"postgres": "no answer in time", "clock": "7 s slow", "x": "ok"}}

    found = await asked(listener)

    assert (found.is_running, found.is_ready) == (True, False)
    assert found.reasons == ["postgres: no answer in time", "clock: 7 s slow"]


async def test_a_service_that_is_to_be_restarted_is_not_ready_whatever_it_says_of_itself(listener: Listener) -> None:
    listener.live = {"live": False, "reason": "it hangs"}

    found = await asked(listener)

    assert not found.is_ready
    assert found.reasons == ["it is to be restarted: it hangs"]


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe", b"[]", b"17", b""])
async def test_somebody_else_at_the_address_is_no_service_of_ours(listener: Listener, body: bytes) -> None:
    listener.live = listener.ready = body

    assert not (await asked(listener)).is_running


async def test_one_that_never_answers_and_one_that_is_not_there_keep_nobody(listener: Listener) -> None:
    listener.is_silent = True

    found = await attend([("router", listener.url), ("audit", f"http://127.0.0.1:{free_port()}")])

    assert [process.is_running for process in found] == [False, False]
    assert [process.reasons for process in found] == [[f"no answer from {process.url}"] for process in found]


def test_addresses_are_read_for_every_process() -> None:
    text = "router=http://10.0.0.5:9100/, router=http://10.0.0.6:9100,audit=https://audit.example"
    assert health_urls(text) == [
        ("router", "http://10.0.0.5:9100"),
        ("router", "http://10.0.0.6:9100"),
        ("audit", "https://audit.example"),
    ]
    assert health_urls("") == []


@pytest.mark.parametrize("text", ["router", "rooter=http://10.0.0.5:1", "router=10.0.0.5:9100", "=http://10.0.0.5"])
def test_what_is_no_address_of_a_service_is_told(text: str) -> None:
    with pytest.raises(UserError, match="WAYPOST_HEALTH_URLS"):
        health_urls(text)
