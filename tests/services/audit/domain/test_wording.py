from pathlib import Path
from typing import Any

from services.audit.domain import wording
from shared.contracts import (
    LEADS_DECIDED,
    AttemptResult,
    Cause,
    DeclineReason,
    LeadAssigned,
    LeadWaiting,
    Lost,
    Measure,
    Result,
    WaitingReason,
    WhyDistance,
)


def test_every_word_of_the_contracts_has_a_wording() -> None:
    pairs: list[tuple[Any, Any]] = [
        (wording.LOST, Lost),
        (wording.WHY_DISTANCE, WhyDistance),
        (wording.WAITING, WaitingReason),
        (wording.UNTIL, WaitingReason),
        (wording.CAUSE, Cause),
        (wording.DECLINED, DeclineReason),
        (wording.RESULT, Result),
        (wording.ATTEMPT, AttemptResult),
    ]

    assert all(set(words) == set(kinds) for words, kinds in pairs)


def test_what_travel_times_decided_is_said_in_minutes_and_what_they_could_not_is_said_too() -> None:
    golden = Path(__file__).parents[3] / "golden" / "leads.decided.assigned-by-time.json"
    by_time = LEADS_DECIDED.read(golden.read_bytes()).data
    assert isinstance(by_time, LeadAssigned)
    by_distance = by_time.model_copy(
        update={
            "measure": Measure.DISTANCE_FALLBACK,
            "why_distance": WhyDistance.TIMEOUT,
            "candidates": tuple(one.model_copy(update={"travel_s": None}) for one in by_time.candidates),
        }
    )

    assert wording.verdict(by_time, {}) == (
        "given to xiamen-as-2, 9.1 km and 14 min away: the quickest to reach that can take it"
    )
    assert wording.verdict(by_distance, {}) == (
        "given to xiamen-as-2, 9.1 km away: the nearest that can take it, by distance and not by travel time: "
        "the engine did not answer in time"
    )
    assert [wording.why_lost(one.lost, one.detour_m, one.travel_s) for one in by_time.candidates if one.lost] == [
        "takes longer to reach; 12.0 km more, round a barrier; 40 min by road",
        "no way there by road",
    ]


def test_a_search_that_began_near_says_how_far_it_went_and_when_it_goes_farther() -> None:
    golden = Path(__file__).parents[3] / "golden"
    given = LEADS_DECIDED.read((golden / "leads.decided.near_first.json").read_bytes()).data
    waits = LEADS_DECIDED.read((golden / "leads.decided.near_first_waiting.json").read_bytes()).data
    assert isinstance(waits, LeadWaiting)
    assert waits.retry_at is not None
    until = f"until one has room, or {waits.retry_at.astimezone():%Y-%m-%d %H:%M %Z}"
    tomorrow = tuple(one.model_copy(update={"lost": Lost.FULL_TODAY}) for one in waits.candidates)

    assert wording.verdict(given, {}) == (
        "given to suzhou-dc-1, 14.2 km away: the nearest that can take it, looked for within 30.0 km"
    )
    assert wording.verdict(waits, {}) == "waits: every site within 10.0 km is full"
    assert wording.waiting(waits, 180) == (
        f"waits for 3 min: every site within 10.0 km is full; {until}, when it is looked for farther away"
    )
    assert wording.waiting(waits.model_copy(update={"candidates": tomorrow}), 180).endswith(until)


def test_distances_and_durations_are_said_as_people_say_them() -> None:
    assert [wording.distance(metres) for metres in (0, 999, 1_000, 45_678, 127_400)] == [
        "0 m",
        "999 m",
        "1.0 km",
        "45.7 km",
        "127 km",
    ]
    assert [wording.duration(seconds) for seconds in (0.0421, 2.34, 90, 3_600, 12_000, 187_200, -5)] == [
        "0.042 s",
        "2.3 s",
        "2 min",
        "1 h",
        "3 h 20 min",
        "2 d 4 h",
        "-5.0 s",
    ]


def test_a_share_that_decided_says_how_far_behind_the_partner_would_be() -> None:
    golden = Path(__file__).parents[3] / "golden" / "leads.decided.shares.json"
    given = LEADS_DECIDED.read(golden.read_bytes()).data
    assert isinstance(given, LeadAssigned)
    winner, *others = given.candidates

    def why(behind: int | None) -> str:
        """With this number for the winner, and nobody asked for."""
        candidates = (winner.model_copy(update={"share_behind": behind}), *others)
        return wording.why(given.model_copy(update={"candidates": candidates, "preferred": "none"}))

    assert why(winner.share_behind) == (
        "as near as another, and without it its partner would be 0.6 leads behind its share of the city's, "
        "further than any other"
    )
    assert "would be 1 lead behind" in why(100)
    assert why(-20) == "as near as another, and its partner is the least ahead of its share of the city's leads"
    assert why(None) == "as near as another, whose partner has had its share of the city's leads"
