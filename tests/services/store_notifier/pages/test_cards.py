"""What a card says follows from its row, the store's own newer answer, the language and the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.store_notifier.pages.cards import Card, CardState, Wording, state_of, vehicle_name

NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
ENGLISH = Wording("en", ZoneInfo("Asia/Shanghai"))
CHINESE = Wording("zh", ZoneInfo("Asia/Shanghai"))


def card(state: CardState) -> Card:
    return Card(
        lead_id=UUID(int=7),
        epoch=2,
        seq=5,
        state=state,
        intent="test_drive",
        vehicle="",
        distance_m=1240,
        respond_by=NOON + timedelta(minutes=15),
        assigned_at=NOON,
        decline_reason=None,
        result=None,
    )


@pytest.mark.parametrize(
    ("item_state", "response", "result", "state"),
    [
        ("open", None, None, CardState.NEW),
        ("open", "accepted", None, CardState.ACCEPTED),
        ("open", "accepted", "won", CardState.CLOSED),
        ("open", "declined", None, CardState.DECLINED),
        ("open", "undeliverable", None, CardState.MOVED_ON),
        ("accepted", None, None, CardState.ACCEPTED),
        ("accepted", "accepted", "lost", CardState.CLOSED),
        ("declined", "declined", None, CardState.DECLINED),
        # The ledger's refusal of an answer that came too late outranks the answer.
        ("moved_on", "accepted", None, CardState.MOVED_ON),
        ("outcome", "accepted", "won", CardState.CLOSED),
        ("erased", None, None, CardState.CLOSED),
    ],
)
def test_the_state_is_the_ledgers_or_the_stores_newer_word(
    item_state: str, response: str | None, result: str | None, state: CardState
) -> None:
    assert state_of(item_state, response, result) is state


@pytest.mark.parametrize(
    ("vehicle", "name"),
    [
        (None, ""),
        ("{}", ""),
        ('{"brand": "Waypost", "model": "One", "year": 2026}', "Waypost One 2026"),
        ('{"model": "One", "trim": "unknown to this reader"}', "One"),
    ],
)
def test_a_vehicle_is_named_as_far_as_it_is_known(vehicle: str | None, name: str) -> None:
    assert vehicle_name(vehicle) == name


def test_distances_are_short() -> None:
    assert [ENGLISH.distance(metres) for metres in (0, 999, 1000, 12_345)] == ["0 m", "999 m", "1.0 km", "12.3 km"]
    assert CHINESE.distance(350) == "350 米"


def test_times_are_the_stores_wall_clock_with_the_day_when_it_is_another() -> None:
    yesterday = NOON - timedelta(hours=13)

    assert ENGLISH.time(NOON, NOON) == "12:00"
    assert ENGLISH.time(yesterday, NOON) == "03 May, 23:00"
    assert CHINESE.time(yesterday, NOON) == "5月3日 23:00"


def test_a_phone_number_is_grouped_for_reading() -> None:
    assert ENGLISH.phone("+8613800000000") == "+86 138 0000 0000"
    assert ENGLISH.phone("not a number") == "not a number"


def test_a_new_lead_is_announced_with_what_matters() -> None:
    assert ENGLISH.announcement(card(CardState.NEW), NOON) == "New lead: Test drive, 1.2 km. Answer by 12:15."
    assert CHINESE.announcement(card(CardState.NEW), NOON) == "新线索：试驾，1.2 公里。请在 12:15 前答复。"


def test_a_lead_whose_time_is_running_out_is_announced_as_that_and_not_as_new() -> None:
    late = replace(card(CardState.NEW), reminded=True)
    assert ENGLISH.announcement(late, NOON) == "Still to answer: Test drive. Answer by 12:15."
    assert CHINESE.announcement(late, NOON) == "仍待答复：试驾。请在 12:15 前答复。"


def test_a_lead_that_moved_on_is_announced_with_what_to_do() -> None:
    said = ENGLISH.announcement(card(CardState.MOVED_ON), NOON)

    assert said.startswith("Test drive: Moved on.")
    assert "do not call" in said
