"""Judging one decision: is it what the router keeps, what something asked for, and what the engine decides again?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.audit.domain.comparison import Finding, LedgerRow, Verdict, changed, tampering
from services.audit.domain.labels import data_bytes
from services.router import domain as router
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import (
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_DUE,
    LEADS_ORDERED,
    LEADS_RECEIVED,
    PEOPLE_ERASED,
    Cause,
    LeadDecided,
    LeadReceived,
)
from shared.errors import UserError

CAUSED_BY = {
    Cause.RECEIVED: LEADS_RECEIVED.name,
    Cause.ACCEPTED: LEADS_ANSWERED.name,
    Cause.DECLINED: LEADS_ANSWERED.name,
    Cause.OUTCOME: LEADS_ANSWERED.name,
    Cause.UNDELIVERABLE: LEADS_ANSWERED.name,
    Cause.SILENT: LEADS_DUE.name,
    Cause.RETRIED: LEADS_DUE.name,
    Cause.ORDERED: LEADS_ORDERED.name,
    Cause.ERASED: PEOPLE_ERASED.name,
}
"""The topic whose fact starts an epoch of each cause."""


class Case(NamedTuple):
    """One published decision with everything that is on record about it."""

    lead_id: UUID
    epoch: int
    fact_id: UUID
    value: bytes
    """The leads.decided record."""
    row: LedgerRow | None
    received: bytes | None
    """The lead's leads.received record."""
    cause: tuple[str, bytes] | None
    """Topic and record of the fact that the decision names as its cause (later epochs)."""
    previous: Sequence[bytes]
    """The lead's earlier leads.decided records, by epoch."""


@dataclass(slots=True)
class Revisions:
    """Networks and policies that decisions name. A text in place of one says why it cannot be trusted."""

    networks: dict[int, Snapshot | str] = field(default_factory=dict)
    policies: dict[int, Policy | str] = field(default_factory=dict)


def causing_topic(name: str | None) -> str | None:
    """The topic to which a replay is limited, None for all. Raises UserError when no decision is caused by `name`."""
    if name is None or name == LEADS_DECIDED.name:
        return None
    if name not in CAUSED_BY.values():
        known = ", ".join(dict.fromkeys(CAUSED_BY.values()))
        raise UserError(f"no decision is caused by a fact of {name!r}", f"choose one of {known}")
    return name


class Question(NamedTuple):
    """A decision that stands as far as the records go: would the engine decide the same again?"""

    case: Case
    recorded: LeadDecided
    published: bytes
    lead: LeadReceived
    previous: Sequence[LeadDecided]
    trigger: router.Trigger | None
    network: Snapshot
    policy: Policy


def examine(case: Case, recorded: LeadDecided, revisions: Revisions) -> Finding | Question:
    """What the records alone say against a decision, worst first; else what to ask the engine.

    `recorded` is what `case.value` says.
    """

    def finding(verdict: Verdict, where: str, detail: str) -> Finding:
        return Finding(verdict, case.lead_id, case.epoch, where, detail)

    published = data_bytes(case.value)
    if case.row is None:
        return finding(Verdict.MISSING, "router.decisions", "published, but the router has no such row")
    if tampered := tampering(published, recorded, case.fact_id, case.row):
        return finding(Verdict.TAMPERED, *tampered)
    if case.received is None:
        return finding(Verdict.EXTRA, "leads.received", "nobody ever sent this lead")
    try:
        received = LEADS_RECEIVED.read(case.received)
        previous = [LEADS_DECIDED.read(value).data for value in case.previous]
        trigger = _trigger(case)
    except ValueError as error:
        return finding(Verdict.EXTRA, "data.cause_id", f"it rests on a record that is no fact ({type(error).__name__})")
    topic = CAUSED_BY[recorded.cause]
    if recorded.cause is Cause.RECEIVED and recorded.cause_id != received.id:
        return finding(Verdict.EXTRA, "data.cause_id", "the lead's leads.received fact has another id")
    if recorded.cause is not Cause.RECEIVED and (case.cause is None or case.cause[0] != topic):
        return finding(Verdict.EXTRA, "data.cause_id", f"no such fact on {topic}")
    if len(previous) != case.epoch - 1:
        return finding(Verdict.MISSING, "leads.decided", f"{case.epoch - 1 - len(previous)} earlier epochs missing")
    network = revisions.networks[recorded.network_revision]
    policy = revisions.policies[recorded.policy_version]
    if isinstance(network, str):
        return finding(Verdict.TAMPERED, f"network revision {recorded.network_revision}", network)
    if isinstance(policy, str):
        return finding(Verdict.TAMPERED, f"policy version {recorded.policy_version}", policy)
    return Question(case, recorded, published, received.data, previous, trigger, network, policy)


def ask_again(questions: Sequence[Question]) -> list[Finding | None]:
    """What is wrong when the engine decides each again; None for one that comes out the same, byte for byte.

    Decisions of one network and policy are asked together: the search for the nearest is most of the work.
    """
    together: dict[tuple[int, int], list[int]] = {}
    for place, question in enumerate(questions):
        together.setdefault((question.network.revision, question.policy.version), []).append(place)
    findings: list[Finding | None] = [None] * len(questions)
    for places in together.values():
        for place, again in zip(places, _decide_again([questions[place] for place in places]), strict=True):
            findings[place] = _compare(questions[place], again)
    return findings


def _decide_again(questions: Sequence[Question]) -> list[bytes | ValueError | LookupError]:
    past = [router.Past(one.recorded, one.lead, one.previous, one.trigger) for one in questions]
    try:
        return [*router.redecide_batch(past, questions[0].network, questions[0].policy)]
    except (ValueError, LookupError) as error:
        if len(questions) == 1:
            return [error]
        # One of them cannot be decided at all: find out which.
        return [again for question in questions for again in _decide_again([question])]


def _compare(question: Question, again: bytes | ValueError | LookupError) -> Finding | None:
    case = question.case
    if not isinstance(again, bytes):
        what = f"it cannot be decided again ({type(again).__name__})"
        return Finding(Verdict.CHANGED_UNEXPLAINED, case.lead_id, case.epoch, "data", what)
    difference = changed(question.published, again, router.ENGINE_VERSION)
    if difference is None:
        return None
    verdict, where, detail = difference
    return Finding(verdict, case.lead_id, case.epoch, where, detail)


def trusted(announced: Mapping[int, str], number: int, digest: str) -> str:
    """Why a revision with this digest is not the announced one; empty when it is."""
    if number not in announced:
        return "no published fact announces it"
    if announced[number] != digest:
        return f"its content has digest {digest[:12]}..., announced was {announced[number][:12]}..."
    return ""


def _trigger(case: Case) -> router.Trigger | None:
    if case.cause is None:
        return None
    topic, value = case.cause
    if topic == LEADS_ANSWERED.name:
        return LEADS_ANSWERED.read(value).data
    if topic == LEADS_DUE.name:
        return LEADS_DUE.read(value).data
    if topic == LEADS_ORDERED.name:
        return LEADS_ORDERED.read(value).data
    return None
