"""Endpoints as operators make them: checked addresses, sealed secrets, and the command."""

import asyncio
import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from random import Random
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook as Verifier

from services.store_notifier import endpoints
from services.store_notifier.db import endpoints as rows
from services.store_notifier.db import inbox
from services.store_notifier.dial import AddressGuard
from services.store_notifier.endpoint_url import check_url
from services.store_notifier.settings import NotifierSettings
from services.store_notifier.sweeping import Sweeper
from shared.errors import UserError
from shared.keys import Keys
from shared.postgres import Connection, Pool, acquire
from tests.services.store_notifier.channels.raw_store import saying, store_of
from tests.services.store_notifier.setting_up import PARTNER, SITE, add_webhook, handle
from tests.services.store_notifier.world import Lead, Store, now
from tests.waypost_command import Ran, run_waypost

LOCAL = AddressGuard([ip_network("127.0.0.0/8")])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://127.0.0.1/", "https://"),
        ("https:///path", "https://"),
        ("not a url", "https://"),
        ("https://user:password@127.0.0.1/", "user or a password"),
        ("https://127.0.0.1/#part", "fragment"),
        ("https://10.0.0.1/", "not on the public internet"),
        ("https://[::1]/", "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "not on the public internet"),
        ("https://1.1.1.1/", "names a host"),
        ("https://0x01010101/", "names a host"),
        ("http://1.1.1.1/", "https://"),
        ("https://1.1.1.1:22/", "port 22"),
        ("https://no-such-host.invalid/", "cannot be found"),
        ("https://" + "a" * 300 + "/", "cannot be found"),
        ("https://127.0.0.1/" + "a" * 3000, "https://"),
    ],
)
async def test_an_address_that_cannot_work_is_refused_with_what_to_change(url: str, words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)) as refusal:
        await check_url(url, LOCAL)
    assert "password@" not in refusal.value.message


async def test_a_store_on_an_allowed_network_may_be_plain_and_on_any_port() -> None:
    assert await check_url("http://127.0.0.1:9999/hook", LOCAL) == "http://127.0.0.1:9999/hook"


def test_a_sealed_secret_opens_for_its_endpoint_only(keys: Keys) -> None:
    mine, other = uuid4(), uuid4()
    sealed = endpoints.seal("whsec_test", mine, keys.endpoint_key, os.urandom)
    assert b"whsec" not in sealed
    assert endpoints.unseal(sealed, mine, keys.endpoint_key) == "whsec_test"
    attempts: list[Callable[[], str]] = [
        lambda: endpoints.unseal(sealed, other, keys.endpoint_key),
        lambda: endpoints.unseal(sealed, mine, bytes(32)),
        lambda: endpoints.unseal(sealed[:-1] + b"x", mine, keys.endpoint_key),
        lambda: endpoints.unseal(b"\x02" + sealed[1:], mine, keys.endpoint_key),
    ]
    for wrong in attempts:
        with pytest.raises(ValueError, match="secret of endpoint"):
            wrong()


async def test_a_rotation_keeps_the_secret_before_and_a_second_one_drops_the_first(pool: Pool, keys: Keys) -> None:
    made = await add_webhook(pool, keys, "http://127.0.0.1:9/")

    async def rotate() -> str:
        return await endpoints.rotate(pool, made.endpoint_id, key=keys.endpoint_key, random_bytes=os.urandom, now=now())

    async def secrets() -> tuple[str, ...]:
        async with acquire(pool) as connection:
            row = await rows.find(connection, made.endpoint_id)
        assert row is not None
        return endpoints.secrets_of(row, keys.endpoint_key, now())

    assert await secrets() == (made.secret,)
    second = await rotate()
    assert await secrets() == (second, made.secret)
    third = await rotate()
    assert await secrets() == (third, second)


async def test_an_inbox_key_is_replaced_with_all_its_log_ins(db: Connection, pool: Pool, keys: Keys) -> None:
    first = await endpoints.add_inbox(pool, SITE, os.urandom, now())
    with pytest.raises(UserError, match="has an inbox key"):
        await endpoints.add_inbox(pool, SITE, os.urandom, now())
    await inbox.open_session(db, SITE, b"token", now(), now().replace(year=2099))
    assert await inbox.session_site(db, b"token", now()) == SITE

    second = await endpoints.rotate(
        pool, endpoints.inbox_endpoint_id(SITE), key=keys.endpoint_key, random_bytes=os.urandom, now=now()
    )
    assert await inbox.session_site(db, b"token", now()) is None
    assert not await inbox.key_is(db, SITE, endpoints.key_sha256(first))
    assert await inbox.key_is(db, SITE, endpoints.key_sha256(second))


async def test_an_unknown_endpoint_is_said_to_be_unknown(pool: Pool) -> None:
    with pytest.raises(UserError, match="there is no endpoint"):
        await endpoints.disable(pool, uuid4(), "test")


def run(settings: NotifierSettings, *arguments: str) -> Ran:
    """The command, as an operator's shell would call it. This database has no network: endpoints are added as new."""
    if arguments[0] == "add":
        arguments = (*arguments, "--new")
    environment = {
        "WAYPOST_DATA_FOLDER": str(settings.data_folder),
        "WAYPOST_POSTGRES": settings.postgres.get_secret_value(),
        "WAYPOST_KEYS": str(settings.keys),
        "WAYPOST_NOTIFIER_URL": "https://waypost.example",
        "WAYPOST_NOTIFIER_ALLOW_NETWORKS": '["127.0.0.0/8"]',
        "COLUMNS": "200",
    }
    return run_waypost("endpoint", *arguments, env=environment)


