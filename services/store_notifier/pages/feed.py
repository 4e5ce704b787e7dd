"""What one open page is sent: its site's changes after a number, the server's clock, and when to load itself anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from services.store_notifier.pages.board import read_changes, read_last_seq
from services.store_notifier.pages.live import LiveInboxes, Watch
from services.store_notifier.pages.render import Reader, Renderer
from services.store_notifier.pages.sessions import Sessions
from services.store_notifier.pages.stream import LIFETIME_S, MAX_ROWS, PING_S, Event
from shared.postgres import Pool, PostgresUnavailable

MAX_CATCH_UP = 500
"""A page that missed more than this loads itself anew: that is one read instead of a parade of old news."""

RELOAD = Event("reload", None)


class Feed:
    """Makes the events of a page."""

    def __init__(
        self, pool: Pool, live: LiveInboxes, sessions: Sessions, renderer: Renderer, now: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._live = live
        self._sessions = sessions
        self._renderer = renderer
        self._now = now

    async def events(self, reader: Reader, token: str, after_seq: int | None) -> AsyncIterator[Event]:
        """From `after_seq` on (None: from now on), until the log-in, the stream's time or the process ends.

        PostgreSQL being away ends it as well: the browser comes back with the number it has.
        """
        try:
            last = await read_last_seq(self._pool, reader.site_id)
            after = last if after_seq is None else after_seq
            # A number from the future: the database was restored from a backup, so the page shows what never was.
            if after > last or last - after > MAX_CATCH_UP:
                yield RELOAD
                return
            with self._live.watch(reader.site_id, after) as watch:
                async for event in self._follow(reader, token, watch):
                    yield event
        except PostgresUnavailable:
            return

    async def _follow(self, reader: Reader, token: str, watch: Watch) -> AsyncIterator[Event]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + LIFETIME_S
        yield self._clock()
        while not self._live.closing:
            # Asked before every read: who was logged out sees nothing newer, not even once.
            if not await self._sessions.holds(reader.site_id, token):
                yield RELOAD
                return
            cards = await read_changes(self._pool, reader.site_id, watch.seen_seq, MAX_ROWS)
            for card in cards:
                now = self._now()
                watch.seen_seq = card.seq
                announce = reader.wording.announcement(card, now)
                yield Event("item", {"html": self._renderer.card(reader, card, now), "announce": announce}, card.seq)
            if len(cards) == MAX_ROWS:
                continue
            if loop.time() >= ends_at:
                return
            if not await watch.wait(min(PING_S, ends_at - loop.time())):
                yield self._clock()

    def _clock(self) -> Event:
        return Event("clock", self._now().timestamp())
