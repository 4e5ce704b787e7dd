"""HTTP: take leads, tell their state, show a contact to a service that signs for it. Read, decide, record, answer."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from prometheus_client import CollectorRegistry, Counter
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from services.lead_intake import db_people
from services.lead_intake.accept import Acceptance
from services.lead_intake.contacts import Contacts
from services.lead_intake.db import Claim
from services.lead_intake.db_people import LeadState
from services.lead_intake.db_sources import Source
from services.lead_intake.domain import Lead, Rules, accept_draft, time_ordered_id
from services.lead_intake.faults import Refused
from services.lead_intake.limits import BATCH_BYTES, LEAD_BYTES, read_body
from services.lead_intake.problems import Problem, pointers, refused, respond, unavailable, unreadable
from services.lead_intake.record import Entry, Outcome
from services.lead_intake.settings import IntakeSettings
from services.lead_intake.source_keys import SourceKeys
from services.lead_intake.sources.formats import ADF, FORMATS, JSON, NDJSON, format_of, read_leads
from services.lead_intake.sources.reading import Item, Unreadable
from shared.postgres import Connection, Pool, PostgresUnavailable, transact
from shared.telemetry import get_logger
from shared.tracing import begin, child, is_traceparent

MULTI_STATUS = 207


@dataclass(frozen=True, slots=True)
class Intake:
    """What the handlers use; times, ids and chance come from outside."""

    pool: Pool
    acceptance: Acceptance
    source_keys: SourceKeys
    contacts: Contacts
    rules: Rules
    settings: IntakeSettings
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    answered: Counter


def count_answers(registry: CollectorRegistry) -> Counter:
    """Answers given per lead, by format and status."""
    return Counter("intake_answers", "Answers given, per lead", ("format", "status"), registry=registry)


def routes(intake: Intake) -> Router:
    """The public and the internal addresses. Problems are raised, and rendered by the guard around this."""

    async def post_leads(scope: Scope, receive: Receive, send: Send) -> None:
        await _take_leads(intake, scope, receive, send)

    async def get_lead(scope: Scope, _: Receive, send: Send) -> None:
        await _tell_state(intake, scope, send)

    async def post_contacts(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await read_body(scope, receive, LEAD_BYTES, intake.settings.intake_body_timeout)
        contact = await intake.contacts.reveal(headers, body)
        shown = {"name": contact.name, "phone": contact.phone, "email": contact.email}
        await respond(send, 200, orjson.dumps(shown), "application/json", {"cache-control": "no-store"})

    return Router(
        [
            Route("/v1/leads", _Only("POST", post_leads)),
            Route("/v1/leads/{lead_id}", _Only("GET", get_lead)),
            Route("/internal/contacts", _Only("POST", post_contacts)),
        ],
        default=_nothing_here,
    )


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


async def _take_leads(intake: Intake, scope: Scope, receive: Receive, send: Send) -> None:
    headers = dict(scope["headers"])
    name = "none"
    try:
        source = await intake.source_keys.source_of(headers.get(b"authorization"))
        name, charset = format_of(headers.get(b"content-type", b""), headers.get(b"content-encoding", b""))
        limit = LEAD_BYTES if name == JSON else BATCH_BYTES
        body = await read_body(scope, receive, limit, intake.settings.intake_body_timeout)
        now = intake.clock()
        try:
            items = read_leads(name, body, charset, source, intake.rules.places, now)
        except Unreadable as error:
            raise unreadable(str(error)) from None
        key = _idempotency_key(headers.get(b"idempotency-key"))
        leads = _judge(intake, items, source, now, headers.get(b"traceparent"))
        outcomes = await _submit(intake, leads, source, key, hashlib.sha256(name.encode() + body).digest())
    except Problem as problem:
        intake.answered.labels(name, str(problem.status)).inc()
        get_logger().info("leads.refused", format=name, status=problem.status, problem=problem.slug)
        raise
    await _answer(intake, send, name, [number for number, _ in items], leads, outcomes)


def _judge(
    intake: Intake, items: Iterable[tuple[int, Item]], source: Source, now: datetime, traceparent: bytes | None
) -> list[Lead | Problem]:
    parent = traceparent.decode("latin-1") if traceparent else None
    judged: list[Lead | Problem] = []
    for _, item in items:
        if isinstance(item, Refused):
            judged.append(refused(item.faults))
            continue
        lead_id = time_ordered_id(now, intake.random_bytes(10))
        if is_traceparent(parent):
            trace = child(parent, f"received:{lead_id}") or ""
        else:
            trace = begin(intake.random_bytes(16), intake.random_bytes(8))
        try:
            judged.append(
                accept_draft(
                    item, intake.rules, lead_id=lead_id, source=source.source, received_at=now, traceparent=trace
                )
            )
        except Refused as error:
            judged.append(refused(error.faults))
    return judged


async def _submit(
    intake: Intake, leads: Sequence[Lead | Problem], source: Source, key: str | None, fingerprint: bytes
) -> list[Outcome]:
    entries = []
    for position, lead in enumerate(leads):
        if isinstance(lead, Problem):
            continue
        # Each lead of a batch has a key of its own, so that a repeated batch answers line by line.
        own_key = key if key is None or len(leads) == 1 else f"{key} {position}"
        claim = None if own_key is None else Claim(source.source, own_key, fingerprint, lead.lead_id)
        entries.append(Entry(lead, claim))
    accepted = iter(await intake.acceptance.submit(entries) if entries else ())
    return [lead if isinstance(lead, Problem) else next(accepted) for lead in leads]


async def _answer(
    intake: Intake,
    send: Send,
    name: str,
    numbers: Sequence[int],
    leads: Sequence[Lead | Problem],
    outcomes: Sequence[Outcome],
) -> None:
    answers = []
    for lead, outcome in zip(leads, outcomes, strict=True):
        status = outcome.status if isinstance(outcome, Problem) else 202
        intake.answered.labels(name, str(status)).inc()
        answers.append(_document(lead, outcome))
        if isinstance(outcome, Problem):
            fields = [fault.pointer for fault in outcome.faults]
            get_logger().info("leads.refused", format=name, status=status, problem=outcome.slug, fields=fields)
    if name != NDJSON and len(answers) == 1:
        if isinstance(outcomes[0], Problem):
            # Already counted and logged above.
            raise outcomes[0]
        await respond(send, 202, orjson.dumps(answers[0]), "application/json")
        return
    numbered = [
        {FORMATS[name].counts: number, "status_code": outcome.status if isinstance(outcome, Problem) else 202} | answer
        for number, outcome, answer in zip(numbers, outcomes, answers, strict=True)
    ]
    if name == ADF:
        await respond(send, MULTI_STATUS, orjson.dumps({"results": numbered}), "application/json")
        return
    lines = b"".join(orjson.dumps(answer) + b"\n" for answer in numbered)
    await respond(send, MULTI_STATUS, lines, "application/x-ndjson")


def _document(lead: Lead | Problem, outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, Problem):
        return {"problem": outcome.document()}
    document: dict[str, object] = {
        "lead_id": str(outcome),
        "status": "accepted",
        "status_url": f"/v1/leads/{outcome}",
    }
    if isinstance(lead, Lead) and lead.remarks:
        document["warnings"] = pointers(lead.remarks)
    return document


def _idempotency_key(header: bytes | None) -> str | None:
    if header is None:
        return None
    key = header.decode("latin-1").strip().strip('"')
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Problem(400, "idempotency-key", "The Idempotency-Key is malformed", "1 to 255 printable ASCII characters")
    return key


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
    document = {
        "lead_id": str(state.lead_id),
        "state": state.state,
        "epoch": state.epoch,
        "reason": state.reason,
        "site_id": state.site_id,
        "joins_lead_id": state.joins_lead_id and str(state.joins_lead_id),
        "received_at": state.received_at,
        "decided_at": state.decided_at,
    }
    present = {name: value for name, value in document.items() if value is not None}
    await respond(send, 200, orjson.dumps(present), "application/json", {"cache-control": "no-store"})


def _no_lead() -> Problem:
    return Problem(404, "no-lead", "There is no such lead", "or it came from another source than this key's")
