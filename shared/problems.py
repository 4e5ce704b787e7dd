"""Refusals over HTTP as RFC 9457 problems: what was wrong and what to do, without personal data."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"


def problem_document(status: int, detail: str, *, slug: str = "", **extra: object) -> bytes:
    """One problem as JSON. `slug` names its kind for programs; `extra` are further members of the document."""
    kind = f"urn:waypost:problem:{slug}" if slug else "about:blank"
    document = {"type": kind, "title": _phrase(status), "status": status, "detail": detail, **extra}
    return orjson.dumps(document)


def problem(
    status: int, detail: str, *, slug: str = "", headers: Mapping[str, str] | None = None, **extra: object
) -> Response:
    """One problem as an answer; `extra` are further members, e.g. the current state of an assignment."""
    return Response(
        problem_document(status, detail, slug=slug, **extra), status, dict(headers or {}), media_type=PROBLEM_TYPE
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"
