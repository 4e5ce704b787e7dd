"""The signed requests of stores' systems: answer an assignment, fetch its contact once, look at its state.

Every request carries `waypost-endpoint` and the Standard Webhooks headers, signed with the endpoint's secret, and the
id of a request counts for one body only.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.store_notifier import answers
from services.store_notifier.answer_faults import faults_of
from services.store_notifier.contacts import ContactGone, Contacts, ContactUnavailable, NotHolder
from services.store_notifier.db import answers as answer_rows
from services.store_notifier.db import endpoints as endpoint_rows
from services.store_notifier.domain import Said
from services.store_notifier.endpoints import secrets_of
from services.store_notifier.epoch import epoch_of
from services.store_notifier.metrics import Metrics
from services.store_notifier.problems import unavailable
from shared import signatures
from shared.contracts import Answer, DeclineReason, Result
from shared.postgres import Connection, Pool, PostgresUnavailable, transact
from shared.problems import problem

MOST_BODY_BYTES = 16 * 1024
BODY_TIMEOUT_S = 5.0
LONGEST_REQUEST_ID = 128
NOT_YOURS = (
    "your site has no such assignment: it never had it, or the assignment has been over for so long that it is no "
    "longer kept; nothing was recorded"
)


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Accepted(_Said):
    answer: Literal[Answer.ACCEPTED]


class _Declined(_Said):
    answer: Literal[Answer.DECLINED]
    decline_reason: DeclineReason = DeclineReason.OTHER


class _Outcome(_Said):
    answer: Literal[Answer.OUTCOME]
    result: Result


_BODY: TypeAdapter[_Accepted | _Declined | _Outcome] = TypeAdapter(
    Annotated[_Accepted | _Declined | _Outcome, Field(discriminator="answer")]
)


class Refused(Exception):  # noqa: N818 - it carries an answer, not a fault of ours
    """The request gets this response and goes no further."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class Caller:
    """A store's system whose signature was verified."""

    endpoint_id: UUID
    site_id: str
    body: bytes


class Api:
    """The routes under /v1/assignments."""

    def __init__(
        self, pool: Pool, contacts: Contacts, endpoint_key: bytes, metrics: Metrics, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._contacts = contacts
        self._endpoint_key = endpoint_key
        self._metrics = metrics
        self._clock = clock

    def routes(self) -> list[Route]:
        """Answer, contact, state."""
        path = "/v1/assignments/{lead_id:uuid}/{epoch}"
        return [
            Route(f"{path}/answer", self._guarded(self._answer), methods=["POST"]),
            Route(f"{path}/contact", self._guarded(self._contact), methods=["POST"]),
            Route(path, self._guarded(self._state), methods=["GET"]),
        ]

    def _guarded(
        self, endpoint: Callable[[Request, Caller, UUID, int], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            lead_id, epoch = request.path_params["lead_id"], epoch_of(request.path_params["epoch"])
            if epoch is None:
                return problem(404, NOT_YOURS)
            try:
                caller = await self._caller(request)
                return await endpoint(request, caller, lead_id, epoch)
            except Refused as refusal:
                return refusal.response
            except answers.NotYours:
                return problem(404, NOT_YOURS)
            except PostgresUnavailable:
                return unavailable("the assignment cannot be looked up now; nothing was recorded")

        return handle

    async def _answer(self, _: Request, caller: Caller, lead_id: UUID, epoch: int) -> Response:
        try:
            body = _BODY.validate_json(caller.body)
        except ValidationError as error:
            return problem(422, "the answer is not one that Waypost knows", errors=faults_of(error))
        said = Said(
            lead_id,
            epoch,
            caller.site_id,
            body.answer,
            "webhook",
            body.decline_reason if isinstance(body, _Declined) else None,
            body.result if isinstance(body, _Outcome) else None,
        )
        answered = await answers.record(self._pool, said, self._clock())
        verdict = answered.verdict
        self._metrics.answers.labels(verdict=verdict.kind, via="webhook").inc()
        if verdict.refusal is not None:
            return problem(409, verdict.refusal, current=answered.state)
        return _json(202 if verdict.kind == "recorded" else 200, {"status": verdict.kind, "current": answered.state})

    async def _contact(self, _: Request, caller: Caller, lead_id: UUID, epoch: int) -> Response:
        try:
            contact = await self._contacts.fetch_once(self._pool, lead_id, epoch, caller.site_id, caller.endpoint_id)
        except NotHolder:
            state = await answers.state_of(self._pool, lead_id, epoch, caller.site_id)
            return problem(409, "your site does not hold this lead; please do not call the person", current=state)
        except ContactGone as gone:
            return problem(410, str(gone))
        except ContactUnavailable as error:
            return unavailable(f"{error}; the contact was not revealed, so the fetch may be repeated")
        body = {"name": contact.name, "phone": contact.phone, "email": contact.email}
        return _json(200, body, {"cache-control": "no-store"})

    async def _state(self, _: Request, caller: Caller, lead_id: UUID, epoch: int) -> Response:
        return _json(200, await answers.state_of(self._pool, lead_id, epoch, caller.site_id))

    async def _caller(self, request: Request) -> Caller:
        """Verify signature, freshness and first use. Raises Refused."""
        body = await _read(request)
        unknown = problem(401, "the header waypost-endpoint must name an active endpoint")
        try:
            endpoint_id = UUID(request.headers.get("waypost-endpoint", ""))
        except ValueError:
            raise Refused(unknown) from None
        now = self._clock()

        async def verify(connection: Connection) -> Caller:
            endpoint = await endpoint_rows.find(connection, endpoint_id)
            if endpoint is None or endpoint["status"] != "active" or endpoint["kind"] != "webhook":
                raise Refused(unknown)
            try:
                secrets = secrets_of(endpoint, self._endpoint_key, now)
                request_id = signatures.verify(secrets, request.headers, body, now)
            except signatures.BadSignatureError as error:
                raise Refused(problem(401, str(error))) from None
            if endpoint["site_id"] is None:
                raise Refused(
                    problem(403, "this endpoint is a partner's: only the site that holds a lead may ask or answer")
                )
            if len(request_id) > LONGEST_REQUEST_ID or not request_id.isprintable():
                raise Refused(problem(400, f"webhook-id must be at most {LONGEST_REQUEST_ID} printable characters"))
            used_for = f"{request.method} {request.scope['path']}\n".encode("utf-8", "surrogatepass") + body
            digest = hashlib.sha256(used_for).digest()
            if not await answer_rows.see_request(connection, endpoint_id, request_id, digest, now):
                raise Refused(problem(409, "this webhook-id came before with another request: use a new one"))
            return Caller(endpoint_id, endpoint["site_id"], body)

        return await transact(self._pool, verify)


async def _read(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused(problem(415, "send the body as it is, without content-encoding"))
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                size += len(part)
                if size > MOST_BODY_BYTES:
                    raise Refused(problem(413, f"an answer has at most {MOST_BODY_BYTES} bytes"))
                parts.append(part)
    except TimeoutError:
        raise Refused(problem(408, f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s")) from None
    except ClientDisconnect:
        raise Refused(problem(400, "the body broke off")) from None
    return b"".join(parts)


def _json(status: int, body: Mapping[str, object], headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
