from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.audit.domain.timeline import Kept, Reveal, mentions, tell
from shared.contracts import (
    DEAD_LETTERS,
    DELIVERIES_ATTEMPTED,
    LEADS_ANSWERED,
    LEADS_DECIDED,
    LEADS_DUE,
    LEADS_ORDERED,
    LEADS_RECEIVED,
    Answer,
    AttemptResult,
    Candidate,
    Cause,
    ClosedReason,
    DeclineReason,
    DeliveryAttempted,
    LeadAnswered,
    LeadAssigned,
    LeadClosed,
    LeadDue,
    LeadJoined,
    LeadOrdered,
    LeadReceived,
    LeadWaiting,
    Lost,
    Order,
    Place,
    RecordDead,
    Result,
    Topic,
    Vehicle,
    WaitingReason,
)
from shared.vocabulary import Accuracy, Channel, Datum, Intent
from tests.services.audit.places import START

LEAD = UUID(int=7)
NAMES = {"near": "Lakeside", "middle": "Old Town"}
RECEIVED = LeadReceived(
    lead_id=LEAD,
    person_id=UUID(int=8),
    intent=Intent.TEST_DRIVE,
    place=Place(lat=31.301, lon=120.6, accuracy=Accuracy.DISTRICT, given_datum=Datum.GCJ02, adcode="320506"),
    vehicle=Vehicle(model="E5"),
    source="website",
    channel=Channel.FORM,
    consent_version="1",
    consent_at=START,
    received_at=START,
)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def decided(epoch: int, cause: Cause, seconds: float) -> dict[str, Any]:
    return {
        "decision_id": UUID(int=100 + epoch),
        "lead_id": LEAD,
        "epoch": epoch,
        "person_id": UUID(int=8),
        "intent": Intent.TEST_DRIVE,
        "cause": cause,
        "cause_id": UUID(int=9),
        "received_at": START,
        "decided_at": after(seconds),
        "network_revision": 3,
        "policy_version": 1,
        "engine_version": "1",
    }


ASSIGNED = LeadAssigned(
    **decided(1, Cause.RECEIVED, 0.009),
    site_id="near",
    distance_m=840,
    respond_by=after(900),
    candidates=(
        Candidate(site_id="near", distance_m=840, load=2),
        Candidate(site_id="middle", distance_m=3215, load=0, lost=Lost.FARTHER),
    ),
)
DECLINED = LeadAnswered(
    lead_id=LEAD,
    epoch=1,
    site_id="near",
    answer=Answer.DECLINED,
    decline_reason=DeclineReason.NO_STAFF,
    answered_at=after(60),
    via="inbox",
)


def kept(topic: Topic[Any], data: Any, seconds: float, number: int) -> Kept:
    fact = topic.fact(data, id=UUID(int=1000 + number), source="test", subject=str(LEAD), time=after(seconds))
    return Kept(topic.name, after(seconds), fact.to_bytes())


def attempted(seconds: float, **told: Any) -> DeliveryAttempted:
    """The nearest site is told by webhook so long after the start, at once and well unless `told` otherwise."""
    plain = {"attempt": 1, "result": AttemptResult.DELIVERED, "took_ms": 40}
    return DeliveryAttempted(
        delivery_id=UUID(int=1),
        lead_id=LEAD,
        epoch=1,
        site_id="near",
        endpoint_id=UUID(int=2),
        channel="webhook",
        attempted_at=after(seconds),
        **{**plain, **told},
    )


def test_a_journey_is_told_in_order_with_the_losers_and_why() -> None:
    attempt = attempted(0.1, status_code=202)
    moved = LeadAssigned(
        **decided(2, Cause.DECLINED, 60.02),
        site_id="middle",
        distance_m=3215,
        respond_by=after(960),
        candidates=(Candidate(site_id="middle", distance_m=3215, load=0),),
    )
    records = [
        kept(LEADS_RECEIVED, RECEIVED, 0, 1),
        kept(LEADS_DECIDED, ASSIGNED, 0.009, 2),
        kept(DELIVERIES_ATTEMPTED, attempt, 0.1, 3),
        kept(LEADS_ANSWERED, DECLINED, 60, 4),
        kept(LEADS_DECIDED, moved, 60.02, 5),
    ]

    journey = tell(str(LEAD), records, [Reveal("near", 1, "inbox", after(30))], NAMES, after(70))

    assert journey.request == "test drive, E5"
    assert journey.where == "31.3010, 120.6000 (middle of the district, given as gcj02, adcode 320506)"
    assert [(moment.what, moment.text) for moment in journey.moments[1:]] == [
        ("decided", "given to Lakeside (near), 840 m away: the nearest that can take it"),
        ("delivery", "Lakeside (near) by webhook: delivered (attempt 1, HTTP 202, 0.040 s)"),
        ("contact", "Lakeside (near) saw the contact (inbox)"),
        ("answered", "Lakeside (near) declined: no staff (by inbox)"),
        (
            "decided",
            "the site declined: given to Old Town (middle), 3.2 km away: the nearest that can take it",
        ),
    ]
    [loser] = journey.moments[1].losers
    assert (loser.site, loser.distance_m, loser.why) == ("Old Town (middle)", 3215, "farther away")
    assert journey.now == "held by Old Town (middle); 15 min left to answer"


