"""Random lives of leads: facts happen, the ledger decides, and everything that replay needs is kept."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from services.router.domain import (
    NEW,
    Answered,
    Ask,
    Decided,
    Due,
    Erased,
    LeadFeatures,
    LeadLedger,
    LiveLead,
    Ordered,
    Received,
    Stay,
    Stimulus,
    Waiter,
    decide_batch,
)
from services.router.policy import Policy
from services.router.snapshot import Snapshot
from shared.contracts import Answer, LeadAnswered, LeadDue, LeadOrdered, Place, Result
from shared.vocabulary import Accuracy, Datum
from tests.services.router.networks import NOW, POINTS, SITE_IDS, leads, loads, policies, sites, taken, travels


@dataclass(frozen=True)
class Step:
    """One decision, with the fact that caused it when it is one that replay is given."""

    lead: LeadFeatures
    trigger: LeadAnswered | LeadDue | LeadOrdered | None
    decided: Decided


@dataclass
class Journey:
    """Several leads on one network."""

    snapshot: Snapshot
    policy: Policy
    steps: list[Step] = field(default_factory=list)


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    """Leads arrive and are declined, accepted, forgotten, retried, ordered, ended and erased, in batches of one."""
    journey = Journey(Snapshot.build(draw(sites(daily=draw(st.booleans()))), 3), draw(policies))
    held: Counter[str] = Counter(draw(loads))
    given: Counter[str] = Counter(draw(taken))
    people: dict[str, LiveLead] = {}
    rows: dict[str, LeadLedger] = {}
    points: dict[str, tuple[float, float] | None] = {}
    arrived = draw(leads(max_size=5))
    for number in range(draw(st.integers(1, 20))):
        features = draw(st.sampled_from(arrived))
        row = rows.get(features.lead_id, NEW)
        now = NOW + timedelta(hours=number)
        stimulus, trigger = _fact(draw, number, features, row) if row.epoch else (_received(number), None)
        here = points.get(features.lead_id) or features.point
        travel = draw(travels)
        ask = Ask(features._replace(point=here), row, stimulus, people.get(features.person_id), travel, draw(stays))
        [decided] = decide_batch([ask], journey.snapshot, journey.policy, held, now, given, queues=draw(queues))
        if not isinstance(decided, Decided):
            continue
        journey.steps.append(Step(features, trigger, decided))
        points[features.lead_id] = decided.point or points.get(features.lead_id)
        rows[features.lead_id] = decided.after
        for site_id, change in decided.deltas:
            held[site_id] += change
            given[site_id] += change > 0
        after = decided.after
        if after.state is not None and decided.outcome != "joined":
            people[features.person_id] = LiveLead(features.lead_id, after.state, after.site_id, after.closed, now)
    return journey


stays = st.none() | st.none() | st.builds(Stay, st.just("again"), st.sampled_from(SITE_IDS))
waiters = st.builds(
    Waiter,
    st.integers(-2, 2).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.integers(3_000, 3_009).map(lambda number: str(UUID(int=number))),
)
queues = st.dictionaries(st.sampled_from(SITE_IDS), st.lists(waiters, max_size=3, unique=True).map(sorted), max_size=4)
places = POINTS.map(
    lambda point: Place(lat=point[0], lon=point[1], accuracy=Accuracy.DISTRICT, given_datum=Datum.GCJ02)
)


def _received(number: int) -> Stimulus:
    return Received(_id(number))


def _fact(
    draw: st.DrawFn, number: int, features: LeadFeatures, row: LeadLedger
) -> tuple[Stimulus, LeadAnswered | LeadDue | LeadOrdered | None]:
    events = [*Answer, Answer.DECLINED, Answer.DECLINED, "respond_by", "retry", "ordered", "ordered", "erased"]
    kind = draw(st.sampled_from(events))
    at = NOW + timedelta(days=30)
    if isinstance(kind, Answer):
        answered = LeadAnswered(
            lead_id=UUID(features.lead_id),
            epoch=row.assignment_epoch or row.epoch,
            site_id=row.site_id or "site-0",
            answer=kind,
            result=draw(st.none() | st.sampled_from(Result)) if kind is Answer.OUTCOME else None,
            answered_at=at,
            via="webhook",
        )
        return Answered.of(_id(number), answered), answered
    if kind == "erased":
        return Erased(_id(number)), None
    if kind == "ordered":
        result = draw(st.none() | st.none() | st.sampled_from(Result))
        ordered = LeadOrdered(
            lead_id=UUID(features.lead_id),
            epoch=row.epoch,
            site_id=None if result else draw(st.none() | st.sampled_from(SITE_IDS)),
            place=None if result else draw(st.none() | places),
            result=result,
            ordered_by="mei",
            ordered_at=at,
        )
        return Ordered.of(_id(number), ordered), ordered
    due = LeadDue(
        lead_id=UUID(features.lead_id), epoch=row.epoch, due="retry" if kind == "retry" else "respond_by", due_at=at
    )
    return Due.of(_id(number), due), due


def _id(number: int) -> str:
    return str(UUID(int=2_000_000 + number))
