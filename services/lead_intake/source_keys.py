"""Who sends a lead: bearer keys, 256 random bits each, of which PostgreSQL keeps only the SHA-256."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from services.lead_intake import db_sources
from services.lead_intake.db_sources import Source
from services.lead_intake.problems import Problem, unavailable
from shared import access_keys
from shared.access_keys import hash_of
from shared.postgres import Connection, Pool, PostgresUnavailable, transact

KEY_PREFIX = "wpk_"
REREAD_AFTER = timedelta(seconds=5)
"""A revoked key works for at most this long."""
LEAST_BETWEEN_READS = timedelta(milliseconds=50)
"""An unknown key is looked for at once, so that a new one works at once; guesses make at most 20 queries a second."""

READ_WITHIN_S = 3.0
RETRY_AFTER_S = 5


def make_key(random_bytes: Callable[[int], bytes]) -> str:
    """A new key in the form that a source puts behind `Bearer`."""
    return access_keys.make_key(KEY_PREFIX, random_bytes)


class SourceKeys:
    """The valid keys, kept in memory so that a lead costs no query for its key."""

    def __init__(self, pool: Pool, monotonic_s: Callable[[], float]) -> None:
        self._pool = pool
        self._monotonic_s = monotonic_s
        self._sources: dict[bytes, Source] = {}
        self._read_at_s = float("-inf")
        self._failed_at_s = float("-inf")
        self._reading = asyncio.Lock()

    async def source_of(self, authorization: bytes | None) -> Source:
        """The source that an Authorization header names. Raises Problem 401, or 503 when that cannot be known."""
        scheme, _, key = (authorization or b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise _unauthorised("send the source's key as `Authorization: Bearer KEY`")
        hashed = hash_of(key.strip())
        now_s = self._monotonic_s()
        await self._read_since(now_s - REREAD_AFTER.total_seconds())
        if hashed not in self._sources:
            await self._read_since(now_s)
        source = self._sources.get(hashed)
        if source is None:
            raise _unauthorised("the key is unknown or revoked; `waypost source list` shows the keys in use")
        return source

    async def _read_since(self, moment_s: float) -> None:
        if self._read_at_s >= moment_s:
            return
        came_s = self._monotonic_s()
        async with self._reading:
            # All who waited here share one query, and its failure: else each would wait for a time-out of its own.
            if self._read_at_s >= moment_s:
                return
            if self._failed_at_s >= came_s:
                raise unavailable(RETRY_AFTER_S)
            await asyncio.sleep(max(0.0, self._read_at_s + LEAST_BETWEEN_READS.total_seconds() - came_s))
            began_s = self._monotonic_s()
            try:
                async with asyncio.timeout(READ_WITHIN_S):
                    self._sources = await transact(self._pool, _read_keys, tries=2)
            except (PostgresUnavailable, TimeoutError) as error:
                self._failed_at_s = self._monotonic_s()
                # A good sender must not be told that its key is bad because PostgreSQL rests.
                raise unavailable(RETRY_AFTER_S) from error
            self._read_at_s = began_s


async def _read_keys(connection: Connection) -> dict[bytes, Source]:
    return await db_sources.valid_keys(connection)


def _unauthorised(detail: str) -> Problem:
    return Problem(
        401, "unauthorised", "The sender is not known", detail, headers={"www-authenticate": 'Bearer realm="waypost"'}
    )
