"""The one function by which the notifier's HTTP server gets the store's page."""

from collections.abc import Callable
from datetime import datetime, tzinfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from structlog.typing import FilteringBoundLogger

from services.store_notifier.pages.guard import PageHeaders
from services.store_notifier.pages.handlers import Answering, InboxPages, Revealing
from services.store_notifier.pages.live import LiveInboxes
from services.store_notifier.pages.visit import LoggedOut
from shared.postgres import Pool, PostgresUnavailable


def inbox_routes(
    *,
    pool: Pool,
    live: LiveInboxes,
    answer: Answering,
    reveal: Revealing,
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    zone: tzinfo,
    secure_cookies: bool,
    log: FilteringBoundLogger,
) -> list[BaseRoute]:
    """Everything under `/inbox`.

    `answer` and `reveal` do what a person at the page asks for, and record it. `zone` is the wall clock of the stores.
    `secure_cookies` must be true wherever the page is served over https. `live.run` must run beside the server.
    """
    pages = InboxPages(pool, live, answer, reveal, now, random_bytes, zone, secure_cookies, log)
    application = Starlette(
        routes=[
            Route("/-/{version}/{name}", pages.asset),
            Route("/{site_id}", pages.page),
            Route("/{site_id}/login", pages.log_in_page, methods=["GET"]),
            Route("/{site_id}/login", pages.log_in, methods=["POST"]),
            Route("/{site_id}/logout", pages.log_out, methods=["POST"]),
            Route("/{site_id}/events", pages.events, methods=["GET"]),
            Route("/{site_id}/leads/{lead_id:uuid}/{epoch}/answer", pages.take_answer, methods=["POST"]),
            Route("/{site_id}/leads/{lead_id:uuid}/{epoch}/contact", pages.show_contact, methods=["POST"]),
        ],
        middleware=[Middleware(PageHeaders)],
        exception_handlers={
            LoggedOut: pages.logged_out,
            HTTPException: pages.problem,
            PostgresUnavailable: pages.problem,
            Exception: pages.failed,
        },
    )
    # Else a slash too many is answered with a redirect to whatever host the Host field names.
    application.router.redirect_slashes = False
    return [Mount("/inbox", app=application)]
