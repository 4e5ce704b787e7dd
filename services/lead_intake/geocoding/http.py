"""The port over HTTP. Neither the question nor the key, both in the URL, may leave in an error: only kinds do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp

from services.lead_intake.geocoding.port import Dialect, Failure, Found, GeocoderFailed, Question
from shared.bounded_answer import read_at_most
from shared.retry_after import retry_after_s

MOST_BODY_BYTES = 256 * 1024
_BLOCKED_S, _LONGEST_RETRY_AFTER_S = 300.0, 600.0
_DEFAULT_RETRY_AFTER_S = 30.0


class HttpGeocoder:
    """One map service at one address."""

    def __init__(self, session: aiohttp.ClientSession, url: str, dialect: Dialect) -> None:
        self._session = session
        self._url = url.rstrip("/") + dialect.path
        self._dialect = dialect

    async def find(self, question: Question) -> tuple[Found, ...]:
        """Ask once; bounded in size here, in time by the caller. Raises GeocoderFailed."""
        try:
            # A redirect could hand the address to somebody whom nobody chose.
            async with self._session.get(
                self._url, params=self._dialect.parameters(question), allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise _failed(response.status, response.headers.get("retry-after", ""))
                body = await read_at_most(response, MOST_BODY_BYTES)
        except TimeoutError:
            raise GeocoderFailed(Failure.TIMEOUT) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise GeocoderFailed(Failure.UNREACHABLE) from None
        if body is None:
            raise GeocoderFailed(Failure.GARBAGE)
        return self._dialect.read(body)


@asynccontextmanager
async def open_session(contact: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """A client without cookies, proxies of the environment or decompression; `contact` says who is asking."""
    agent = f"Waypost/1 ({contact})" if contact else "Waypost/1"
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"user-agent": agent, "accept": "application/json", "accept-encoding": "identity"},
    ) as session:
        yield session


def _failed(status: int, retry_after: str) -> GeocoderFailed:
    match status:
        case 401 | 403:
            # The public Nominatim answers 403 to those who ask too much.
            return GeocoderFailed(Failure.KEY, _BLOCKED_S)
        case 429 | 509:
            asked_s = retry_after_s(retry_after, datetime.now(UTC))
            return GeocoderFailed(Failure.TOO_FAST, min(_LONGEST_RETRY_AFTER_S, asked_s or _DEFAULT_RETRY_AFTER_S))
        case _:
            return GeocoderFailed(Failure.SERVER)
