"""The oracle of whose turn it was finds who was passed over."""

from datetime import datetime, timedelta

import pytest

from tests.faults.whose_turn import Turn, Turns
from tests.services.router.networks import NOW, site

ONE = site("near", limit=1)


def turn(second: float, lead: str, came: float, outcome: str, **more: object) -> Turn:
    """A decision of a transaction of its own, taken so many seconds after the beginning."""
    at = NOW + timedelta(seconds=second)
    record = {"lead_id": lead, "received_at": _at(came).isoformat(), "outcome": outcome, **more}
    return Turn(f"{second}", at, at, at.date(), record)


def _at(second: float) -> datetime:
    return NOW + timedelta(seconds=second)


def given(second: float, lead: str, came: float) -> Turn:
    return turn(second, lead, came, "assigned", site_id="near")


def waits(second: float, lead: str, came: float, lost: str = "full") -> Turn:
    return turn(second, lead, came, "waiting", candidates=[{"site_id": "near", "lost": lost}])


HISTORY = [given(0, "first", 0), waits(1, "second", 1), turn(5, "first", 0, "closed")]


def test_a_newer_lead_that_took_a_place_is_found() -> None:
    with pytest.raises(AssertionError, match="near was given third, which came after second"):
        Turns.of([ONE], [*HISTORY, given(6, "third", 2)])


def test_the_oldest_may_take_it_and_whoever_nobody_waits_before() -> None:
    assert Turns.of([ONE], [*HISTORY, given(6, "second", 1)]).served == 1
    Turns.of([ONE], [*HISTORY, given(6, "older", 0.5)])
    Turns.of([ONE], [HISTORY[0], waits(1, "second", 1, "too_far"), HISTORY[2], given(6, "third", 2)])
    Turns.of([site("near", limit=2)], [*HISTORY, given(6, "third", 2)])
    # It began to wait when the place was being given.
    Turns.of([ONE], [HISTORY[0], HISTORY[2], waits(5.5, "second", 1), given(6, "third", 2)])
