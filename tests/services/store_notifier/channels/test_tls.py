"""Whom a webhook tells its secret things to: stores with a right certificate, and nobody else."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from ssl import SSLContext, TLSVersion

import pytest

from services.store_notifier.channels import webhook
from services.store_notifier.db.deliveries import FAILED
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind, Outcome
from shared.contracts import Answer, AttemptResult
from shared.keys import Keys
from shared.postgres import Connection, Pool
from tests.services.store_notifier.channels.attempts import attempt_at
from tests.services.store_notifier.channels.authority import DAY, Authority
from tests.services.store_notifier.looking import answered, attempted, settled, statuses
from tests.services.store_notifier.sending import Send, running, scheduler_of
from tests.services.store_notifier.setting_up import SITE, add_webhook, handle
from tests.services.store_notifier.world import Lead, Store, now, until

LOCAL = AddressGuard([ip_network("127.0.0.0/8")])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this machine trusts, as its operator says with SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


async def told(tls: SSLContext, host: str = "127.0.0.1") -> tuple[Outcome, int]:
    """How an attempt at a store with this certificate ends, and how many requests the store saw."""
    async with Store(tls=tls) as store, webhook.open_session(LOCAL, 5) as session:
        outcome = await webhook.send(session, attempt_at(store.url.replace("127.0.0.1", host)), now())
        return outcome, len(store.received)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_right_certificate_from_an_authority_that_the_operator_names_is_trusted(
    trusted: Authority, host: str
) -> None:
    outcome, requests = await told(trusted.server(host), host)
    assert (outcome.kind, outcome.status_code, requests) == (Kind.DELIVERED, 204, 1)


async def test_the_same_certificate_is_refused_where_nobody_names_its_authority(authority: Authority) -> None:
    outcome, requests = await told(authority.server())
    assert (outcome.kind, requests) == (Kind.MISCONFIGURED, 0)
    assert "not trusted here" in outcome.detail


async def test_an_expired_certificate_is_refused_as_such(trusted: Authority) -> None:
    outcome, requests = await told(trusted.server(valid_until=timedelta(minutes=-1)))
    assert (outcome.kind, outcome.detail, requests) == (Kind.MISCONFIGURED, "the certificate has expired", 0)


async def test_a_certificate_that_begins_tomorrow_is_refused_as_such(trusted: Authority) -> None:
    outcome, requests = await told(trusted.server(valid_from=DAY, valid_until=2 * DAY))
    assert (outcome.kind, outcome.detail, requests) == (Kind.MISCONFIGURED, "the certificate is not valid yet", 0)


@pytest.mark.parametrize(
    ("host", "certified"), [("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "localhost"), ("localhost", "crm.example.com")]
)
async def test_a_certificate_for_another_host_is_refused_and_the_detail_names_neither(
    trusted: Authority, host: str, certified: str
) -> None:
    outcome, requests = await told(trusted.server(certified), host)
    assert (outcome.kind, outcome.detail, requests) == (Kind.MISCONFIGURED, "the certificate is for another host", 0)


async def test_a_self_signed_certificate_is_refused_as_such(trusted: Authority) -> None:
    outcome, requests = await told(trusted.server(signed_by_itself=True))
    assert (outcome.kind, requests) == (Kind.MISCONFIGURED, 0)
    assert outcome.detail == "the certificate is signed by itself, not by an authority"


async def test_a_server_that_speaks_no_tls_is_tried_again() -> None:
    async with Store() as store, webhook.open_session(LOCAL, 5) as session:
        url = store.url.replace("http://", "https://")
        outcome = await webhook.send(session, attempt_at(url), now())
    assert (outcome.kind, outcome.detail) == (Kind.TRANSIENT, "the TLS handshake failed")


async def test_a_server_that_speaks_only_what_is_outdated_is_not_told(trusted: Authority) -> None:
    old = trusted.server()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = TLSVersion.TLSv1, TLSVersion.TLSv1_1
    outcome, requests = await told(old)
    assert (outcome.kind, requests) == (Kind.TRANSIENT, 0)


async def test_a_server_that_hangs_in_the_handshake_is_left_at_the_deadline() -> None:
    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server, webhook.open_session(LOCAL, 0.3) as session:
        port = server.sockets[0].getsockname()[1]
        outcome = await webhook.send(session, attempt_at(f"https://127.0.0.1:{port}/"), now())
    assert (outcome.kind, outcome.detail) == (Kind.TRANSIENT, "no answer in time")


async def test_a_wrong_certificate_gets_a_second_chance_and_then_the_lead_goes_on(
    db: Connection, pool: Pool, keys: Keys, send: Send, authority: Authority
) -> None:
    async with Store(tls=authority.server(signed_by_itself=True)) as store:
        await add_webhook(pool, keys, store.url)
        await handle(pool, Lead().assigned(SITE))
        async with running(scheduler_of(pool, send)):
            await until(lambda: settled(db))
        assert store.received == []
    assert await statuses(db) == {FAILED: 1}
    assert [one.result for one in await attempted(db)] == [AttemptResult.RETRY, AttemptResult.FAILED]
    assert [one.answer for one in await answered(db)] == [Answer.UNDELIVERABLE]
    details = {row["detail"] for row in await db.fetch("SELECT detail FROM attempts")}
    assert details == {"the certificate is signed by itself, not by an authority"}


async def test_a_certificate_that_is_put_right_between_two_attempts_is_trusted_at_the_second(
    trusted: Authority,
) -> None:
    async with webhook.open_session(LOCAL, 5) as session:
        async with Store(tls=trusted.server(valid_until=-DAY)) as store:
            first = await webhook.send(session, attempt_at(store.url), now())
        renewed = Store(tls=trusted.server())
        renewed.port = store.port
        async with renewed:
            second = await webhook.send(session, attempt_at(renewed.url), now())
    assert (first.kind, second.kind) == (Kind.MISCONFIGURED, Kind.DELIVERED)
