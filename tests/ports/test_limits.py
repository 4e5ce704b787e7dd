"""What the server itself allows a peer: sizes, times, connections. The application here only says what it was given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.http_server import ServerLimits, application, serve
from tests.ports.cases import CHUNKED, FIVE, GOOD, request
from tests.ports.raw import Closed, Peer, Reply, connected
from tests.services.store_notifier.process import free_port

LONG_S = 600.0
QUICK = 0.3
PATIENT = ServerLimits(head_s=LONG_S, body_s=LONG_S, idle_s=LONG_S, rest_s=LONG_S, take_s=LONG_S)


async def tell(request: Request) -> Response:
    """What came in."""
    body = await request.body()
    return JSONResponse({"fields": dict(request.headers), "body": body.decode(), "path": request.url.path})


async def fail(_: Request) -> Response:
    """A fault that quotes what nobody may read."""
    raise RuntimeError("the secret of the application")


async def break_off(_: Request) -> Response:
    """A fault in the middle of an answer."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("the secret of the application")

    return StreamingResponse(parts())


async def flood(_: Request) -> Response:
    """An answer that fills every buffer on its way."""
    return Response(b"x" * 64 * 1024 * 1024)


@asynccontextmanager
async def server_of(limits: ServerLimits) -> AsyncIterator[int]:
    """The port of a running server; its end ends every connection."""
    routes = [
        Route("/tell", tell, methods=["GET", "POST"]),
        Route("/fail", fail),
        Route("/break-off", break_off),
        Route("/flood", flood),
    ]
    stop, port = asyncio.Event(), free_port()
    running = asyncio.create_task(serve(application(routes), "127.0.0.1", port, stop, name="test", limits=limits))
    try:
        while not running.done():
            try:
                async with connected(port):
                    break
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
        yield port
    finally:
        stop.set()
        await running


async def ask(port: int, sent: bytes) -> Reply:
    """One request on a connection of its own."""
    async with connected(port) as peer:
        await peer.say(sent)
        return await peer.hear()


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


async def test_trailers_change_no_field() -> None:
    sent = request(
        CHUNKED,
        b"Authorization: Bearer mine",
        method=b"POST",
        target=b"/tell",
        body=b"5\r\nhello\r\n0\r\nAuthorization: Bearer other\r\nHost: elsewhere.example\r\nX-A: b\r\n\r\n",
    )
    async with server_of(PATIENT) as port:
        told = orjson.loads((await ask(port, sent)).body)
    assert told["body"] == "hello"
    assert told["fields"]["authorization"] == "Bearer mine"
    assert told["fields"]["host"] == "waypost.example"
    assert "x-a" not in told["fields"]


@pytest.mark.parametrize("framing", [(FIVE, b"hello"), (CHUNKED, b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")])
async def test_a_wish_for_http_2_is_passed_over_and_the_body_is_taken(framing: tuple[bytes, bytes]) -> None:
    field, body = framing
    wish = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")
    sent = request(*wish, field, b"X-A: b", method=b"POST", target=b"/tell", body=body)
    async with server_of(PATIENT) as port, connected(port) as peer:
        for _ in range(3):
            await peer.say(sent)
            told = orjson.loads((await peer.hear()).body)
            assert told["body"] == "hello"
            assert told["fields"]["x-a"] == "b"
            assert "upgrade" not in told["fields"]


async def test_who_waits_for_leave_gets_it() -> None:
    async with server_of(PATIENT) as port, connected(port) as peer:
        await peer.say(request(FIVE, b"Expect: 100-continue", method=b"POST", target=b"/tell"))
        leave = await peer.reader.readuntil(b"\r\n\r\n")
        assert leave == b"HTTP/1.1 100 Continue\r\n\r\n"
        await peer.say(b"hello")
        assert orjson.loads((await peer.hear()).body)["body"] == "hello"
        await peer.say(GOOD)
        assert (await peer.hear()).status == 404


async def test_an_absolute_target_names_a_path() -> None:
    async with server_of(PATIENT) as port:
        reply = await ask(port, request(target=b"http://waypost.example/tell?a=b"))
    assert orjson.loads(reply.body)["path"] == "/tell"


async def test_many_requests_sent_ahead_are_refused_after_those_before_them() -> None:
    async with server_of(PATIENT) as port, connected(port) as peer:
        await peer.say(GOOD * 2_000)
        statuses = []
        while True:
            try:
                statuses.append((await peer.hear()).status)
            except Closed:
                break
    assert statuses[-1] == 400
    assert set(statuses[:-1]) == {404}


async def test_a_fault_of_ours_is_a_problem_without_its_reason(capfd: pytest.CaptureFixture[str]) -> None:
    async with server_of(PATIENT) as port, connected(port) as peer:
        await peer.say(request(target=b"/fail"))
        reply = await peer.hear()
        assert (reply.status, reply.is_problem) == (500, True)
        await peer.say(GOOD)
        assert (await peer.hear()).status == 404
    told = "".join(capfd.readouterr())
    assert "request.failed" in told
    assert "secret" not in told + reply.body.decode()
    assert "Traceback" not in told


async def test_half_an_answer_does_not_look_whole(capfd: pytest.CaptureFixture[str]) -> None:
    async with server_of(PATIENT) as port, connected(port) as peer:
        await peer.say(request(target=b"/break-off"))
        assert b"200" in await peer.reader.readuntil(b"\r\n\r\n")
        assert await peer.reader.read() == b"4\r\nhalf\r\n"
    told = "".join(capfd.readouterr())
    assert "secret" not in told
    assert "Traceback" not in told


async def test_other_methods_and_addresses_are_problems() -> None:
    async with server_of(PATIENT) as port:
        wrong = await ask(port, request(FIVE, method=b"PUT", target=b"/tell", body=b"hello"))
        slash = await ask(port, request(target=b"/tell/", host=b"Host: elsewhere.example"))
    assert (wrong.status, wrong.is_problem) == (405, True)
    assert {"GET", "POST"} <= set(wrong.fields["allow"].replace(" ", "").split(","))
    assert (slash.status, slash.is_problem) == (404, True)
    assert "location" not in slash.fields
