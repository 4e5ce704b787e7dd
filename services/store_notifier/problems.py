"""Refusals over HTTP as RFC 9457 problems: what was wrong and what to do, without personal data."""

from http import HTTPStatus

import orjson
from starlette.responses import Response


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **extra: object) -> Response:
    """One problem document; `extra` are further members, e.g. the current state of an assignment."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **extra}
    return Response(orjson.dumps(document), status, headers, media_type="application/problem+json")


def unavailable(detail: str) -> Response:
    """503: nothing happened, try again in a moment."""
    return problem(503, detail, headers={"retry-after": "2"})
