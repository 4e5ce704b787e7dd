"""The map service that the settings choose, wired; what is wrong with them is said before anything is asked."""

import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from prometheus_client import CollectorRegistry

from services.lead_intake.geocoding.amap import PUBLIC_URL as AMAP_URL
from services.lead_intake.geocoding.amap import Amap
from services.lead_intake.geocoding.answers import Answers
from services.lead_intake.geocoding.finder import PlaceFinder
from services.lead_intake.geocoding.http import HttpGeocoder, open_session
from services.lead_intake.geocoding.nominatim import PUBLIC_MOST_PER_SECOND, Nominatim
from services.lead_intake.geocoding.nominatim import PUBLIC_URL as NOMINATIM_URL
from services.lead_intake.geocoding.pace import Pace
from services.lead_intake.geocoding.port import Failure, GeocoderFailed, Question
from services.lead_intake.settings import IntakeSettings
from shared.breaker import Breaker
from shared.errors import UserError

_DEFAULT_URL = {"amap": AMAP_URL, "nominatim": NOMINATIM_URL}
_DEFAULT_PER_SECOND = {"amap": 3.0, "nominatim": PUBLIC_MOST_PER_SECOND}
FAILURES_IN_A_ROW = 5
REST_S, LONGEST_REST_S = 30.0, 300.0
_TRIED_WITH = Question("苏州市")
"""A public place: the doctor sends nobody's address."""
_CURES = {
    Failure.TIMEOUT: "does not answer in time: is it reachable from here?",
    Failure.UNREACHABLE: "cannot be reached: check WAYPOST_GEOCODER_URL, the network and the certificate",
    Failure.SERVER: "answers with an error: look at its status, or try again later",
    Failure.GARBAGE: "does not answer as WAYPOST_GEOCODER says: check WAYPOST_GEOCODER_URL",
    Failure.KEY: "refuses the key or this machine: check WAYPOST_GEOCODER_KEY and what the key is allowed to do",
    Failure.QUOTA: "says that the quota is used up: wait, or buy more",
    Failure.TOO_FAST: "says that it is asked too fast: lower WAYPOST_GEOCODER_PER_SECOND",
}


@asynccontextmanager
async def open_finder(
    settings: IntakeSettings, pepper: bytes, registry: CollectorRegistry, clock: Callable[[], float]
) -> AsyncIterator[PlaceFinder | None]:
    """The finder of these settings; None when no map service is chosen. Raises UserError."""
    if not settings.geocoder:
        yield None
        return
    async with open_session(settings.geocoder_contact) as session:
        yield PlaceFinder(
            geocoder_of(settings, session),
            Answers(pepper, settings.geocoder_cache_size, settings.geocoder_cache_s, clock),
            Breaker(FAILURES_IN_A_ROW, REST_S, LONGEST_REST_S),
            Pace(settings.geocoder_per_second or _DEFAULT_PER_SECOND[settings.geocoder], clock),
            settings.geocoder_timeout_s,
            registry,
            clock,
        )


def geocoder_of(settings: IntakeSettings, session: aiohttp.ClientSession) -> HttpGeocoder:
    """The chosen map service. Raises UserError for settings that cannot work, or that may not be used as they are."""
    url = settings.geocoder_url or _DEFAULT_URL[settings.geocoder]
    _check_url(url)
    if settings.geocoder == "amap":
        return HttpGeocoder(session, url, Amap(_key_of(settings)))
    _check_policy(url, settings.geocoder_per_second)
    return HttpGeocoder(session, url, Nominatim(settings.geocoder_countries))


async def try_geocoder(settings: IntakeSettings) -> list[str]:
    """Ask for a public place; what is wrong, in words, or nothing. Raises UserError and TimeoutError."""
    async with open_session(settings.geocoder_contact) as session:
        geocoder = geocoder_of(settings, session)
        try:
            found = await geocoder.find(_TRIED_WITH)
        except GeocoderFailed as error:
            return [f"the map service {settings.geocoder} {_CURES[error.failure]}"]
    return [] if found else [f"the map service {settings.geocoder} does not know Suzhou: is its data loaded?"]


def _key_of(settings: IntakeSettings) -> str:
    key = settings.geocoder_key.get_secret_value()
    if settings.geocoder_key_file is not None:
        if key:
            raise UserError("there are two keys for the map service", "set WAYPOST_GEOCODER_KEY or ..._KEY_FILE")
        try:
            key = settings.geocoder_key_file.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"the key in {settings.geocoder_key_file} cannot be read ({type(error).__name__})",
                "correct WAYPOST_GEOCODER_KEY_FILE",
            ) from None
    if not key:
        raise UserError("amap needs a key", "set WAYPOST_GEOCODER_KEY_FILE=FILE or WAYPOST_GEOCODER_KEY")
    return key


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise UserError(
            "WAYPOST_GEOCODER_URL is no address of a server", "write it as https://host or https://host/path"
        )
    if parts.scheme == "http" and not _is_near(host):
        raise UserError(
            "WAYPOST_GEOCODER_URL is http: addresses of people would travel in the open",
            "use https; http is for this machine and private networks",
        )


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        # A name without a dot is of this machine or of the containers beside it.
        return "." not in host


def _check_policy(url: str, per_second: float | None) -> None:
    if urlsplit(url).hostname == urlsplit(NOMINATIM_URL).hostname and (per_second or 0) > PUBLIC_MOST_PER_SECOND:
        raise UserError(
            f"the public Nominatim allows {PUBLIC_MOST_PER_SECOND:g} question a second, for all processes together",
            "lower WAYPOST_GEOCODER_PER_SECOND, or run a Nominatim of your own",
        )
