"""What only the services know: leads over strange connections, and addresses with anything in them."""

import asyncio
from contextlib import AsyncExitStack

import orjson
import psutil
import pytest

from tests.ports.cases import CHUNKED, request
from tests.ports.conftest import Ports
from tests.ports.raw import Peer, Reply, connected
from tests.services.lead_intake.builders import lead_json

JSON = b"Content-Type: application/json"
MEGABYTE = 1024 * 1024
HEADER_MEGABYTES = 60
HALF_OPEN = 100


def key_of(ports: Ports) -> bytes:
    return b"Authorization: Bearer " + ports.installation.key.encode()


async def ask(ports: Ports, port: str, sent: bytes) -> Reply:
    async with connected(ports.number(port)) as peer:
        await peer.say(sent)
        return await peer.hear()


def chunks_of(body: bytes, trailers: bytes = b"") -> bytes:
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n" + trailers + b"\r\n"


@pytest.mark.parametrize(
    "wish",
    [
        (),
        (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
        (b"Connection: Upgrade", b"Upgrade: TLS/1.3, h2c"),
    ],
    ids=["none", "h2c", "several"],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_a_lead_is_taken_whatever_else_the_sender_would_rather_speak(
    ports: Ports, wish: tuple[bytes, ...], chunked: bool
) -> None:
    body = orjson.dumps(lead_json())
    framing = CHUNKED if chunked else b"Content-Length: %d" % len(body)
    sent = request(
        key_of(ports),
        JSON,
        framing,
        *wish,
        method=b"POST",
        target=b"/v1/leads",
        body=chunks_of(body) if chunked else body,
    )
    assert (await ask(ports, "intake", sent)).status == 202


async def test_a_trailer_is_no_key(ports: Ports) -> None:
    body = chunks_of(orjson.dumps(lead_json()), key_of(ports) + b"\r\n")
    sent = request(b"Authorization: Bearer wpk_none", JSON, CHUNKED, method=b"POST", target=b"/v1/leads", body=body)
    without = request(JSON, CHUNKED, method=b"POST", target=b"/v1/leads", body=body)
    for each in (sent, without):
        reply = await ask(ports, "intake", each)
        assert (reply.status, reply.is_problem) == (401, True)


async def test_a_websocket_is_refused_before_anything_else(ports: Ports) -> None:
    wish = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: AAAA", b"Sec-WebSocket-Version: 13")
    for port, target in (
        ("intake", b"/v1/leads"),
        ("notifier", b"/inbox/a-site/events"),
        ("intake's metrics", b"/metrics"),
    ):
        reply = await ask(ports, port, request(*wish, target=target))
        assert (reply.status, reply.is_problem) == (400, True)


@pytest.mark.parametrize(
    ("port", "target"),
    [
        ("intake", b"/v1/leads/"),
        ("intake", b"/v1/leads/00000000-0000-0000-0000-000000000000/"),
        ("intake", b"/internal/contacts/"),
        ("notifier", b"/inbox"),
        ("notifier", b"/inbox/"),
        ("notifier", b"/inbox/a-site/"),
        ("notifier", b"/inbox/a-site/login/"),
        ("notifier", b"/v1/assignments/00000000-0000-0000-0000-000000000000/1/"),
        ("intake's metrics", b"/metrics/"),
        ("notifier's metrics", b"/healthz/ready/"),
    ],
)
async def test_nobody_is_sent_to_the_host_that_the_request_names(ports: Ports, port: str, target: bytes) -> None:
    for method in (b"GET", b"POST"):
        sent = request(b"Content-Length: 0", method=method, target=target, host=b"Host: elsewhere.example")
        reply = await ask(ports, port, sent)
        assert reply.status in (401, 404, 405)
        assert "elsewhere" not in str(reply)
        assert "location" not in reply.fields


@pytest.mark.parametrize(
    "lead_id",
    [
        b"7" * 5_000,
        b"%00",
        b"%ff",
        b"..",
        b"%2e%2e%2f",
        b"{00000000-0000-0000-0000-000000000000}",
        b"urn:uuid:00000000-0000-0000-0000-000000000000",
        b"%D9%A1" * 32,
        b"00000000-0000-0000-0000-000000000000?a=" + b"b" * 5_000,
    ],
    ids=lambda lead_id: lead_id[:12].decode(),
)
async def test_no_such_lead(ports: Ports, lead_id: bytes) -> None:
    reply = await ask(ports, "intake", request(key_of(ports), target=b"/v1/leads/" + lead_id))
    assert (reply.status, reply.is_problem) == (404, True)


@pytest.mark.parametrize(
    ("port", "method", "target", "allow"),
    [
        ("intake", b"GET", b"/v1/leads", "POST"),
        ("intake", b"TRACE", b"/v1/leads", "POST"),
        ("intake", b"PUT", b"/v1/leads/x", "GET"),
        ("notifier", b"DELETE", b"/v1/assignments/00000000-0000-0000-0000-000000000000/1", "GET, HEAD"),
        ("intake's metrics", b"POST", b"/metrics", "GET, HEAD"),
        ("notifier's metrics", b"PATCH", b"/healthz/live", "GET, HEAD"),
    ],
)
async def test_what_an_address_does_not_take_is_told(
    ports: Ports, port: str, method: bytes, target: bytes, allow: str
) -> None:
    reply = await ask(ports, port, request(b"Content-Length: 0", method=method, target=target))
    assert (reply.status, reply.is_problem) == (405, True)
    assert set(reply.fields["allow"].split(", ")) == set(allow.split(", "))


async def test_a_header_without_end_fills_no_memory(ports: Ports) -> None:
    process = psutil.Process(ports.intake.pid)
    before = process.memory_info().rss
    async with connected(ports.intake.port) as peer:
        await peer.say(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ")
        for _ in range(HEADER_MEGABYTES):
            await peer.say(b"a" * MEGABYTE)
        reply = await peer.hear()
    assert (reply.status, reply.is_problem) == (431, True)
    assert process.memory_info().rss - before < HEADER_MEGABYTES * MEGABYTE / 4


async def test_half_open_connections_are_closed_while_others_are_served(ports: Ports) -> None:
    async with (
        ports.installation.running(http_head_timeout_s="1", http_connections="120") as intake,
        AsyncExitStack() as stack,
    ):
        peers: list[Peer] = [await stack.enter_async_context(connected(intake.port)) for _ in range(HALF_OPEN)]
        for peer in peers[::2]:
            await peer.say(b"POST /v1/leads HTTP/1.1\r\nHost: a\r\nX-A: b")
        assert (await intake.post()).status == 202
        statuses = [(await peer.hear()).status for peer in peers[::2]]
        assert statuses == [408] * (HALF_OPEN // 2)
        assert all(await asyncio.gather(*(peer.is_closed() for peer in peers)))
        assert (await intake.post()).status == 202
