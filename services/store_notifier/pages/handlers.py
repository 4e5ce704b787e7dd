"""What the store's page does with each request; `routes` says which."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from structlog.typing import FilteringBoundLogger

from services.store_notifier.domain import Said, Verdict
from services.store_notifier.pages import visit
from services.store_notifier.pages.board import read_board, read_card
from services.store_notifier.pages.cards import Card
from services.store_notifier.pages.feed import Feed
from services.store_notifier.pages.guard import read_form, refuse_cross_site
from services.store_notifier.pages.live import LiveInboxes
from services.store_notifier.pages.render import ASSETS, Contact, Reader, Renderer
from services.store_notifier.pages.sessions import Sessions
from services.store_notifier.pages.stream import EventStream, last_event_id
from shared.http_server.application import FAILED, problem_of
from shared.postgres import Pool
from shared.problems import problem

RETRY_AFTER_S = "10"
_PROBLEMS = {403: "problem.forbidden", 404: "problem.missing", 500: "problem.unavailable", 503: "problem.unavailable"}

Answering = Callable[[Said], Awaitable[Verdict]]
Revealing = Callable[[UUID, int, str], Awaitable[Contact]]
"""lead id, epoch, site id -> the contact; records the reveal. Raises NoContact."""


class NoContact(Exception):  # noqa: N818 - it names a state
    """The contact cannot be shown; `text_key` says why, in the words of `pages.texts`."""

    def __init__(self, text_key: str) -> None:
        super().__init__(text_key)
        self.text_key = text_key


class InboxPages:
    """The pages of every site. `zone` is the wall clock of the stores."""

    def __init__(
        self,
        pool: Pool,
        live: LiveInboxes,
        answer: Answering,
        reveal: Revealing,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        zone: tzinfo,
        secure_cookies: bool,
        log: FilteringBoundLogger,
    ) -> None:
        self._pool = pool
        self._live = live
        self._answer = answer
        self._reveal = reveal
        self._now = now
        self._zone = zone
        self._secure_cookies = secure_cookies
        self._log = log
        self._renderer = Renderer()
        self._sessions = Sessions(pool, now, random_bytes)
        self._feed = Feed(pool, live, self._sessions, self._renderer, now)

    async def asset(self, request: Request) -> Response:
        """A file of the page, cached for ever under its version."""
        name = request.path_params["name"]
        if name not in self._renderer.assets:
            raise HTTPException(404)
        # A page from before an upgrade asks by the old version: it gets today's file, which no cache may keep as old.
        current = request.path_params["version"] == self._renderer.version
        return FileResponse(
            ASSETS / name, headers={"cache-control": "public, max-age=31536000, immutable" if current else "no-store"}
        )

    async def log_in_page(self, request: Request) -> Response:
        """The form that asks for the inbox key."""
        reader = self._reader(request)
        changed = visit.change_language(request, reader, secure=self._secure_cookies)
        return changed or HTMLResponse(self._renderer.login(reader, expired="expired" in request.query_params))

    async def log_in(self, request: Request) -> Response:
        """Take the key, give the cookie."""
        reader = self._reader(request)
        refuse_cross_site(request)
        fields = await read_form(request)
        token = await self._sessions.open(reader.site_id, fields.get("key", ""))
        self._log.info("inbox.log_in", site_id=reader.site_id, opened=token is not None)
        if token is None:
            return HTMLResponse(self._renderer.login(reader, wrong=True), status_code=403)
        response = RedirectResponse(reader.base, status_code=303)
        visit.remember_log_in(response, reader, token, secure=self._secure_cookies)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the log-in."""
        reader, token = await visit.logged_in(request, self._zone, self._sessions)
        await visit.own_form(request, token)
        await self._sessions.close(token)
        response = RedirectResponse(f"{reader.base}/login", status_code=303)
        visit.forget_log_in(response, reader, secure=self._secure_cookies)
        return response

    async def page(self, request: Request) -> Response:
        """The inbox."""
        reader, _ = await visit.logged_in(request, self._zone, self._sessions)
        changed = visit.change_language(request, reader, secure=self._secure_cookies)
        return changed or await self._whole_page(reader)

    async def events(self, request: Request) -> Response | EventStream:
        """The stream of an open page."""
        reader, token = await visit.logged_in(request, self._zone, self._sessions)
        if self._live.is_full(reader.site_id):
            raise HTTPException(503, headers={"retry-after": RETRY_AFTER_S})
        after = last_event_id(request.headers.get("last-event-id"), request.query_params.get("after"))
        # Spread out, or every page of the network would come back in the same moment after a restart.
        retry_ms = random.randrange(1000, 4000)  # noqa: S311 - not a secret
        return EventStream(self._feed.events(reader, token, after), retry_ms=retry_ms)

    async def take_answer(self, request: Request) -> Response:
        """Accept, decline, or report the outcome."""
        reader, token = await visit.logged_in(request, self._zone, self._sessions)
        said = visit.said_in(await visit.own_form(request, token), request)
        await self._card(said.site_id, said.lead_id, said.epoch)
        verdict = await self._answer(said)
        self._log.info(
            "inbox.answered",
            site_id=said.site_id,
            lead_id=str(said.lead_id),
            epoch=said.epoch,
            answer=said.answer,
            verdict=verdict.kind,
        )
        card = await self._card(said.site_id, said.lead_id, said.epoch)
        if verdict.kind != "refused":
            return await self._show(request, reader, card)
        return await self._show(request, reader, card, status=409, notice=reader.wording(f"late.{card.state}"))

    async def show_contact(self, request: Request) -> Response:
        """Reveal one contact to the person who asked for it."""
        reader, token = await visit.logged_in(request, self._zone, self._sessions)
        await visit.own_form(request, token)
        lead_id, epoch = visit.assignment_in(request)
        card = await self._card(reader.site_id, lead_id, epoch)
        try:
            contact = await self._reveal(lead_id, epoch, reader.site_id)
        except NoContact as error:
            return await self._show(request, reader, card, status=409, notice=reader.wording(error.text_key))
        return await self._show(request, reader, card, contact=contact)

    def _reader(self, request: Request) -> Reader:
        reader = visit.reader_of(request, self._zone)
        if not reader.site_id:
            raise HTTPException(404)
        return reader

    async def _card(self, site_id: str, lead_id: UUID, epoch: int) -> Card:
        card = await read_card(self._pool, site_id, lead_id, epoch)
        if card is None:
            raise HTTPException(404)
        return card

    async def _whole_page(
        self,
        reader: Reader,
        *,
        status: int = 200,
        card: Card | None = None,
        notice: str = "",
        contact: Contact | None = None,
    ) -> Response:
        seq, cards = await read_board(self._pool, reader.site_id)
        html = self._renderer.inbox(reader, seq, cards, self._now(), card=card, notice=notice, contact=contact)
        return HTMLResponse(html, status_code=status)

    async def _show(
        self,
        request: Request,
        reader: Reader,
        card: Card,
        *,
        status: int = 200,
        notice: str = "",
        contact: Contact | None = None,
    ) -> Response:
        """The card alone for the page's script; for a browser the page, by redirect so that a reload sends nothing."""
        if visit.wants_json(request):
            html = self._renderer.card(reader, card, self._now(), notice=notice, contact=contact)
            announce = "" if notice or contact else reader.wording.announcement(card, self._now())
            return JSONResponse({"html": html, "announce": announce}, status_code=status)
        if not notice and contact is None:
            return RedirectResponse(f"{reader.base}#{card.anchor}", status_code=303)
        return await self._whole_page(reader, status=status, card=card, notice=notice, contact=contact)

    async def logged_out(self, request: Request, error: Exception) -> Response:
        """Send a person to the log-in; tell a script 401."""
        if not isinstance(error, visit.LoggedOut):
            raise error
        if visit.wants_json(request) or request.headers.get("accept") == "text/event-stream":
            return problem(401, "log in again")
        path = f"{error.reader.base}/login"
        return RedirectResponse(f"{path}?expired" if error.expired else path, status_code=303)

    async def problem(self, request: Request, error: Exception) -> Response:
        """A page for what went wrong, or a problem for a program."""
        if not visit.wants_page(request):
            if isinstance(error, HTTPException):
                return problem_of(error)
            return problem(503, "the inbox cannot be read now", headers={"retry-after": RETRY_AFTER_S})
        status = error.status_code if isinstance(error, HTTPException) else 503
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {"retry-after": RETRY_AFTER_S}
        html = self._renderer.problem(visit.reader_of(request, self._zone), _PROBLEMS.get(status, "problem.request"))
        return HTMLResponse(html, status_code=status, headers=headers)

    async def failed(self, request: Request, _: Exception) -> Response:
        """The same for a fault of ours."""
        return await self.problem(request, HTTPException(500, FAILED))
