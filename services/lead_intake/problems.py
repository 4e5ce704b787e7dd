"""Refusals over HTTP: RFC 9457 problem documents that name what was wrong and never repeat what was sent."""

from collections.abc import Mapping, Sequence

import orjson
from starlette.types import Send

from services.lead_intake.faults import Fault

PROBLEM_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the standard's own word
    """An answer other than success. `slug` names the kind for programs; the texts are for people."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str = "",
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(slug)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, object]:
        """The problem as JSON; `errors` as in the example of RFC 9457, section 3."""
        document: dict[str, object] = {
            "type": f"urn:waypost:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.faults:
            document["errors"] = pointers(self.faults)
        return document


def pointers(faults: Sequence[Fault]) -> list[dict[str, str]]:
    """Faults as JSON, their pointers in URI fragment form."""
    return [{"pointer": f"#{fault.pointer}", "detail": fault.detail} for fault in faults]


def refused(faults: Sequence[Fault]) -> Problem:
    """The lead is well-formed, but cannot be accepted as it is."""
    return Problem(422, "lead-refused", "The lead cannot be accepted as it is", faults=faults)


def unreadable(detail: str) -> Problem:
    """The body as a whole cannot be read."""
    return Problem(400, "unreadable", "The body cannot be read", detail)


def unavailable(retry_after_s: int) -> Problem:
    """PostgreSQL does not take leads now."""
    return Problem(
        503,
        "unavailable",
        "The lead was not accepted",
        "leads cannot be stored at this moment; send it again, with the same Idempotency-Key if you use one",
        headers={"retry-after": str(retry_after_s)},
    )


def overloaded(retry_after_s: int = 1) -> Problem:
    """More is waiting than can be held."""
    return Problem(
        503,
        "overloaded",
        "The lead was not accepted",
        "more leads are waiting than can be held; send it again a little later",
        headers={"retry-after": str(retry_after_s)},
    )


async def respond(
    send: Send, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send one whole response."""
    raw = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    if headers:
        raw += [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def respond_problem(send: Send, problem: Problem) -> None:
    """Send a problem."""
    await respond(send, problem.status, orjson.dumps(problem.document()), PROBLEM_TYPE, problem.headers)