def test_the_site_that_was_asked_for_and_the_next_attempt_are_told() -> None:
    asked = RECEIVED.model_copy(update={"preferred_site_id": "middle"})
    attempt = attempted(10, attempt=2, result=AttemptResult.RETRY, took_ms=9_000, next_attempt_at=after(40))

    journey = tell(
        str(LEAD), [kept(LEADS_RECEIVED, asked, 0, 1), kept(DELIVERIES_ATTEMPTED, attempt, 10, 2)], [], NAMES, START
    )

    assert journey.request == "test drive, E5, at Old Town (middle)"
    assert journey.moments[1].text.endswith("failed, will be tried again (attempt 2, 9.0 s), next in 30.0 s")


def test_what_operators_ordered_is_told_with_its_reason_and_the_place_that_counts_now() -> None:
    place = Place(lat=31.16, lon=120.64, accuracy=Accuracy.CITY, given_datum=Datum.WGS84)
    orders = [
        LeadOrdered(lead_id=LEAD, epoch=1, place=place, ordered_by="mei", ordered_at=after(100)),
        LeadOrdered(lead_id=LEAD, epoch=2, site_id="middle", ordered_by="li", ordered_at=after(200)),
        LeadOrdered(lead_id=LEAD, epoch=3, ordered_by="li", ordered_at=after(300)),
        LeadOrdered(lead_id=LEAD, epoch=3, result=Result.INVALID, ordered_by="li", ordered_at=after(400)),
    ]
    waits = LeadWaiting(
        **decided(2, Cause.ORDERED, 101),
        order=Order(ordered_by="mei", place=place),
        center_after=3,
        reason=WaitingReason.NEEDS_PERSON,
    )
    given = LeadAssigned(
        **decided(3, Cause.ORDERED, 201),
        order=Order(ordered_by="li", site_id="middle"),
        site_id="middle",
        distance_m=3215,
        respond_by=after(960),
        candidates=(Candidate(site_id="middle", distance_m=3215, load=0),),
    )
    records = [kept(LEADS_RECEIVED, RECEIVED, 0, 1), kept(LEADS_DECIDED, waits, 101, 2)]
    records += [kept(LEADS_DECIDED, given, 201, 3)]
    records += [kept(LEADS_ORDERED, order, 100 * number, 3 + number) for number, order in enumerate(orders, 1)]

    journey = tell(str(LEAD), records, [], NAMES, after(500))

    assert journey.where == "31.1600, 120.6400 (middle of the city, given as wgs84)"
    assert [(moment.what, moment.text) for moment in journey.moments][1:] == [
        ("ordered", "mei: it is at 31.1600, 120.6400 (middle of the city, given as wgs84) (of epoch 1)"),
        (
            "decided",
            "an operator ordered it: waits: the sites that were asked did not act",
        ),
        ("ordered", "li: give it to Old Town (middle) (of epoch 2)"),
        ("decided", "an operator ordered it: given to Old Town (middle), 3.2 km away: li named it"),
        ("ordered", "li: try again (of epoch 3)"),
        ("ordered", "li: it is over, not a real request (of epoch 3)"),
    ]
    assert mentions(records[-3:])[0] == {"middle"}


def test_a_reminder_an_escalation_its_end_and_a_loss_are_told_as_what_they_are() -> None:
    def texts(event: Literal["reminder", "escalated", "revoked", "escalation_ended"]) -> list[str]:
        attempt = attempted(10, event=event)
        return [
            moment.text
            for moment in tell(str(LEAD), [kept(DELIVERIES_ATTEMPTED, attempt, 10, 2)], [], NAMES, START).moments
        ]

    assert texts("reminder") == ["reminded Lakeside (near) by webhook: delivered (attempt 1, 0.040 s)"]
    assert texts("escalated") == ["told the partner of Lakeside (near) by webhook: delivered (attempt 1, 0.040 s)"]
    assert texts("escalation_ended") == [
        "told the partner how it ended: Lakeside (near) by webhook: delivered (attempt 1, 0.040 s)"
    ]
    assert texts("revoked") == ["told of its loss: Lakeside (near) by webhook: delivered (attempt 1, 0.040 s)"]


