"""What keeps the page safe in a browser: its headers, its cookie, its token against forged forms, its body limit."""

import asyncio
import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FORM_BYTES = 4096
FORM_TIMEOUT_S = 5.0
TOKEN_BYTES = 32

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class PageHeaders:
    """Puts `HEADERS` on every answer that does not set them itself. Pure ASGI, so that streams stay unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def new_token(random: bytes) -> str:
    """The cookie's value: 32 random bytes, base64url."""
    if len(random) != TOKEN_BYTES:
        raise ValueError(f"a session token needs {TOKEN_BYTES} random bytes")
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def hash_token(token: str) -> bytes:
    """What PostgreSQL keeps of the cookie, so that a leaked table opens no inbox."""
    return hashlib.sha256(token.encode()).digest()


def csrf_of(token: str) -> str:
    """The token in every form of a session. It follows from the cookie, which another origin cannot read."""
    return hmac.new(token.encode(), b"waypost inbox form", hashlib.sha256).hexdigest()


def csrf_matches(token: str, given: str) -> bool:
    """Compare without telling how much was right."""
    return hmac.compare_digest(csrf_of(token).encode(), given.encode())


def refuse_cross_site(request: Request) -> None:
    """Raise 403 for a form that another site sent (Fetch Metadata; `Origin` for browsers that know only that)."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        if fetch_site not in {"same-origin", "none"}:
            raise HTTPException(403)
        return
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        # A bracket without its other half, or letters that normalise to a slash.
        raise HTTPException(403) from None
    if host != request.headers.get("host"):
        raise HTTPException(403)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small urlencoded form.

    Raises 413 when it is not small, 408 when it does not come in time, 415 or 400 when it is no such form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = b""
    try:
        async with asyncio.timeout(FORM_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), errors="strict"))
    except ValueError:
        raise HTTPException(400) from None
    if any("\0" in value for value in fields.values()):
        raise HTTPException(400)
    return fields
