"""One lead's journey as moments in order, each said in plain words, with times counted from its arrival."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from services.audit.domain import wording
from services.audit.domain.escalations import unheard
from shared.contracts import (
    DEAD_LETTERS,
    TOPICS,
    Answer,
    AttemptResult,
    Cause,
    DeliveryAttempted,
    LeadAnswered,
    LeadAssigned,
    LeadClosed,
    LeadDecided,
    LeadDue,
    LeadJoined,
    LeadOrdered,
    LeadReceived,
    LeadWaiting,
    RecordDead,
    Topic,
)

Tone = Literal["plain", "good", "bad"]
_PLAIN: Tone = "plain"
_GOOD: Tone = "good"
_BAD: Tone = "bad"

Told = LeadReceived | LeadDecided | LeadAnswered | LeadDue | LeadOrdered | DeliveryAttempted | RecordDead
"""What a record about a lead can say."""
_TOPICS: dict[str, Topic[Any]] = {topic.name: topic for topic in (*TOPICS, *DEAD_LETTERS.values())}


class Kept(NamedTuple):
    """One record of the lead, from the ledger."""

    topic: str
    kafka_time: datetime
    value: bytes


class Reveal(NamedTuple):
    """Somebody at a site saw the contact."""

    site_id: str
    epoch: int
    via: str
    revealed_at: datetime


@dataclass(frozen=True, slots=True)
class Loser:
    """A site that did not get the lead, and why."""

    site: str
    distance_m: int
    load: int
    why: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to the lead."""

    at: datetime
    what: str
    text: str
    tone: Tone = "plain"
    losers: tuple[Loser, ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """Everything that happened, oldest first, and where the lead is now."""

    lead_id: str
    request: str
    where: str
    source: str
    received_at: datetime | None
    now: str
    tone: Tone
    moments: tuple[Moment, ...]


def tell(
    lead_id: str,
    records: Sequence[Kept],
    reveals: Sequence[Reveal],
    names: Mapping[str, str],
    now: datetime,
    *,
    holder_never_opens: bool = False,
) -> Journey:
    """The journey in `records` (as published, redeliveries included); `names` maps site ids to names.

    `holder_never_opens`: the hours of the site that has the lead never come, so that its clock runs all the time.
    """
    lead: LeadReceived | None = None
    decisions: dict[int, LeadDecided] = {}
    moments: dict[object, Moment] = {}
    everything: list[object] = []
    for record in records:
        identity, said = _read(record)
        everything.append(said)
        moments.setdefault(identity, _moment(record, said, names))
        if isinstance(said, LeadReceived):
            lead = lead or said
        elif isinstance(said, LeadAssigned | LeadWaiting | LeadJoined | LeadClosed):
            decisions.setdefault(said.epoch, said)
    for silence in unheard(everything, now):
        text = wording.nobody_told(silence, names)
        moments["unheard", silence.epoch] = Moment(silence.escalate_at or silence.respond_by, "escalated", text, "bad")
    for reveal in reveals:
        text = f"{wording.site(reveal.site_id, names)} saw the contact ({reveal.via})"
        moments[reveal] = Moment(reveal.revealed_at, "contact", text)
    told = [decisions[epoch] for epoch in sorted(decisions)]
    state, tone = _state(told, lead, names, now)
    if holder_never_opens:
        state += "; its hours never open within a year, so its clock runs as if it were always open"
    places = [one.order.place for one in told if one.order is not None and one.order.place is not None]
    return Journey(
        lead_id=lead_id,
        request=_request(lead, names),
        where=wording.where(places[-1] if places else lead.place) if lead else "",
        source=f"{lead.source}, {lead.channel.value}" if lead else "",
        received_at=lead.received_at if lead else None,
        now=state,
        tone=tone,
        moments=tuple(sorted(moments.values(), key=lambda moment: moment.at)),
    )


def _request(lead: LeadReceived | None, names: Mapping[str, str]) -> str:
    if lead is None:
        return "unknown: its arrival is not in the ledger"
    asked = f", at {wording.site(lead.preferred_site_id, names)}" if lead.preferred_site_id else ""
    return wording.request(lead) + asked


def mentions(records: Sequence[Kept]) -> tuple[set[str], set[int]]:
    """Ids of the sites and numbers of the network revisions that the records speak of."""
    sites: set[str] = set()
    revisions: set[int] = set()
    for record in records:
        said = _read(record)[1]
        match said:
            case LeadAssigned() | LeadWaiting():
                sites |= {candidate.site_id for candidate in said.candidates}
                revisions.add(said.network_revision)
            case LeadJoined() | LeadClosed():
                revisions.add(said.network_revision)
        site_id = getattr(said, "site_id", None) or getattr(said, "preferred_site_id", None)
        if site_id:
            sites.add(site_id)
    return sites, revisions


def holding(records: Sequence[Kept]) -> LeadAssigned | None:
    """The decision by which a site has the lead now; None when none has it."""
    told = [said for _, said in map(_read, records)]
    decisions = [said for said in told if isinstance(said, LeadAssigned | LeadWaiting | LeadJoined | LeadClosed)]
    last = max(decisions, key=lambda decision: decision.epoch, default=None)
    return last if isinstance(last, LeadAssigned) else None


def _read(record: Kept) -> tuple[object, Told | None]:
    """The fact's id and what it says; a record that is no fact is itself, and says nothing."""
    try:
        fact = _TOPICS[record.topic].read(record.value)
    except (KeyError, ValueError):
        return record, None
    return fact.id, fact.data


def _moment(record: Kept, said: Told | None, names: Mapping[str, str]) -> Moment:
    match said:
        case LeadReceived():
            return Moment(said.received_at, "received", f"{wording.request(said)}; {wording.where(said.place)}")
        case LeadAssigned() | LeadWaiting() | LeadJoined() | LeadClosed():
            return _decided(said, names)
        case LeadAnswered():
            return _answered(said, names)
        case LeadDue():
            what = "no answer in time" if said.due == "respond_by" else "tried again"
            return Moment(record.kafka_time, "deadline", f"{what} (epoch {said.epoch})")
        case LeadOrdered():
            text = wording.ordered(said, names)
            return Moment(said.ordered_at, "ordered", f"{text} (of epoch {said.epoch})")
        case DeliveryAttempted():
            return _attempted(said, names)
        case RecordDead():
            text = f"{said.consumer} could not handle a record of {said.source_topic}: {said.reason}"
            return Moment(said.died_at, "buried", text, "bad")
        case None:
            return Moment(record.kafka_time, "unreadable", f"a record on {record.topic} that is no fact", "bad")


def _decided(decision: LeadDecided, names: Mapping[str, str]) -> Moment:
    cause = "" if decision.cause is Cause.RECEIVED else f"{wording.CAUSE[decision.cause]}: "
    losers = (
        tuple(
            Loser(
                wording.site(c.site_id, names), c.distance_m, c.load, wording.why_lost(c.lost, c.detour_m, c.travel_s)
            )
            for c in decision.candidates
            if c.lost is not None
        )
        if isinstance(decision, LeadAssigned | LeadWaiting)
        else ()
    )
    tone: Tone = "bad" if isinstance(decision, LeadWaiting) else "good"
    return Moment(decision.decided_at, "decided", cause + wording.verdict(decision, names), tone, losers)


def _answered(answered: LeadAnswered, names: Mapping[str, str]) -> Moment:
    name = wording.site(answered.site_id, names)
    match answered.answer:
        case Answer.ACCEPTED:
            text, tone = f"{name} accepted", _GOOD
        case Answer.DECLINED:
            reason = f": {wording.DECLINED[answered.decline_reason]}" if answered.decline_reason else ""
            text, tone = f"{name} declined{reason}", _BAD
        case Answer.OUTCOME:
            result = f": {wording.RESULT[answered.result]}" if answered.result else ""
            text, tone = f"{name} reported the outcome{result}", _PLAIN
        case Answer.UNDELIVERABLE:
            text, tone = f"{name} could not be reached on any channel", _BAD
    return Moment(answered.answered_at, "answered", f"{text} (by {answered.via})", tone)


def _attempted(attempt: DeliveryAttempted, names: Mapping[str, str]) -> Moment:
    status = f", HTTP {attempt.status_code}" if attempt.status_code else ""
    took = wording.duration(attempt.took_ms / 1_000)
    what = wording.EVENT[attempt.event] if attempt.event else ""
    text = (
        f"{what}{wording.site(attempt.site_id, names)} by {attempt.channel}: {wording.ATTEMPT[attempt.result]}"
        f" (attempt {attempt.attempt}{status}, {took})"
    )
    if attempt.next_attempt_at is not None:
        text += f", next in {wording.duration((attempt.next_attempt_at - attempt.attempted_at).total_seconds())}"
    tone = _GOOD if attempt.result is AttemptResult.DELIVERED else _BAD
    return Moment(attempt.attempted_at, "delivery", text, tone)


def _state(
    decisions: Sequence[LeadDecided], lead: LeadReceived | None, names: Mapping[str, str], now: datetime
) -> tuple[str, Tone]:
    if not decisions:
        return ("received, not decided yet" if lead else "unknown", "bad")
    last = decisions[-1]
    if isinstance(last, LeadAssigned):
        left_s = (last.respond_by - now).total_seconds()
        deadline = f"{wording.duration(left_s)} left to answer" if left_s >= 0 else "its time to answer is over"
        return f"held by {wording.site(last.site_id, names)}; {deadline}", "good" if left_s >= 0 else "bad"
    if isinstance(last, LeadWaiting):
        waits = takewhile(lambda one: isinstance(one, LeadWaiting), reversed(decisions))
        *_, since = (one.decided_at for one in waits)
        return wording.waiting(last, (now - since).total_seconds()), "bad"
    return wording.verdict(last, names), "good"