def test_a_silence_that_nobody_could_be_told_of_is_part_of_the_journey() -> None:
    escalating = ASSIGNED.model_copy(update={"escalate_at": after(600), "partner": "wu-river-group"})
    heard = attempted(601, event="escalated")

    def told(assigned: LeadAssigned, *more: Kept, seconds: float = 700) -> list[tuple[datetime, str]]:
        records = [kept(LEADS_DECIDED, assigned, 0.009, 1), *more]
        moments = tell(str(LEAD), records, [], NAMES, after(seconds)).moments
        return [(moment.at, moment.text) for moment in moments if moment.what == "escalated"]

    nobody = "Lakeside (near) had not answered; {}, so nobody was told"
    assert told(escalating) == [(after(600), nobody.format("its partner wu-river-group has no endpoint"))]
    assert told(escalating.model_copy(update={"partner": None})) == [
        (after(600), nobody.format("the network names no partner"))
    ]
    assert told(escalating, kept(DELIVERIES_ATTEMPTED, heard, 601, 2)) == []
    assert told(escalating, kept(LEADS_ANSWERED, DECLINED, 60, 2)) == []
    assert told(escalating, seconds=599) == []
    assert told(ASSIGNED) == []


def test_a_redelivered_record_is_told_once() -> None:
    record = kept(LEADS_RECEIVED, RECEIVED, 0, 1)

    assert len(tell(str(LEAD), [record, record], [], {}, START).moments) == 1


def test_poison_and_dead_letters_are_part_of_the_story() -> None:
    dead = RecordDead(
        source_topic="leads.received",
        source_partition=0,
        source_offset=4,
        consumer="router",
        reason="unknown intent",
        raw_base64="",
        died_at=after(1),
    )
    records = [Kept("leads.received", START, b"\xff"), kept(DEAD_LETTERS["leads.received"], dead, 1, 2)]

    journey = tell(str(LEAD), records, [], {}, START)

    assert [moment.what for moment in journey.moments] == ["unreadable", "buried"]
    assert journey.moments[1].text == "router could not handle a record of leads.received: unknown intent"


def test_where_a_lead_is_now_is_said_plainly() -> None:
    waiting = LeadWaiting(**decided(1, Cause.RECEIVED, 1), reason=WaitingReason.ALL_FULL)
    joined = LeadJoined(**decided(1, Cause.RECEIVED, 1), joins_lead_id=UUID(int=5), site_id="near")
    accepted = LeadClosed(**decided(2, Cause.ACCEPTED, 9), reason=ClosedReason.ACCEPTED, site_id="near")
    won = LeadClosed(**decided(3, Cause.OUTCOME, 9), reason=ClosedReason.OUTCOME, site_id="near", result=Result.WON)
    erased = LeadClosed(**decided(4, Cause.ERASED, 9), reason=ClosedReason.ERASED)

    def now(decision: Any) -> str:
        return tell(str(LEAD), [kept(LEADS_DECIDED, decision, 1, 1)], [], NAMES, after(2_000)).now

    assert now(waiting) == "waits for 33 min: every site in reach is full; until one has room"
    assert now(joined) == f"joins lead {UUID(int=5)} of the same person, which Lakeside (near) has"
    assert now(accepted) == "accepted by Lakeside (near)"
    assert now(won) == "closed by Lakeside (near): won"
    ended = {"order": Order(ordered_by="mei", result=Result.LOST), "reason": ClosedReason.OUTCOME}
    assert now(LeadClosed(**decided(2, Cause.ORDERED, 9), **ended, result=Result.LOST)) == "closed by mei: lost"
    assert now(erased) == "closed: the person was erased"
    assert now(ASSIGNED) == "held by Lakeside (near); its time to answer is over"


def test_a_wait_is_as_old_as_its_first_decision_in_a_row() -> None:
    again = [LeadWaiting(**decided(n, Cause.RETRIED, 60 * n), reason=WaitingReason.ALL_FULL) for n in (2, 3)]
    person = LeadWaiting(**decided(4, Cause.SILENT, 240), reason=WaitingReason.NEEDS_PERSON)
    records = [kept(LEADS_DECIDED, one, one.epoch, one.epoch) for one in (ASSIGNED, *again, person)]

    assert tell(str(LEAD), records[:3], [], NAMES, after(3720)).now == (
        "waits for 1 h: every site in reach is full; until one has room"
    )
    assert tell(str(LEAD), records, [], NAMES, after(3720)).now == (
        "waits for 1 h: the sites that were asked did not act; until a person decides (waypost order)"
    )


def test_a_deadline_and_every_answer_have_words() -> None:
    silent = LeadDue(lead_id=LEAD, epoch=1, due="respond_by", due_at=after(900))
    answers = [
        LeadAnswered(lead_id=LEAD, epoch=1, site_id="near", answer=answer, answered_at=after(5), via="webhook")
        for answer in Answer
    ]
    records = [kept(LEADS_DUE, silent, 900, 0)]
    records += [kept(LEADS_ANSWERED, answer, 5, number) for number, answer in enumerate(answers, 1)]

    texts = [moment.text for moment in tell(str(LEAD), records, [], {}, START).moments]

    assert len(set(texts)) == len(Answer) + 1


def test_the_sites_and_revisions_of_a_journey_are_known_before_their_names() -> None:
    records = [kept(LEADS_DECIDED, ASSIGNED, 0, 1), kept(LEADS_ANSWERED, DECLINED, 60, 2)]

    assert mentions(records) == ({"near", "middle"}, {3})
