"""What the server itself allows a peer: sizes, times, connections."""

import asyncio
from contextlib import AsyncExitStack

import orjson
import pytest

from shared.http_server import ServerLimits
from tests.ports.cases import CHUNKED, FIVE, GOOD, request
from tests.ports.raw import Peer, connected
from tests.ports.small_server import LONG_S, PATIENT, ask, server_of

QUICK = 0.3


async def is_refused(peer: Peer, status: int) -> None:
    reply = await peer.hear()
    assert (reply.status, reply.is_problem, reply.fields["connection"]) == (status, True, "close")
    assert await peer.is_closed()


async def test_a_header_that_does_not_end_is_given_up() -> None:
    async with (
        server_of(ServerLimits(head_s=QUICK)) as port,
        connected(port) as silent,
        connected(port) as slow,
        connected(port) as empty,
    ):
        await slow.say(b"GET /tell HTTP/1.1\r\nHost: a\r\nX-A: ")
        await empty.say(b"\r\n")
        await is_refused(slow, 408)
        await is_refused(empty, 408)
        # Nobody asked anything here, so nobody is answered.
        assert await silent.is_closed()
        assert (await ask(port, GOOD)).status == 404


async def test_a_header_that_drips_is_given_up_all_the_same() -> None:
    async with server_of(ServerLimits(head_s=QUICK)) as port, connected(port) as peer:

        async def drip() -> None:
            await peer.say(b"GET /tell HTTP/1.1\r\nHost: a\r\n")
            while True:
                await peer.say(b"X-A: b\r\n")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        try:
            reply = await peer.hear()
        finally:
            dripping.cancel()
        assert (reply.status, reply.is_problem) == (408, True)


async def test_a_second_header_has_its_limit_too() -> None:
    async with server_of(ServerLimits(head_s=QUICK)) as port, connected(port) as peer:
        await peer.say(GOOD + GOOD[:20])
        assert (await peer.hear()).status == 404
        await is_refused(peer, 408)


@pytest.mark.parametrize(
    "begun",
    [
        request(FIVE, method=b"POST", target=b"/tell", body=b"he"),
        request(CHUNKED, method=b"POST", target=b"/tell", body=b"5\r\nhe"),
        request(CHUNKED, method=b"POST", target=b"/tell", body=b"5\r\nhello\r\n0\r\nX-A: b"),
    ],
    ids=["length", "chunks", "trailers"],
)
async def test_a_body_that_does_not_end_is_given_up(begun: bytes) -> None:
    async with server_of(ServerLimits(body_s=QUICK)) as port, connected(port) as peer:
        await peer.say(begun)
        await is_refused(peer, 408)


async def test_the_rest_of_a_body_that_nobody_waits_for_is_taken_for_a_moment() -> None:
    late = request(FIVE, method=b"POST")
    async with (
        server_of(ServerLimits(rest_s=QUICK)) as port,
        connected(port) as never,
        connected(port) as soon,
        connected(port) as wrong,
    ):
        for peer in (never, soon):
            await peer.say(late)
            assert (await peer.hear()).status == 404
        await soon.say(b"hello" + GOOD)
        assert (await soon.hear()).status == 404
        assert await never.is_closed()
        await wrong.say(request(CHUNKED, method=b"POST"))
        assert (await wrong.hear()).status == 404
        await wrong.say(b"no chunk\r\n")
        assert await wrong.is_closed()


async def test_who_does_nothing_is_sent_away() -> None:
    async with server_of(ServerLimits(idle_s=QUICK)) as port, connected(port) as peer:
        await peer.say(GOOD)
        assert (await peer.hear()).status == 404
        assert await peer.is_closed()


async def test_who_does_not_take_the_answer_is_cut_off() -> None:
    async with server_of(ServerLimits(take_s=QUICK)) as port, connected(port) as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await peer.say(request(target=b"/flood"))
        while not peer.writer.transport.is_closing():
            await asyncio.sleep(0.05)
            await peer.say(b"x")
        assert (await ask(port, GOOD)).status == 404


async def test_too_many_connections_are_told_so_and_the_next_ones_are_served() -> None:
    limits = ServerLimits(head_s=LONG_S, connections=8)
    async with server_of(limits) as port:
        async with AsyncExitStack() as stack:
            held = [await stack.enter_async_context(connected(port)) for _ in range(8)]
            for peer in held:
                await peer.say(b"GET /tell HTTP/1.1\r\nHost: a\r\n")
            async with connected(port) as one_more:
                await is_refused(one_more, 503)
            await held[0].say(b"\r\n")
            assert (await held[0].hear()).status == 200
        while (await ask(port, GOOD)).status == 503:
            await asyncio.sleep(0.05)
        assert (await ask(port, GOOD)).status == 404


async def test_who_does_nothing_makes_room_for_who_comes() -> None:
    limits = ServerLimits(idle_s=LONG_S, crowded_idle_s=QUICK, connections=8)
    async with server_of(limits) as port, AsyncExitStack() as stack:
        held = [await stack.enter_async_context(connected(port)) for _ in range(8)]
        for peer in held:
            await peer.say(GOOD)
            assert (await peer.hear()).status == 404
        for peer in held:
            assert await peer.is_closed()
        assert (await ask(port, GOOD)).status == 404


async def test_a_server_that_stops_waits_for_nobody_who_has_asked_nothing() -> None:
    async with AsyncExitStack() as stack:
        async with server_of(PATIENT) as port:
            peers = [await stack.enter_async_context(connected(port)) for _ in range(3)]
            await peers[1].say(b"GET /tell HTTP/1.1\r\nHost")
            await peers[2].say(GOOD)
            assert (await peers[2].hear()).status == 404
        for peer in peers:
            assert await peer.is_closed()


async def test_what_surrounds_the_chunks_is_limited() -> None:
    begun = request(CHUNKED, method=b"POST", target=b"/tell")
    for padding in (b"0" * 400_000, b"5;" + b"a" * 400_000, b"5;a\r\nhello\r\n0\r\nX-A: " + b"a" * 400_000):
        async with server_of(PATIENT) as port, connected(port) as peer:
            await peer.say(begun)
            await peer.say(padding)
            reply = await peer.hear()
            assert reply.status in (400, 431)
            assert reply.is_problem
            assert await peer.is_closed()


async def test_chunks_of_a_byte_each_are_taken() -> None:
    async with server_of(PATIENT) as port:
        sent = request(CHUNKED, method=b"POST", target=b"/tell", body=b"1\r\nx\r\n" * 30_000 + b"0\r\n\r\n")
        reply = await ask(port, sent)
    assert orjson.loads(reply.body)["body"] == "x" * 30_000
