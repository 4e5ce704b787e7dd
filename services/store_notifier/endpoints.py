"""Endpoints of sites: checked addresses, secrets that are shown once and kept sealed."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from yarl import URL

from services.store_notifier.db import endpoints as rows
from services.store_notifier.db import inbox
from shared.contracts import derived_id
from shared.errors import UserError
from shared.postgres import Connection, Pool, transact
from shared.signatures import make_secret

ROTATION = timedelta(hours=24)
"""How long the secret before the last one still signs: a store changes it on its side within this time."""
_SEAL_VERSION = b"\x01"
_NONCE_BYTES = 12


class HasInbox(UserError):  # noqa: N818 - it says how the site stands
    """The site has its inbox, which keeps its key."""


def inbox_endpoint_id(site_id: str) -> UUID:
    """Id of a site's inbox: every site has at most one, and assignments are in it whether or not it has a key yet."""
    return derived_id("inbox", site_id)


def inbox_key(random_bytes: Callable[[int], bytes]) -> str:
    """A new log-in key of an inbox page: 256 random bits, in groups that can be read out."""
    text = random_bytes(32).hex()
    return "-".join(text[at : at + 8] for at in range(0, len(text), 8))


def key_sha256(key: str) -> bytes:
    """What is stored of a log-in key."""
    return hashlib.sha256(key.strip().encode()).digest()


def seal(secret: str, endpoint_id: UUID, key: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """Encrypt a secret with AES-256-GCM; it opens for this endpoint only."""
    nonce = random_bytes(_NONCE_BYTES)
    return _SEAL_VERSION + nonce + AESGCM(key).encrypt(nonce, secret.encode(), endpoint_id.bytes)


def unseal(sealed: bytes, endpoint_id: UUID, key: bytes) -> str:
    """Open a sealed secret. Raises ValueError when it was sealed for another endpoint or with another key."""
    if sealed[:1] != _SEAL_VERSION:
        raise ValueError(f"the secret of endpoint {endpoint_id} has an unknown seal")
    nonce, box = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, box, endpoint_id.bytes).decode()
    except InvalidTag:
        raise ValueError(f"the secret of endpoint {endpoint_id} does not open with this key file") from None


def secrets_of(endpoint: asyncpg.Record, key: bytes, now: datetime) -> tuple[str, ...]:
    """The secrets that count for a webhook endpoint now: the newest first, then the one before while it is rotated."""
    endpoint_id = endpoint["endpoint_id"]
    secrets: tuple[str, ...] = (unseal(endpoint["secret_sealed"], endpoint_id, key),)
    previous, until = endpoint["previous_secret_sealed"], endpoint["previous_secret_until"]
    if previous is not None and until > now:
        secrets = (*secrets, unseal(previous, endpoint_id, key))
    return secrets


async def add_webhook(
    pool: Pool,
    endpoint_id: UUID,
    owner: rows.Owner,
    url: str,
    *,
    in_flight_cap: int,
    key: bytes,
    random_bytes: Callable[[int], bytes],
    now: datetime,
) -> str:
    """Add a webhook (its address was checked) and return its secret, which nobody can read afterwards."""
    secret = make_secret(random_bytes(32))
    sealed = seal(secret, endpoint_id, key, random_bytes)
    host = URL(url).authority

    async def work(connection: Connection) -> None:
        await rows.add_webhook(connection, endpoint_id, owner, url, host, sealed, in_flight_cap, now)

    await transact(pool, work)
    return secret


async def add_inbox(pool: Pool, site_id: str, random_bytes: Callable[[int], bytes], now: datetime) -> str:
    """Give a site its inbox key and return it. Raises HasInbox when it has one."""
    key = inbox_key(random_bytes)
    endpoint_id = inbox_endpoint_id(site_id)
    if not await transact(
        pool, lambda connection: rows.put_inbox(connection, endpoint_id, site_id, key_sha256(key), now)
    ):
        raise HasInbox(
            f"site {site_id} has an inbox key", f"make a new one with `waypost endpoint rotate {endpoint_id}`"
        )
    return key


async def rotate(
    pool: Pool, endpoint_id: UUID, *, key: bytes, random_bytes: Callable[[int], bytes], now: datetime
) -> str:
    """A new secret (the one before signs beside it for 24 h) or inbox key (the one before ends now, with its log-ins).

    Raises UserError when there is no such endpoint.
    """
    secret = make_secret(random_bytes(32))
    new_key = inbox_key(random_bytes)

    async def work(connection: Connection) -> str:
        endpoint = await _require(connection, endpoint_id)
        if endpoint["kind"] == "inbox":
            await rows.rotate_key(connection, endpoint_id, key_sha256(new_key))
            await inbox.close_sessions_of(connection, endpoint["site_id"])
            return new_key
        sealed = seal(secret, endpoint_id, key, random_bytes)
        await rows.rotate_secret(connection, endpoint_id, sealed, now + ROTATION)
        return secret

    return await transact(pool, work)


async def disable(pool: Pool, endpoint_id: UUID, reason: str) -> None:
    """Send nothing to it and believe nothing it says; what waits for it is given up. Raises UserError."""

    async def work(connection: Connection) -> None:
        endpoint = await _require(connection, endpoint_id)
        await rows.set_status(connection, endpoint_id, "disabled", reason)
        if endpoint["kind"] == "inbox":
            await inbox.close_sessions_of(connection, endpoint["site_id"])

    await transact(pool, work)


async def enable(pool: Pool, endpoint_id: UUID, now: datetime) -> None:
    """Send to it again, from the next assignment on. Raises UserError."""

    async def work(connection: Connection) -> None:
        await _require(connection, endpoint_id)
        await rows.set_status(connection, endpoint_id, "active", None)
        await rows.wake(connection, [endpoint_id], now)

    await transact(pool, work)


async def _require(connection: Connection, endpoint_id: UUID) -> asyncpg.Record:
    endpoint = await rows.find(connection, endpoint_id)
    if endpoint is None:
        raise UserError(f"there is no endpoint {endpoint_id}", "see `waypost endpoint list`")
    return endpoint
