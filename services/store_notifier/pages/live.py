"""Tells every open page of this process that its site has changes: one LISTEN connection, fanned out, and a poll.

Only "look again" travels here; each stream reads its own rows. So a missed, repeated or early notification changes
nothing but the moment, and a slow reader has nothing to pile up.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from structlog.typing import FilteringBoundLogger

from services.store_notifier.db import inbox
from services.store_notifier.pages import db
from shared.postgres import COMMAND_TIMEOUT_S, CONNECT_TIMEOUT_S, RETRIABLE, Pool, PostgresUnavailable, acquire, role_of
from shared.settings import Settings

POLL_S = 2.0
MAX_STREAMS = 2000
MAX_STREAMS_PER_SITE = 40


class Watch:
    """One open page: whether its site has anything newer than what the page was sent."""

    def __init__(self, seen_seq: int) -> None:
        self.seen_seq = seen_seq
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """End the wait that runs, or the next one."""
        self._changed.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a change; False when `timeout_s` passed without one."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class LiveInboxes:
    """The open pages of this process. `run` must run for as long as the service serves."""

    def __init__(self, settings: Settings, pool: Pool, log: FilteringBoundLogger) -> None:
        self._settings = settings
        self._pool = pool
        self._log = log
        self._watches: defaultdict[str, set[Watch]] = defaultdict(set)
        self.closing = False

    @property
    def streams(self) -> int:
        """How many pages are open, for the metrics."""
        return sum(len(watches) for watches in self._watches.values())

    def is_full(self, site_id: str) -> bool:
        """Whether one more page of this site would be too many."""
        return self.streams >= MAX_STREAMS or len(self._watches.get(site_id, ())) >= MAX_STREAMS_PER_SITE

    @contextmanager
    def watch(self, site_id: str, seen_seq: int) -> Iterator[Watch]:
        """Be woken about one site."""
        watch = Watch(seen_seq)
        self._watches[site_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[site_id].discard(watch)
            if not self._watches[site_id]:
                del self._watches[site_id]

    def changed(self, site_id: str, seq: int | None = None) -> None:
        """Wake the pages of a site that have not seen `seq`; without `seq`, all of them."""
        for watch in self._watches.get(site_id, ()):
            if seq is None or seq > watch.seen_seq:
                watch.wake()

    def close(self) -> None:
        """End every stream; the browsers come back to the process that replaces this one."""
        self.closing = True
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen and poll until `stop`, through every outage of PostgreSQL; then end the streams."""
        workers = [asyncio.create_task(self._listen()), asyncio.create_task(self._poll())]
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*workers, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self.close()
            for task in (*workers, stopped):
                task.cancel()
            await asyncio.gather(*workers, stopped, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._listening() as lost:
                    await lost.wait()
                self._log.warning("inbox.listener_lost", until_then="pages are served by polling")
            except RETRIABLE as error:
                self._log.warning(
                    "inbox.listener_cannot_connect",
                    until_then="pages are served by polling",
                    error=type(error).__name__,
                )
            await asyncio.sleep(random.uniform(0.5, 2))  # noqa: S311 - spreads reconnections, not a secret

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Event]:
        connection = await asyncpg.connect(
            self._settings.require_postgres(),
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"role": role_of("store_notifier"), "application_name": "waypost-store_notifier-inbox"},
        )
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(inbox.CHANGES, self._notified)
            yield lost
        finally:
            connection.terminate()

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        self.changed(str(payload))

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            if not self._watches:
                continue
            try:
                async with acquire(self._pool) as connection:
                    seqs = await db.last_seqs(connection, sorted(self._watches))
            except (*RETRIABLE, PostgresUnavailable) as error:
                self._log.warning("inbox.poll_failed", error=type(error).__name__)
                continue
            for site_id, seq in seqs.items():
                self.changed(site_id, seq)
