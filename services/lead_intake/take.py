"""POST /v1/leads: from a request to one answer per lead."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from prometheus_client import CollectorRegistry, Counter
from starlette.types import Receive, Scope, Send

from services.lead_intake.accept import Acceptance
from services.lead_intake.contacts import Contacts
from services.lead_intake.db import Claim
from services.lead_intake.db_sources import Source
from services.lead_intake.domain import Lead, Rules, accept_draft, time_ordered_id
from services.lead_intake.faults import Refused
from services.lead_intake.geocoding.finder import PlaceFinder
from services.lead_intake.geocoding.port import Failure
from services.lead_intake.limits import BATCH_BYTES, LEAD_BYTES, read_body
from services.lead_intake.looking_up import look_up
from services.lead_intake.people import body_token
from services.lead_intake.problems import Problem, pointers, refused, respond, unreadable
from services.lead_intake.record import Entry, Outcome
from services.lead_intake.settings import IntakeSettings
from services.lead_intake.source_keys import SourceKeys
from services.lead_intake.sources.formats import ADF, FORMATS, JSON, NDJSON, format_of, read_leads
from services.lead_intake.sources.reading import Item, Unreadable
from shared.personal import holds_persons_number
from shared.postgres import Pool
from shared.telemetry import get_logger
from shared.tracing import Tracing, begin, child, is_traceparent

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
    tracing: Tracing
    finder: PlaceFinder | None = None


def count_answers(registry: CollectorRegistry) -> Counter:
    """Answers given per lead, by format and status."""
    return Counter("waypost_intake_answers", "Answers given, per lead", ("format", "status"), registry=registry)


async def take_leads(intake: Intake, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer after the commit: 202 for one lead, 207 with an answer each for several. Raises Problem."""
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
        if intake.finder is not None:
            leads = await look_up(intake.finder, leads, intake.clock)
        outcomes = await _submit(intake, leads, source, key, name, body)
    except Problem as problem:
        intake.answered.labels(name, str(problem.status)).inc()
        get_logger().info("leads.refused", format=name, status=problem.status, problem=problem.slug)
        raise
    await _answer(intake, send, name, [number for number, _ in items], leads, outcomes)
    if intake.tracing.enabled:
        # After the answer: nothing that is wrong with a span may make a committed lead look refused.
        _trace(intake, leads, outcomes, headers.get(b"traceparent"))


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
        if parent and may_be_carried(parent):
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


def may_be_carried(parent: str) -> bool:
    """Whether a sender's trace context is one, and its id, which every fact repeats, is no person's number."""
    if not is_traceparent(parent):
        return False
    trace_id = parent.split("-")[1].lstrip("0")
    return not (trace_id.isdigit() and holds_persons_number(trace_id))


async def _submit(
    intake: Intake, leads: Sequence[Lead | Problem], source: Source, key: str | None, name: str, body: bytes
) -> list[Outcome]:
    fingerprint = b"" if key is None else body_token(intake.rules.pepper, name, body)
    entries = []
    for position, lead in enumerate(leads):
        if isinstance(lead, Problem):
            continue
        # Each lead of a batch has a key of its own, so that a repeated batch answers line by line.
        own_key = key if key is None or len(leads) == 1 else f"{key}\x1f{position}"
        claim = None if own_key is None else Claim(source.source, own_key, fingerprint, lead.lead_id)
        entries.append(Entry(lead, claim))
    accepted = iter(await intake.acceptance.submit(entries) if entries else ())
    return [lead if isinstance(lead, Problem) else next(accepted) for lead in leads]


def _trace(
    intake: Intake, leads: Sequence[Lead | Problem], outcomes: Sequence[Outcome], traceparent: bytes | None
) -> None:
    parent, ended = traceparent.decode("latin-1") if traceparent else None, intake.clock()
    for lead, outcome in zip(leads, outcomes, strict=True):
        # A repeat is answered with the first lead's id, and that lead's trace has its span.
        if isinstance(lead, Lead) and outcome == lead.lead_id:
            intake.tracing.record(
                "lead.accept",
                traceparent=lead.traceparent,
                parent=parent,
                started=lead.received_at,
                ended=ended,
                lead_id=str(lead.lead_id),
            )
            if lead.looked_up is not None:
                intake.tracing.record(
                    "lead.geocode",
                    traceparent=child(lead.traceparent, "geocode"),
                    parent=lead.traceparent,
                    started=lead.looked_up.started,
                    ended=lead.looked_up.ended,
                    failed=lead.looked_up.result in tuple(Failure),
                    lead_id=str(lead.lead_id),
                    result=lead.looked_up.result,
                )


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
