"""Over HTTP: what is wrong is a problem document that says what to do, and costs nobody else anything."""

import asyncio
from typing import Any

import orjson
import pytest

from shared.access_keys import hash_of
from tests.services.lead_intake.builders import lead_json
from tests.services.lead_intake.running import Answer, Installation, IntakeProcess, add_source, until


def problem(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json
    assert document["status"] == status
    assert document["type"].startswith("urn:waypost:problem:")
    return document


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        ('{"contact":"测试"}'.encode("gbk"), "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"intent":"purchase"}', "application/json", 422),
        (orjson.dumps(lead_json(contact={"phone": "\u0000"})), "application/json", 422),
        (b"x" * (64 * 1024 + 1), "application/json", 413),
        (b"x" * (256 * 1024 + 1), "application/x-ndjson", 413),
        (b"x" * (256 * 1024 + 1), "text/xml", 413),
        (b"\n" * 1000, "application/x-ndjson", 400),
        (b"<adf></adf>", "text/xml", 400),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><adf>&b;</adf>', "text/xml", 400),
        (b"intent=purchase", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/json; charset=gbk", 415),
        (b"{}", "", 415),
    ],
)
async def test_garbage_is_refused_with_a_reason(
    intake: IntakeProcess, body: bytes, content_type: str, status: int
) -> None:
    problem(await intake.post(body, content_type=content_type), status)

    assert (await intake.post()).status == 202


CONTACT = "<contact><name>测试</name><phone>13900000001</phone></contact>"
PROSPECT = f"<adf><prospect><customer>{CONTACT}</customer></prospect></adf>"


@pytest.mark.parametrize(
    "charset",
    [
        "undefined",
        "base64",
        "hex",
        "zlib",
        "idna",
        "punycode",
        "unicode_escape",
        "utf-7",
        "utf-16",
        "x" * 200,
        '"',
        "é",
    ],
)
async def test_a_charset_that_is_none_refuses_no_file(intake: IntakeProcess, charset: str) -> None:
    answer = await intake.post(PROSPECT.encode("gbk"), content_type=f"text/xml; charset={charset}")

    assert answer.status == 202, answer.body
    assert "GB 18030" in answer.json["warnings"][0]["detail"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml; charset=gbk",
        'text/xml; boundary=x; charset="GBK"',
        "text/xml;CHARSET='gb2312' ; x=y",
        "text/xml;charset=gb18030;",
    ],
)
async def test_a_charset_is_read_wherever_it_stands(intake: IntakeProcess, content_type: str) -> None:
    answer = await intake.post(PROSPECT.encode("gbk"), content_type=content_type)

    assert (answer.status, "warnings" in answer.json) == (202, False)


async def test_a_length_of_thousands_of_digits_is_refused(intake: IntakeProcess) -> None:
    reader, writer = await _open(intake, b"content-length: " + b"9" * 5_000)

    status = await reader.readline()

    assert status.split()[1] in (b"400", b"413")
    writer.close()


async def test_a_compressed_body_is_refused(intake: IntakeProcess) -> None:
    problem(await intake.post(b"\x1f\x8b", content_encoding="gzip"), 415)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wpk_guess", "Basic d2VicGs6eA==", "Bearer \u00e9"])
async def test_an_unknown_sender_is_refused(intake: IntakeProcess, authorization: str) -> None:
    answer = await intake.post(authorization=authorization)

    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_key_stops_working(installation: Installation, intake: IntakeProcess) -> None:
    key = await add_source(installation, "leaving")
    assert (await intake.post(authorization=f"Bearer {key}")).status == 202

    await installation.rows("UPDATE source_keys SET revoked_at = now() WHERE key_hash = $1", hash_of(key))

    async def refused() -> bool:
        return (await intake.post(authorization=f"Bearer {key}")).status == 401

    await until(refused, "the revoked key still works")


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_malformed_idempotency_key_is_refused(intake: IntakeProcess, key: str) -> None:
    problem(await intake.post(idempotency_key=key), 400)


async def test_headers_that_are_too_large_are_refused(intake: IntakeProcess) -> None:
    extra = {f"x-filler-{n}": "x" * 4_000 for n in range(5)}

    problem(await intake.post(None, **extra), 431)


async def test_other_addresses_and_methods_are_problems_too(intake: IntakeProcess) -> None:
    problem(await intake.get("/v1/nothing"), 404)
    wrong_method = await intake.get("/v1/leads")
    problem(wrong_method, 405)
    assert wrong_method.headers["allow"] == "POST"


async def test_a_body_without_end_is_cut_at_the_limit(intake: IntakeProcess) -> None:
    reader, writer = await _open(intake, b"transfer-encoding: chunked")
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"

    writer.write(chunk * 20)
    status = await reader.readline()

    assert b" 413 " in status
    writer.close()


async def test_a_slow_body_is_given_up_while_others_are_served(installation: Installation) -> None:
    async with installation.running(intake_body_timeout="PT1S") as intake:
        reader, writer = await _open(intake, b"content-length: 100")
        writer.write(b"{")

        assert (await intake.post()).status == 202
        async with asyncio.timeout(60):
            status = await reader.readline()

        assert b" 408 " in status
        writer.close()


async def test_a_sender_that_goes_away_harms_nobody(intake: IntakeProcess) -> None:
    for _ in range(20):
        _, writer = await _open(intake, b"content-length: 100")
        writer.write(b"{")
        writer.transport.abort()

    assert (await intake.post()).status == 202


async def test_browser_forms_of_allowed_origins_may_post_and_read_refusals(installation: Installation) -> None:
    async with installation.running(intake_allowed_origins='["https://cars.example"]') as intake:
        allowed = await intake.post({}, origin="https://cars.example")
        other = await intake.post({}, origin="https://elsewhere.example")
        asked = await intake.ask(origin="https://cars.example", headers="authorization,content-type,idempotency-key")
        asked_elsewhere = await intake.ask(origin="https://elsewhere.example", headers="content-type")

    assert (asked.status, asked_elsewhere.status) == (200, 400)
    problem(allowed, 422)
    assert allowed.headers["access-control-allow-origin"] == "https://cars.example"
    assert "access-control-allow-credentials" not in allowed.headers
    assert "access-control-allow-origin" not in other.headers


async def _open(intake: IntakeProcess, header: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    writer.write(
        b"POST /v1/leads HTTP/1.1\r\nhost: intake\r\ncontent-type: application/json\r\nauthorization: Bearer "
        + intake.installation.key.encode()
        + b"\r\n"
        + header
        + b"\r\n\r\n"
    )
    return reader, writer
