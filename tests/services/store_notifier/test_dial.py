"""Which addresses a webhook may reach, asked of the guard and of a client that uses it."""

from ipaddress import ip_network

import pytest

from services.store_notifier.channels import webhook
from services.store_notifier.dial import AddressGuard
from services.store_notifier.domain import Kind
from tests.services.store_notifier.channels.attempts import attempt_at
from tests.services.store_notifier.world import Store, now

INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.8", "192.0.2.1", "198.18.0.1", "192.88.99.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:7f00:1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "ff0e::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "114.114.114.114", "223.5.5.5", "2400:3200::1", "2606:4700::1111", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not AddressGuard().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_let_through(address: str) -> None:
    assert AddressGuard().permits(address)


def test_an_allowed_network_is_let_through_however_its_addresses_are_written() -> None:
    guard = AddressGuard([ip_network("127.0.0.0/8")])
    assert guard.permits("127.0.0.1")
    assert guard.permits("::ffff:127.0.0.1")
    assert not guard.permits("::1")
    assert not guard.permits("10.0.0.1")


SPELLINGS = [
    "127.0.0.1", "localhost", "127.1", "0x7f000001", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "0.0.0.0",
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "LOCALHOST", "127.0.0.1.",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    async with Store() as store, webhook.open_session(AddressGuard(), 5) as session:
        outcome = await webhook.send(session, attempt_at(f"http://{host}:{store.port}/hook"), now())
        assert store.received == []
        assert outcome.kind in (Kind.BLOCKED, Kind.TRANSIENT, Kind.MISCONFIGURED)
        assert outcome.status_code is None


async def test_a_blocked_address_is_known_as_such_and_its_text_names_none() -> None:
    async with Store() as store, webhook.open_session(AddressGuard(), 5) as session:
        outcome = await webhook.send(session, attempt_at(store.url), now())
    assert outcome.kind is Kind.BLOCKED
    assert "127" not in outcome.detail


async def test_a_name_is_judged_by_the_very_address_that_is_connected_to() -> None:
    async with Store() as store, webhook.open_session(AddressGuard(), 5) as session:
        outcome = await webhook.send(session, attempt_at(f"http://localhost:{store.port}/hook"), now())
        assert outcome.kind is Kind.BLOCKED
        assert store.received == []
