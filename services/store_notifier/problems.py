"""Refusals of the notifier that several of its doors share."""

from starlette.responses import Response

from shared.problems import problem


def unavailable(detail: str) -> Response:
    """503: nothing happened, try again in a moment."""
    return problem(503, detail, headers={"retry-after": "2"})
