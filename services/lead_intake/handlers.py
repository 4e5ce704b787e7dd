"""HTTP: take leads, tell their state, show a contact to a service that signs for it. Read, decide, record, answer."""

from uuid import UUID

import orjson
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from services.lead_intake import db_people
from services.lead_intake.candidates import shown
from services.lead_intake.db_people import LeadState
from services.lead_intake.limits import LEAD_BYTES, read_body
from services.lead_intake.problems import Problem, respond, unavailable
from services.lead_intake.take import Intake, take_leads
from shared.contracts import WaitingReason
from shared.postgres import Connection, PostgresUnavailable, transact


def routes(intake: Intake) -> ASGIApp:
    """The public and the internal addresses. Problems are raised, and rendered by the guard around this."""

    async def post_leads(scope: Scope, receive: Receive, send: Send) -> None:
        await take_leads(intake, scope, receive, send)

    async def get_lead(scope: Scope, _: Receive, send: Send) -> None:
        await _tell_state(intake, scope, send)

    async def post_contacts(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await read_body(scope, receive, LEAD_BYTES, intake.settings.intake_body_timeout)
        contact = await intake.contacts.reveal(headers, body)
        shown = {"name": contact.name, "phone": contact.phone, "email": contact.email}
        await respond(send, 200, orjson.dumps(shown), "application/json", {"cache-control": "no-store"})

    leads = _Only("POST", post_leads)
    others = Router(
        [
            Route("/v1/leads/{lead_id}", _Only("GET", get_lead)),
            Route("/internal/contacts", _Only("POST", post_contacts)),
        ],
        default=_nothing_here,
        # Else a slash too many is answered with a redirect to whatever host the Host field names.
        redirect_slashes=False,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Nearly every request comes here; the router would try patterns on it.
        await (leads if scope.get("path") == "/v1/leads" else others)(scope, receive, send)

    return app


class _Only:
    """An address that knows one method."""

    def __init__(self, method: str, app: ASGIApp) -> None:
        self._method = method
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != self._method:
            detail = f"this address takes {self._method}"
            raise Problem(405, "method", "The method is not known here", detail, headers={"allow": self._method})
        await self._app(scope, receive, send)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    raise Problem(404, "no-address", "There is nothing at this address", "leads go to POST /v1/leads")


async def _tell_state(intake: Intake, scope: Scope, send: Send) -> None:
    source = await intake.source_keys.source_of(dict(scope["headers"]).get(b"authorization"))
    try:
        lead_id = UUID(scope["path_params"]["lead_id"])
    except ValueError:
        raise _no_lead() from None

    async def read(connection: Connection) -> LeadState | None:
        return await db_people.read_state(connection, lead_id)

    try:
        state = await transact(intake.pool, read, tries=2)
    except PostgresUnavailable as error:
        raise unavailable(retry_after_s=2) from error
    # Another source's lead is answered like one that does not exist: its existence is none of their business.
    if state is None or state.source != source.source:
        raise _no_lead()
    # Once a lead was decided otherwise, somebody has said where it is.
    unclear = state.epoch == 0 or state.reason == WaitingReason.LOCATION_UNCLEAR
    document = {
        "lead_id": str(state.lead_id),
        "state": state.state,
        "epoch": state.epoch,
        "reason": state.reason,
        "site_id": state.site_id,
        "joins_lead_id": state.joins_lead_id and str(state.joins_lead_id),
        "received_at": state.received_at,
        "decided_at": state.decided_at,
        "place_candidates": [shown(kept, intake.rules.places) for kept in state.place_candidates or () if unclear]
        or None,
    }
    present = {name: value for name, value in document.items() if value is not None}
    await respond(send, 200, orjson.dumps(present), "application/json", {"cache-control": "no-store"})


def _no_lead() -> Problem:
    return Problem(404, "no-lead", "There is no such lead", "or it came from another source than this key's")
