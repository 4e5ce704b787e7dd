"""The engine over HTTP: one question, one answer, and every failure under one of the names that a record knows."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from services.router.barriers import Point
from services.router.travel.answer import Interface, NoTimes
from shared.bounded_answer import read_at_most
from shared.contracts import WhyDistance

MOST_ANSWER_BYTES = 1 << 20
"""The largest table that is asked for has 1,250 cells: some 100 kB in the longest form."""
_BROKEN_FROM = 500
_TOO_MANY_REQUESTS = 429


class Engine:
    """One engine at one address."""

    def __init__(self, session: aiohttp.ClientSession, url: str, interface: Interface) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._interface = interface

    async def seconds(self, sources: Sequence[Point], targets: Sequence[Point]) -> list[list[int | None]]:
        """Whole seconds by road, a row for each source with a cell for each target, None without a way.

        Raises NoTimes. Takes as long as the engine does: callers bound it.
        """
        question = self._interface.question(sources, targets)
        method = "GET" if question.body is None else "POST"
        headers = {} if question.body is None else {"content-type": "application/json"}
        # The separators of OSRM's path and query must not be quoted.
        url = URL(self._url + question.path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=question.body, headers=headers, allow_redirects=False
            ) as response:
                if response.status >= _BROKEN_FROM or response.status == _TOO_MANY_REQUESTS:
                    raise NoTimes(WhyDistance.UNAVAILABLE, f"HTTP {response.status}")
                body = await read_at_most(response, MOST_ANSWER_BYTES)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their texts name the address, and with OSRM the address names the point.
            raise NoTimes(WhyDistance.UNAVAILABLE, type(error).__name__) from None
        if body is None:
            raise NoTimes(WhyDistance.UNREADABLE, "the answer is too long")
        return self._interface.read(response.status, body, len(sources), len(targets))


@asynccontextmanager
async def open_engine(url: str, interface: Interface, connections: int) -> AsyncIterator[Engine]:
    """The engine at `url`, asked over at most so many connections at a time."""
    connector = aiohttp.TCPConnector(limit=connections, ttl_dns_cache=10)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # A few kilobytes can unpack to any size.
        auto_decompress=False,
        headers={"accept-encoding": "identity"},
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        yield Engine(session, url, interface)
