"""What an application gets to see of a request, and what a peer hears when the application fails."""

import orjson
import pytest

from tests.ports.cases import CHUNKED, FIVE, GOOD, request
from tests.ports.raw import Closed, connected
from tests.ports.small_server import PATIENT, ask, server_of


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
