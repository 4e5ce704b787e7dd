"""Log-ins of the store's page: an opaque random token in a cookie, its hash in PostgreSQL, one working day long."""

from collections.abc import Callable
from datetime import datetime, timedelta

from services.store_notifier.db import inbox
from services.store_notifier.pages.guard import TOKEN_BYTES, hash_token, new_token
from services.store_notifier.pages.keys import hash_typed_key
from shared.postgres import Connection, Pool, transact

LIFETIME = timedelta(hours=14)
"""From opening the store to closing it; tomorrow's shift logs in again."""


class Sessions:
    """Who may look at which inbox."""

    def __init__(self, pool: Pool, now: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._pool = pool
        self._now = now
        self._random_bytes = random_bytes

    async def open(self, site_id: str, typed_key: str) -> str | None:
        """A new token, when the key is the site's; None when it is not."""
        key = hash_typed_key(typed_key)

        async def begin(connection: Connection) -> str | None:
            if not await inbox.key_is(connection, site_id, key):
                return None
            # Made in here: a transaction that is run again must not meet its own token.
            token = new_token(self._random_bytes(TOKEN_BYTES))
            now = self._now()
            await inbox.open_session(connection, site_id, hash_token(token), now, now + LIFETIME)
            return token

        return await transact(self._pool, begin)

    async def holds(self, site_id: str, token: str) -> bool:
        """Whether the token opens this site's inbox now."""
        token_sha256 = hash_token(token)
        found = await transact(self._pool, lambda connection: inbox.session_site(connection, token_sha256, self._now()))
        return found == site_id

    async def close(self, token: str) -> None:
        """Log out."""
        token_sha256 = hash_token(token)
        await transact(self._pool, lambda connection: inbox.close_session(connection, token_sha256))