def test_the_command_adds_lists_rotates_disables_and_enables(db: Connection, settings: NotifierSettings) -> None:
    added = run(settings, "add", "--site", SITE, "--url", "http://127.0.0.1:9/hook")
    assert added.exit_code == 0, added.output
    assert added.stdout.count("whsec_") == 1
    endpoint_id = str(UUID(added.stdout.split()[2]))

    for_machines = json.loads(run(settings, "add", "--site", SITE, "--inbox", "--json").stdout)
    assert for_machines["page"] == f"https://waypost.example/inbox/{SITE}"
    assert for_machines["key"]

    rotated = json.loads(run(settings, "rotate", endpoint_id, "--json").stdout)
    assert rotated["secret"] not in added.stdout

    assert run(settings, "disable", endpoint_id, "--reason", "moved house").exit_code == 0
    listed = run(settings, "list").stdout
    assert "whsec_" not in listed
    assert "moved house" in listed
    assert "live inbox" in listed
    assert run(settings, "enable", endpoint_id).exit_code == 0
    found = json.loads(run(settings, "list", "--site", SITE, "--json").stdout)
    assert {row["status"] for row in found} == {"active"}


def test_a_partner_gets_an_endpoint_of_its_own_like_any_other(db: Connection, settings: NotifierSettings) -> None:
    added = run(settings, "add", "--partner", PARTNER, "--url", "http://127.0.0.1:9/hook", "--json")
    assert added.exit_code == 0, added.output
    made = json.loads(added.stdout)
    assert made["secret"].startswith("whsec_")
    run(settings, "add", "--site", SITE, "--inbox")

    assert f"partner {PARTNER}" in run(settings, "list").stdout
    (row,) = json.loads(run(settings, "list", "--partner", PARTNER, "--json").stdout)
    assert (row["endpoint_id"], row["partner"], row["site_id"]) == (made["endpoint_id"], PARTNER, None)
    assert json.loads(run(settings, "rotate", made["endpoint_id"], "--json").stdout)["secret"] != made["secret"]
    assert run(settings, "disable", made["endpoint_id"]).exit_code == 0
    assert "disabled" in run(settings, "list", "--partner", PARTNER).stdout


async def test_a_ping_is_signed_and_says_what_the_store_answered(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    async with Store() as store:
        endpoint = await add_webhook(pool, keys, store.url)
        pinged = await asyncio.to_thread(run, settings, "ping", str(endpoint.endpoint_id))
        assert (pinged.exit_code, pinged.stdout) == (0, "delivered: HTTP 204\n")
        (received,) = store.received
    assert Verifier(endpoint.secret).verify(received.body, received.headers)["type"] == "waypost.endpoint.ping.v1"
    failed = await asyncio.to_thread(run, settings, "ping", str(endpoint.endpoint_id))
    assert (failed.exit_code, failed.stdout) == (1, "transient: no connection\n")


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 0, "delivered: HTTP 204\n"),
        (
            b"HTTP/1.1 200 OK\r\nRetry-After: Sun, 1 Mar 888888888888888888 09:00:00 GMT\r\n\r\n",
            0,
            "delivered: HTTP 200\n",
        ),
        (
            b"HTTP/1.1 429 Slow\r\nRetry-After: Sun, 1 Mar 888888888888888888 09:00:00 GMT\r\n\r\n",
            1,
            "transient: HTTP 429\n",
        ),
        (b"HTTP/1.1 500 Oops\r\nnonsense\r\n\r\n", 1, "transient: HTTP 500\n"),
        (b"nonsense\r\n\r\n", 1, "transient: the connection failed (ClientResponseError)\n"),
    ],
    ids=["204 with a body", "no date", "no date to wait for", "nonsense after a status", "nonsense"],
)
async def test_a_ping_says_what_a_strange_store_answered(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings, answer: bytes, status: int, told: str
) -> None:
    async with store_of(saying(answer)) as url:
        endpoint = await add_webhook(pool, keys, url)
        pinged = await asyncio.to_thread(run, settings, "ping", str(endpoint.endpoint_id))
    assert (pinged.exit_code, pinged.stdout) == (status, told)


async def test_the_command_shows_what_became_of_attempts(
    db: Connection, pool: Pool, keys: Keys, settings: NotifierSettings
) -> None:
    endpoint = await add_webhook(pool, keys, "http://127.0.0.1:9/")
    lead = Lead()
    await handle(pool, lead.assigned(SITE, within=timedelta(seconds=-1)))
    await Sweeper(pool, settings, Random(1), now).sweep(now())
    shown = await asyncio.to_thread(run, settings, "attempts", str(endpoint.endpoint_id))
    assert str(lead.lead_id) in shown.stdout
    assert "not sent: too late" in shown.stdout


async def test_the_command_says_what_is_wrong_and_what_to_do(db: Connection, settings: NotifierSettings) -> None:
    for arguments, words in (
        (["add", "--site", "Not A Site", "--inbox"], "lower-case"),
        (["add", "--site", SITE], "either a webhook or the inbox"),
        (["add", "--site", SITE, "--url", "https://10.0.0.1/"], "not on the public internet"),
        (["add", "--url", "https://example.com/"], "one site, or to a partner"),
        (["add", "--site", SITE, "--partner", PARTNER, "--inbox"], "one site, or to a partner"),
        (["add", "--partner", PARTNER, "--inbox"], "no inbox page"),
        (["add", "--partner", "Wu River", "--url", "https://example.com/"], "lower-case"),
        (["rotate", str(uuid4())], "there is no endpoint"),
        (["ping", str(uuid4())], "is no webhook"),
    ):
        result = await asyncio.to_thread(run, settings, *arguments)
        assert result.exit_code == 1
        assert words in result.stderr
        assert result.stderr.endswith(")\n")
