"""Tokens, forms and headers refuse what the page did not send."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from services.store_notifier.endpoints import inbox_key, key_sha256
from services.store_notifier.pages.guard import (
    MAX_FORM_BYTES,
    csrf_matches,
    csrf_of,
    hash_token,
    new_token,
    read_form,
    refuse_cross_site,
)
from services.store_notifier.pages.keys import hash_typed_key

FORM = "application/x-www-form-urlencoded"


def request(headers: Mapping[str, str], body: bytes = b"") -> Request:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    half = len(body) // 2
    messages: list[Message] = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]

    async def receive() -> Message:
        return messages.pop(0)

    return Request(scope, receive)


def test_a_key_opens_however_it_was_typed() -> None:
    key = inbox_key(lambda count: bytes(range(count)))
    typed = [key, key.upper(), key.replace("-", ""), key.replace("-", " "), f"  {key}\n"]

    assert {hash_typed_key(text) for text in typed} == {key_sha256(key)}


def test_another_key_does_not_open() -> None:
    key = inbox_key(lambda count: bytes(range(count)))

    assert hash_typed_key(key[:-1]) != key_sha256(key)
    assert hash_typed_key("") != key_sha256(key)


def test_a_form_token_belongs_to_one_session() -> None:
    mine, other = new_token(bytes(32)), new_token(bytes(31) + b"\1")

    assert csrf_matches(mine, csrf_of(mine))
    assert not csrf_matches(mine, csrf_of(other))
    assert not csrf_matches(mine, "")
    assert not csrf_matches(mine, "é")


def test_the_database_never_holds_the_token() -> None:
    token = new_token(bytes(32))

    assert token.encode() not in hash_token(token)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        new_token(b"short")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "https://inbox.example:8443", "host": "inbox.example:8443"},
        {},
    ],
)
def test_a_form_of_the_page_itself_passes(headers: dict[str, str]) -> None:
    refuse_cross_site(request(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "https://inbox.example", "host": "inbox.example"},
        {"origin": "https://evil.example", "host": "inbox.example"},
        {"origin": "null", "host": "inbox.example"},
        {"origin": "https://[inbox.example", "host": "inbox.example"},
        {"origin": "https://inbox.example"},
    ],
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(HTTPException) as refused:
        refuse_cross_site(request(headers))

    assert refused.value.status_code == 403


async def test_a_form_is_read_across_its_chunks() -> None:
    fields = {"answer": "declined", "decline_reason": "no_staff", "note": "车 & co"}

    assert await read_form(request({"content-type": f"{FORM}; charset=utf-8"}, urlencode(fields).encode())) == fields


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        (FORM, b"a=" + b"x" * MAX_FORM_BYTES, 413),
        (FORM, b"a=%00", 400),
        (FORM, b"a=%FF", 400),
        (FORM, b"\xff\xfe", 400),
        (FORM, b"no-equals-sign", 400),
    ],
)
async def test_what_is_no_small_form_is_refused(content_type: str, body: bytes, status: int) -> None:
    with pytest.raises(HTTPException) as refused:
        await read_form(request({"content-type": content_type}, body))

    assert refused.value.status_code == status


async def test_a_form_that_does_not_come_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.store_notifier.pages.guard.FORM_TIMEOUT_S", 0.05)

    async def never() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    slow = request({"content-type": FORM})
    with pytest.raises(HTTPException) as refused:
        await read_form(Request(slow.scope, never))

    assert refused.value.status_code == 408


async def test_a_form_that_breaks_off_is_refused() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(HTTPException) as refused:
        await read_form(Request(request({"content-type": FORM}).scope, gone))

    assert refused.value.status_code == 400
