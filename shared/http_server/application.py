"""What every application here has in common: no redirect made of a header, and problems for all that goes wrong."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from shared.errors import where
from shared.problems import problem
from shared.telemetry.logs import get_logger

FAILED = "the request failed, and the fault is ours; try again"
_DETAILS = {404: "there is nothing at this address", 405: "this address does not take this method"}


def application(routes: Sequence[BaseRoute]) -> "Guard":
    """Routes whose refusals are problems, behind the guard.

    A missing or surplus slash is a 404: Starlette would send such a request to the host that its Host field names.
    """
    handlers: dict[object, ExceptionHandler] = {HTTPException: _refused, Exception: _failed}
    app = Starlette(routes=list(routes), exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Guard(app)


async def _refused(_: Request, error: Exception) -> Response:
    return problem_of(error) if isinstance(error, HTTPException) else problem(500, FAILED)


async def _failed(_: Request, __: Exception) -> Response:
    return problem(500, FAILED)


def problem_of(error: HTTPException) -> Response:
    """The problem for what Starlette or a handler refuses by its status alone."""
    detail = _DETAILS.get(error.status_code, error.detail)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 405 and "allow" in headers:
        detail = f"this address takes {headers['allow']}"
    return problem(error.status_code, detail, headers=headers)


class Guard:
    """The outermost layer of an application: logs what failed by its name and place, and answers 500 if nobody has.

    A message may quote a lead and a traceback may show its values, so neither is logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = ended = False

        async def send_noting(message: Message) -> None:
            nonlocal started, ended
            started = True
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            get_logger().error("request.failed", path=scope["path"], error=type(error).__name__, at=where(error))
            if not started:
                await problem(500, FAILED, slug="failed")(scope, receive, send)
            elif not ended:
                # uvicorn closes the connection, so that half an answer does not look whole.
                raise
