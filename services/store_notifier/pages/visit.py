"""Who asks for what, read from a request: the site, the language, the log-in, the form."""

import re
from datetime import tzinfo
from urllib.parse import quote
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.store_notifier.domain import Said
from services.store_notifier.epoch import epoch_of
from services.store_notifier.pages.cards import Wording
from services.store_notifier.pages.guard import csrf_matches, read_form, refuse_cross_site
from services.store_notifier.pages.render import Reader
from services.store_notifier.pages.sessions import LIFETIME, Sessions
from services.store_notifier.pages.texts import language_of
from shared.contracts import Answer, DeclineReason, Result

COOKIE = "waypost_inbox"
LANGUAGE_COOKIE = "waypost_language"
_SITE_ID = re.compile(r"[a-z0-9][a-z0-9_\-]{0,62}")


class LoggedOut(Exception):  # noqa: N818 - it names a state
    """The request needs a log-in and has none; `expired` when it once had one."""

    def __init__(self, reader: Reader, *, expired: bool) -> None:
        super().__init__(reader.site_id)
        self.reader = reader
        self.expired = expired


def reader_of(request: Request, zone: tzinfo) -> Reader:
    """The site that the path names and the words to use. The token is not checked here; see `logged_in`."""
    site_id = request.path_params.get("site_id", "")
    language = language_of(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
    return Reader(
        site_id=site_id if _SITE_ID.fullmatch(site_id) else "",
        root=request.scope.get("root_path", ""),
        wording=Wording(language, zone),
        token=request.cookies.get(COOKIE),
    )


async def logged_in(request: Request, zone: tzinfo, sessions: Sessions) -> tuple[Reader, str]:
    """The reader and the token of the log-in. Raises LoggedOut, or 404 for what cannot be a site."""
    reader = reader_of(request, zone)
    if not reader.site_id:
        raise HTTPException(404)
    if reader.token is None or not await sessions.holds(reader.site_id, reader.token):
        raise LoggedOut(reader, expired=reader.token is not None)
    return reader, reader.token


async def own_form(request: Request, token: str) -> dict[str, str]:
    """The fields of a form that this session's own page sent. Raises 403 for any other."""
    refuse_cross_site(request)
    fields = await read_form(request)
    if not csrf_matches(token, fields.get("csrf", "")):
        raise HTTPException(403)
    return fields


def assignment_in(request: Request) -> tuple[UUID, int]:
    """Lead and epoch that the path names. Raises 404 for an epoch that nobody ever had."""
    epoch = epoch_of(request.path_params["epoch"])
    if epoch is None:
        raise HTTPException(404)
    return request.path_params["lead_id"], epoch


def said_in(fields: dict[str, str], request: Request) -> Said:
    """The answer that a form gives. Raises 400 when it is none."""
    try:
        answer = Answer(fields.get("answer", ""))
        reason = DeclineReason(fields["decline_reason"]) if answer is Answer.DECLINED else None
        result = Result(fields["result"]) if answer is Answer.OUTCOME else None
    except (KeyError, ValueError):
        raise HTTPException(400) from None
    if answer is Answer.UNDELIVERABLE:
        raise HTTPException(400)  # the notifier's own word, not a store's
    lead_id, epoch = assignment_in(request)
    return Said(
        lead_id=lead_id,
        epoch=epoch,
        site_id=request.path_params["site_id"],
        answer=answer,
        via="inbox",
        decline_reason=reason,
        result=result,
    )


def wants_json(request: Request) -> bool:
    """Whether the page's script asks, not a browser that shows the answer."""
    return request.headers.get("accept", "").startswith("application/json")


def wants_page(request: Request) -> bool:
    """Whether a refusal is to be a page for a person; programs get problems.

    Browsers ask for HTML by name. Who asks for anything gets what the address has: a page, if that is what it is.
    """
    accept = request.headers.get("accept", "").lower()
    if "text/html" in accept:
        return True
    return ("*/*" in accept or not accept) and request.method in ("GET", "HEAD") and "endpoint" in request.scope


def remember_log_in(response: Response, reader: Reader, token: str, *, secure: bool) -> None:
    """The cookie reaches its own site's pages only, so two sites can be open in one browser."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        path=reader.base,
        httponly=True,
        secure=secure,
        # Not strict: a link from a chat or a mail must find the person logged in. Every change needs a form token.
        samesite="lax",
    )


def forget_log_in(response: Response, reader: Reader, *, secure: bool) -> None:
    """Delete the cookie."""
    response.delete_cookie(COOKIE, path=reader.base, httponly=True, secure=secure, samesite="lax")


def change_language(request: Request, reader: Reader, *, secure: bool) -> Response | None:
    """The answer to `?lang=`: remember it and show the same page; None when nothing was chosen."""
    chosen = request.query_params.get("lang")
    if chosen not in {"en", "zh"}:
        return None
    response = RedirectResponse(quote(request.scope["path"]), status_code=303)
    response.set_cookie(
        LANGUAGE_COOKIE,
        str(chosen),
        max_age=365 * 24 * 3600,
        path=reader.root or "/",
        httponly=True,
        secure=secure,
        samesite="lax",
    )
    return response
