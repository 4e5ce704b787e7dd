"""One attempt against stores that are kind, slow, broken or hostile. Every one of them really listens."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from services.store_notifier.channels import webhook
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind
from shared import signatures
from tests.services.store_notifier.channels.attempts import OTHER_SECRET, SECRET, attempt_at
from tests.services.store_notifier.world import Behaviour, Received, Store, now

LOCAL = AddressGuard([ip_network("127.0.0.0/8")])


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with webhook.open_session(LOCAL, 2) as session:
        yield session


def saying(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Behaviour:
    async def behave(_: web.Request, __: Received) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, body=body)

    return behave


def test_the_public_vector_of_standard_webhooks_gives_its_signature() -> None:
    signature = signatures.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_store_can_verify_what_it_gets_with_a_library_of_its_choice(session: aiohttp.ClientSession) -> None:
    async with Store() as store:
        attempt = attempt_at(store.url)
        outcome = await webhook.send(session, attempt, now())
    assert (outcome.kind, outcome.status_code) == (Kind.DELIVERED, 204)
    (received,) = store.received
    assert Verifier(SECRET).verify(received.body, received.headers) == {"test": "店"}
    assert received.body == attempt.body
    assert received.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert received.headers["accept-encoding"] == "identity"
    assert received.headers["traceparent"].split("-")[1] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert received.headers["traceparent"] != attempt.traceparent


async def test_during_a_rotation_the_old_and_the_new_secret_both_verify(session: aiohttp.ClientSession) -> None:
    async with Store() as store:
        await webhook.send(session, attempt_at(store.url, secrets=(SECRET, OTHER_SECRET)), now())
        await webhook.send(session, attempt_at(store.url, secrets=(SECRET,)), now())
    rotating, rotated = store.received
    Verifier(SECRET).verify(rotating.body, rotating.headers)
    Verifier(OTHER_SECRET).verify(rotating.body, rotating.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(OTHER_SECRET).verify(rotated.body, rotated.headers)


async def test_a_tampered_body_does_not_verify(session: aiohttp.ClientSession) -> None:
    async with Store() as store:
        await webhook.send(session, attempt_at(store.url), now())
    (received,) = store.received
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(received.body + b" ", received.headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(session: aiohttp.ClientSession, status: int) -> None:
    async with Store() as inside, Store(saying(status, {"location": inside.url})) as store:
        outcome = await webhook.send(session, attempt_at(store.url), now())
        assert inside.received == []
    assert (outcome.kind, outcome.status_code) == (Kind.MISCONFIGURED, status)


async def test_gone_is_heard(session: aiohttp.ClientSession) -> None:
    async with Store(saying(410)) as store:
        assert (await webhook.send(session, attempt_at(store.url), now())).kind is Kind.GONE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("99999999999999999999", 9_999_999_999.0),
        (format_datetime(datetime(2026, 3, 2, 9, 1, tzinfo=UTC), usegmt=True), 60.0),
        (format_datetime(datetime(2020, 3, 2, 9, 1, tzinfo=UTC), usegmt=True), 0.0),
        ("Monday, 02-Mar-26 09:01:00 GMT", 60.0),
        ("Mon Mar  2 09:01:00 2026", 60.0),
        ("soon", None),
        ("-5", None),
        ("Mon, 99 Foo 2026", None),
    ],
)
async def test_retry_after_is_read_in_seconds_as_a_date_or_not_at_all(
    session: aiohttp.ClientSession, value: str, seconds: float | None
) -> None:
    async with Store(saying(429, {"retry-after": value})) as store:
        outcome = await webhook.send(session, attempt_at(store.url), datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    assert (outcome.kind, outcome.retry_after_s) == (Kind.TRANSIENT, seconds)


async def test_a_store_that_takes_the_request_and_says_nothing_is_left_at_the_deadline() -> None:
    async def hang(request: web.Request, _: Received) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with Store(hang) as store, webhook.open_session(LOCAL, 0.3) as session:
        outcome = await webhook.send(session, attempt_at(store.url), now())
    assert (outcome.kind, outcome.detail) == (Kind.TRANSIENT, "no answer in time")


async def test_a_body_that_drips_for_ever_does_not_hold_the_sender_and_does_not_undo_a_yes() -> None:
    async def drip(request: web.Request, _: Received) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.02)

    async with Store(drip) as store, webhook.open_session(LOCAL, 0.5) as session:
        outcome = await webhook.send(session, attempt_at(store.url), now())
    assert (outcome.kind, outcome.status_code) == (Kind.DELIVERED, 200)


async def test_a_huge_body_is_not_read() -> None:
    sent = 0

    async def flood(request: web.Request, _: Received) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        for _chunk in range(200):
            await response.write(b"x" * 1024 * 1024)
            sent += 1
        return response

    async with Store(flood) as store, webhook.open_session(LOCAL, 5) as session:
        outcome = await webhook.send(session, attempt_at(store.url), now())
    assert outcome.kind is Kind.TRANSIENT
    # What the kernel's buffers took is not ours to refuse; the other 190 MB never left.
    assert sent < 20


async def test_a_compressed_body_is_not_unpacked(session: aiohttp.ClientSession) -> None:
    async with Store(saying(200, {"content-encoding": "gzip"}, b"this is no gzip")) as store:
        assert (await webhook.send(session, attempt_at(store.url), now())).kind is Kind.DELIVERED


async def test_a_connection_that_is_reset_after_the_request_has_an_unknown_outcome_and_is_tried_again(
    session: aiohttp.ClientSession,
) -> None:
    async def reset(request: web.Request, _: Received) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with Store(reset) as store:
        assert (await webhook.send(session, attempt_at(store.url), now())).kind is Kind.TRANSIENT


async def test_a_port_where_nobody_listens_is_tried_again(session: aiohttp.ClientSession) -> None:
    async with Store() as store:
        url = store.url
    assert (await webhook.send(session, attempt_at(url), now())).kind is Kind.TRANSIENT


async def test_an_answer_that_is_no_http_is_tried_again(session: aiohttp.ClientSession) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"I am no web server\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await webhook.send(session, attempt_at(f"http://127.0.0.1:{port}/"), now())
    assert outcome.kind is Kind.TRANSIENT


@pytest.mark.parametrize("headers", [{"x": "y" * 20_000}, {f"x-{n}": "y" for n in range(200)}])
async def test_headers_without_measure_do_not_undo_a_yes(
    session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    async with Store(saying(200, headers)) as store:
        outcome = await webhook.send(session, attempt_at(store.url), now())
    assert outcome.kind is Kind.DELIVERED


async def test_cookies_are_not_kept(session: aiohttp.ClientSession) -> None:
    async with Store(saying(204, {"set-cookie": "who=me; Path=/"})) as store:
        for _ in range(2):
            await webhook.send(session, attempt_at(store.url), now())
    assert "cookie" not in store.received[1].headers


async def test_the_timestamp_is_the_senders_clock_so_a_replay_goes_stale(session: aiohttp.ClientSession) -> None:
    async with Store() as store:
        await webhook.send(session, attempt_at(store.url), now() - timedelta(minutes=6))
    (received,) = store.received
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(received.body, received.headers)
