"""The board and the totals say what the facts say."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.feed import LEADS
from deploy.demo.journey import Board, Journey
from deploy.demo.prepare import Page
from deploy.demo.stories import STORIES
from deploy.demo.totals import count, pages, quantile
from shared.contracts import (
    AttemptResult,
    Candidate,
    Cause,
    ClosedReason,
    DeliveryAttempted,
    LeadAssigned,
    LeadClosed,
    LeadJoined,
    LeadWaiting,
    Lost,
    WaitingReason,
)
from shared.vocabulary import Intent

LEAD, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def common(epoch: int, cause: Cause) -> dict[str, Any]:
    return {
        "decision_id": UUID(int=100 + epoch),
        "lead_id": LEAD,
        "epoch": epoch,
        "person_id": UUID(int=3),
        "intent": Intent.TEST_DRIVE,
        "cause": cause,
        "cause_id": UUID(int=4),
        "received_at": NOON,
        "decided_at": NOON,
        "network_revision": 1,
        "policy_version": 1,
        "engine_version": "1",
    }


def assigned(
    epoch: int,
    cause: Cause,
    site_id: str,
    lost: Lost = Lost.FARTHER,
    preferred: Literal["none", "honoured", "refused_incapable"] = "none",
    loser_distance_m: int = 9_000,
    loser_detour_m: int | None = None,
) -> LeadAssigned:
    return LeadAssigned(
        **common(epoch, cause),
        site_id=site_id,
        distance_m=1_500 * epoch,
        respond_by=NOON + timedelta(minutes=1),
        preferred=preferred,
        candidates=(
            Candidate(site_id=site_id, distance_m=1_500 * epoch, load=0),
            Candidate(site_id="loser", distance_m=loser_distance_m, detour_m=loser_detour_m, load=1, lost=lost),
        ),
    )


def attempt(result: AttemptResult, after_ms: int) -> DeliveryAttempted:
    return DeliveryAttempted(
        delivery_id=UUID(int=5),
        lead_id=LEAD,
        epoch=1,
        site_id="first",
        endpoint_id=UUID(int=6),
        channel="webhook",
        attempt=1,
        result=result,
        took_ms=3,
        attempted_at=NOON + timedelta(milliseconds=after_ms),
    )


def test_a_lead_that_is_declined_and_then_accepted_is_told_to_its_end() -> None:
    board = Board()
    board.decided(assigned(1, Cause.RECEIVED, "first"))
    journey = board.sent(LEAD, 1, "01-form-x.json", "test_drive", "adcode 320505")
    assert (journey.state, journey.site_id, journey.distance_m, journey.why) == (
        "held",
        "first",
        1_500,
        "nearest that can",
    )
    board.attempted(attempt(AttemptResult.RETRY, 40))
    board.attempted(attempt(AttemptResult.DELIVERED, 90))
    board.attempted(attempt(AttemptResult.DELIVERED, 900))
    board.decided(assigned(2, Cause.DECLINED, "second"))
    assert (journey.site_id, journey.why, journey.moves) == ("second", "next, after a refusal", 1)
    assert journey.placed
    assert not journey.settled
    board.decided(
        LeadClosed(**common(3, Cause.ACCEPTED), reason=ClosedReason.ACCEPTED, site_id="second", assignment_epoch=2)
    )
    assert (journey.state, journey.settled, journey.seconds) == ("accepted", True, 0.09)


def test_a_repeated_or_older_decision_changes_nothing() -> None:
    board = Board()
    board.decided(assigned(2, Cause.DECLINED, "second"))
    board.decided(assigned(1, Cause.RECEIVED, "first"))
    board.decided(assigned(2, Cause.DECLINED, "third"))
    assert (board.journeys[LEAD].site_id, board.journeys[LEAD].moves) == ("second", 1)


def test_leads_of_others_on_the_same_topic_are_not_counted() -> None:
    board = Board()
    board.decided(assigned(1, Cause.RECEIVED, "first"))
    board.sent(OTHER, 1, "01-form-x.json", "purchase", "nobody knows")
    assert [journey.file for journey in board.played] == ["01-form-x.json"]


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (assigned(1, Cause.SILENT, "a"), "next, the first was silent"),
        (assigned(1, Cause.RECEIVED, "a", preferred="honoured"), "the person's own choice"),
        (assigned(1, Cause.RECEIVED, "a", preferred="refused_incapable"), "nearest; choice refused incapable"),
        (assigned(1, Cause.RECEIVED, "a", Lost.TIE_LOAD), "equally near, fewer open leads"),
        (assigned(1, Cause.RECEIVED, "a", Lost.TIE_HASH), "equally near, by lot"),
        (assigned(1, Cause.RECEIVED, "a", Lost.FULL, loser_distance_m=900), "nearest with room"),
        (assigned(1, Cause.RECEIVED, "a", Lost.FULL, loser_distance_m=9_000), "nearest that can"),
        (assigned(1, Cause.RECEIVED, "a", Lost.NOT_IN_BUSINESS, loser_distance_m=900), "nearest still in business"),
        (assigned(1, Cause.RECEIVED, "a", Lost.CLOSED_NOW, loser_distance_m=900), "nearest that is open"),
        (
            assigned(1, Cause.RECEIVED, "a", loser_distance_m=900, loser_detour_m=8_000),
            "nearest on this side of the water",
        ),
        (LeadWaiting(**common(1, Cause.RECEIVED), reason=WaitingReason.ALL_DECLINED), "all declined"),
        (LeadJoined(**common(1, Cause.RECEIVED), joins_lead_id=OTHER), "the same person's live lead"),
    ],
)
def test_the_reason_is_told_in_a_few_words(decision: Any, why: str) -> None:
    board = Board()
    board.decided(decision)
    assert board.journeys[LEAD].why == why


def test_the_totals_name_every_lead_without_a_place() -> None:
    kept = Journey(LEAD, number=1, file="01.json", state="accepted", site_id="a", received_at=NOON, delivered_at=NOON)
    waits = Journey(LEAD, number=2, file="02.json", state="waiting", why="too far")
    gone = Journey(LEAD, number=3, file="03.json")
    totals = count([kept, waits, gone])
    assert totals.lost == ("03.json (lead 3)",)
    assert (totals.accepted, totals.by_state, totals.by_reason) == (
        3, {"accepted": 1, "waiting": 1, "sent": 1}, {"too far": 1},
    )  # fmt: skip
    assert (totals.p50_s, totals.p99_s) == (0.0, 0.0)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_a_value_with_that_share_at_or_below_it(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert found is not None
    below = sum(1 for value in values if value <= found)
    assert below >= share * len(values) - 1e-9
    assert sum(1 for value in values if value < found) < share * len(values)


def test_no_values_have_no_quantile() -> None:
    assert quantile([], 0.5) is None


def test_where_to_look_next_names_the_lead_of_every_story_that_was_played() -> None:
    plain, silent = Journey(LEAD, file="01-form-point.json"), Journey(OTHER, file="14-form-silent.json")
    page = Page("a-store", "http://127.0.0.1:1/inbox/a-store", "a-key")
    text = pages([page], "http://127.0.0.1:2", [plain, silent])
    assert "http://127.0.0.1:1/inbox/a-store\n    log in with a-key" in text
    assert f"waypost lead {OTHER}  # a store that stayed silent" in text
    assert str(LEAD) not in text
    assert "waypost lead" not in pages([page], "http://127.0.0.1:2", [])


def test_every_story_is_a_lead_of_the_play() -> None:
    assert {file for file in STORIES if not (LEADS / file).is_file()} == set()
