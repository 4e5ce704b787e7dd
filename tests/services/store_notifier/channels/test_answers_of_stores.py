"""Stores that answer with whatever bytes they like: what the status line says, counts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.store_notifier.channels import webhook
from services.store_notifier.channels.answer_head import MOST_BYTES, AnswerHead
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind
from tests.services.store_notifier.channels.attempts import attempt_at

LOCAL = AddressGuard([ip_network("127.0.0.0/8")])
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OK = b"HTTP/1.1 200 OK\r\n"
Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def store_of(*answers: Answering) -> AsyncIterator[str]:
    """A store that reads requests, and answers the first as the first of `answers` does, and so on."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                await (left.pop(0) if len(left) > 1 else left[0])(writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


def saying(*parts: bytes, then_close: bool = True) -> Answering:
    """Writes the parts one by one."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if then_close:
            writer.close()

    return answer


async def without_end(writer: asyncio.StreamWriter, begun: bytes, more: bytes) -> None:
    """Writes for as long as somebody takes it."""
    writer.write(begun)
    while not writer.is_closing():
        writer.write(more)
        await writer.drain()
        await asyncio.sleep(0.001)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with webhook.open_session(LOCAL, 5) as session:
        yield session


DELIVERED = {
    "204 with a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
    "204 with a body and no length": b"HTTP/1.1 204 No Content\r\n\r\n<html>thanks</html>",
    "204 with chunks": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "205 with a body": b"HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok",
    "length and chunks": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "chunks and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a length below nothing": OK + b"Content-Length: -1\r\n\r\n",
    "a length that is a word": OK + b"Content-Length: none\r\n\r\n",
    "a length beyond 64 bits": OK + b"Content-Length: 99999999999999999999999\r\n\r\nok",
    "an empty length": OK + b"Content-Length:\r\n\r\n",
    "a length too long": OK + b"Content-Length: 50\r\n\r\nhello",
    "a length too short": OK + b"Content-Length: 2\r\n\r\nhello, store",
    "chunks that are none": OK + b"Transfer-Encoding: chunked\r\n\r\nhello",
    "chunks that break off": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    "chunks without an end": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip\r\n\r\nhello",
    "compressed garbage": OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "no length": OK + b"\r\nhello",
    "no fields": OK + b"\r\n",
    "an end after the status line": OK,
    "an end within the status line": b"HTTP/1.1 200 O",
    "an end within a field": OK + b"Content-Le",
    "a line that is no field": OK + b"this is no field\r\n\r\n",
    "a field with a zero byte": OK + b"X-A: b\0c\r\n\r\n",
    "a field with a blank before the colon": OK + b"X-A : b\r\nContent-Length: 0\r\n\r\n",
    "a field without a name": OK + b": b\r\n\r\n",
    "a name with blanks": OK + b"X A B: b\r\n\r\n",
    "a name beyond ASCII": OK + "店: b\r\n\r\n".encode(),
    "a value beyond UTF-8": OK + b"X-A: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    "a second line of a field": OK + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "lines by line feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "a field of a megabyte": OK + b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "ten thousand fields": OK + b"X-A: b\r\n" * 10_000 + b"\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "no reason but a blank": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "a reason beyond ASCII": "HTTP/1.1 200 好的\r\nContent-Length: 0\r\n\r\n".encode(),
    "a long reason": b"HTTP/1.1 200 " + b"O" * 20_000 + b"K\r\nContent-Length: 0\r\n\r\n",
    "another success": b"HTTP/1.1 299 Taken\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "HTTP/1.0 with chunks": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello",
    "HTTP/2 in letters": b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "an empty line first": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "many 1xx first": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50 + OK + b"Content-Length: 0\r\n\r\n",
    "102 first, then nonsense": b"HTTP/1.1 102 Processing\r\n\r\n" + OK + b"nonsense\r\n\r\n",
    "a date that is none": OK + b"Retry-After: Sun, 1 Mar 888888888888888888 09:00:00 GMT\r\n\r\n",
    "a wait of 10,000 digits": OK + b"Retry-After: " + b"9" * 7_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "a cookie that is none": OK + b"Set-Cookie: \x80=;;=\r\nContent-Length: 0\r\n\r\n",
    "a type that is none": OK + b"Content-Type: ;;;/\r\nContent-Length: 0\r\n\r\n",
    "a place to go": OK + b"Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "two answers": (OK + b"Content-Length: 0\r\n\r\n") * 2,
}


@pytest.mark.parametrize("name", DELIVERED)
async def test_a_store_that_says_2xx_has_received_it(session: aiohttp.ClientSession, name: str) -> None:
    async with store_of(saying(DELIVERED[name])) as url:
        outcome = await webhook.send(session, attempt_at(url), NOW)
    assert outcome.kind is Kind.DELIVERED, outcome


@pytest.mark.parametrize("name", [name for name, answer in DELIVERED.items() if len(answer) < 200])
async def test_it_has_in_pieces_too(session: aiohttp.ClientSession, name: str) -> None:
    async with store_of(saying(*(DELIVERED[name][at : at + 3] for at in range(0, len(DELIVERED[name]), 3)))) as url:
        outcome = await webhook.send(session, attempt_at(url), NOW)
    assert outcome.kind is Kind.DELIVERED, outcome


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (OK, b"X-A: b\r\n"),
        (OK + b"X-A: ", b"b" * 1_000),
        (OK + b"\r\n", b"b" * 100_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"hello"),
    ],
    ids=["fields", "one field", "body", "chunks", "trailers", "204"],
)
async def test_an_answer_without_end_is_an_answer(begun: bytes, more: bytes) -> None:
    async with (
        store_of(lambda writer: without_end(writer, begun, more)) as url,
        webhook.open_session(LOCAL, 1) as session,
    ):
        assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.DELIVERED


async def test_a_status_line_and_then_silence_is_an_answer() -> None:
    async with store_of(saying(OK, then_close=False)) as url, webhook.open_session(LOCAL, 0.5) as session:
        assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.DELIVERED


async def test_interim_answers_without_end_are_none() -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    async with (
        store_of(lambda writer: without_end(writer, interim, interim)) as url,
        webhook.open_session(LOCAL, 0.5) as session,
    ):
        assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.TRANSIENT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (b"500 Oops", Kind.TRANSIENT),
        (b"503 Busy", Kind.TRANSIENT),
        (b"429 Slow", Kind.TRANSIENT),
        (b"410 Gone", Kind.GONE),
        (b"404 Not Found", Kind.MISCONFIGURED),
        (b"302 Found", Kind.MISCONFIGURED),
        (b"101 Switching Protocols", Kind.MISCONFIGURED),
    ],
)
async def test_any_other_status_counts_as_well(session: aiohttp.ClientSession, status: bytes, kind: Kind) -> None:
    async with store_of(saying(b"HTTP/1.1 " + status + b"\r\nnonsense\r\n\r\n")) as url:
        outcome = await webhook.send(session, attempt_at(url), NOW)
    assert (outcome.kind, outcome.status_code) == (kind, int(status[:3]))


@pytest.mark.parametrize("ill", [b"", b"nonsense\r\n", b"Content-Length: 1\r\nContent-Length: 2\r\n"])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"40", 40.0),
        (b"Mon, 02 Mar 2026 09:00:40 GMT", 40.0),
        (b"Monday, 02-Mar-26 09:00:40 GMT", 40.0),
        (b"Mon Mar  2 09:00:40 2026", 40.0),
    ],
)
async def test_a_wait_is_heard_even_beside_nonsense(
    session: aiohttp.ClientSession, ill: bytes, value: bytes, seconds: float
) -> None:
    answer = b"HTTP/1.1 429 Slow\r\nRetry-After: " + value + b"\r\n" + ill + b"\r\n"
    async with store_of(saying(answer)) as url:
        outcome = await webhook.send(session, attempt_at(url), NOW)
    assert (outcome.kind, outcome.retry_after_s) == (Kind.TRANSIENT, seconds)


@pytest.mark.parametrize(
    "answer",
    [b"", b"\r\n\r\n", b"I am no web server\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 20x OK\r\n\r\n", b"\x15\x03\x01"],
)
async def test_what_says_no_status_is_tried_again(session: aiohttp.ClientSession, answer: bytes) -> None:
    async with store_of(saying(answer)) as url:
        assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.TRANSIENT


async def test_an_answer_too_many_is_not_taken_for_the_next_one(session: aiohttp.ClientSession) -> None:
    late, whole = asyncio.Event(), OK + b"Content-Length: 0\r\n\r\n"

    async def twice(writer: asyncio.StreamWriter) -> None:
        writer.write(whole)
        await writer.drain()
        await late.wait()
        writer.write(whole)

    busy = saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    async with store_of(twice, busy) as url:
        assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.DELIVERED
        late.set()
        await asyncio.sleep(0.05)  # until the second answer lies at our end; nothing else would show that it does
        assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.TRANSIENT


async def test_a_good_connection_is_used_again_and_a_bad_one_is_not(session: aiohttp.ClientSession) -> None:
    peers: list[object] = []

    def noting(answer: bytes) -> Answering:
        async def behave(writer: asyncio.StreamWriter) -> None:
            peers.append(writer.get_extra_info("peername"))
            writer.write(answer)

        return behave

    good, bad = OK + b"Content-Length: 2\r\n\r\nok", b"HTTP/1.1 204 No Content\r\n\r\nhello"
    async with store_of(noting(good), noting(good), noting(bad), noting(good)) as url:
        for _ in range(4):
            assert (await webhook.send(session, attempt_at(url), NOW)).kind is Kind.DELIVERED
    assert peers[0] == peers[1] == peers[2] != peers[3]


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(200, 999), st.data())
def test_the_status_does_not_depend_on_how_the_bytes_come(noise: list[bytes], status: int, data: st.DataObject) -> None:
    answer = b"HTTP/1.1 %d Any\r\n" % status + b"".join(noise)
    head, at = AnswerHead(), 0
    while at < len(answer):
        size = data.draw(st.integers(1, len(answer) - at))
        head.feed(answer[at : at + size])
        at += size
    assert head.status == status


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_any_bytes_are_looked_at_without_harm(parts: list[bytes]) -> None:
    head = AnswerHead()
    for part in parts:
        head.feed(part)
    assert head.status is None or 100 <= head.status <= 999
    assert head.retry_after is None or isinstance(head.retry_after, str)


def test_little_is_kept_of_an_answer_without_end() -> None:
    head = AnswerHead()
    for _ in range(1_000):
        head.feed(b"a" * MOST_BYTES)
    assert head.status is None
    assert len(head._kept) == MOST_BYTES
