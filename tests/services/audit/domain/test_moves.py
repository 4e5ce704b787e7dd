from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.audit.domain.moves import Standing, Step, broken_rules

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def step(epoch: int, outcome: str, cause: str, **more: Any) -> Step:
    return Step(epoch, outcome, cause, START + timedelta(minutes=epoch), **more)


ASSIGNED = step(1, "assigned", "received", site_id="near")
MOVED = step(2, "assigned", "declined", site_id="middle")
ACCEPTED = step(3, "closed", "accepted", site_id="middle", reason="accepted", assignment_epoch=2)
WON = step(4, "closed", "outcome", site_id="middle", reason="outcome", assignment_epoch=2)
ERASED = step(5, "closed", "erased", reason="erased")


def test_a_whole_life_breaks_no_rule() -> None:
    assert list(broken_rules([ASSIGNED, MOVED, ACCEPTED, WON, ERASED])) == []


@pytest.mark.parametrize(
    "steps",
    [
        [step(1, "waiting", "received"), step(2, "waiting", "retried"), step(3, "assigned", "retried", site_id="far")],
        [ASSIGNED, step(2, "closed", "outcome", site_id="near", reason="outcome", assignment_epoch=1)],
        [step(1, "waiting", "received"), step(2, "closed", "ordered", reason="outcome")],
        [ASSIGNED, step(2, "assigned", "ordered", site_id="far"), step(3, "assigned", "ordered", site_id="far")],
        [step(1, "joined", "received"), step(2, "closed", "erased", reason="erased")],
        [ASSIGNED, step(2, "waiting", "silent")],
        [],
    ],
)
def test_waiting_joining_and_letting_go_are_lawful(steps: list[Step]) -> None:
    assert list(broken_rules(steps)) == []


@pytest.mark.parametrize(
    ("steps", "broken"),
    [
        ([MOVED], "the first decision has epoch 2"),
        ([step(1, "closed", "accepted", reason="accepted")], "the first decision is closed(accepted)"),
        ([ASSIGNED, step(1, "assigned", "received", site_id="far")], "decided twice, differently"),
        ([ASSIGNED, ACCEPTED], "epochs 2 to 2 are missing"),
        ([ASSIGNED, step(2, "assigned", "accepted", site_id="far")], "although near was not released"),
        ([ASSIGNED, step(2, "assigned", "silent", site_id="near")], "back to near"),
        (
            [ASSIGNED, step(2, "closed", "accepted", site_id="far", reason="accepted", assignment_epoch=1)],
            "accepted by far, but near held epoch 1",
        ),
        (
            [step(1, "closed", "erased", reason="erased"), step(2, "assigned", "retried", site_id="far")],
            "moves from closed(erased) to held",
        ),
        ([step(1, "joined", "received"), step(2, "assigned", "retried", site_id="far")], "moves from joined to held"),
    ],
)
def test_each_broken_rule_is_named(steps: list[Step], broken: str) -> None:
    assert any(broken in rule for rule in broken_rules(steps))


def test_time_may_not_run_backwards() -> None:
    late = Step(2, "waiting", "silent", START - timedelta(days=1))

    assert list(broken_rules([ASSIGNED, late])) == ["epoch 2 was decided before epoch 1"]


def test_where_a_decision_puts_the_lead() -> None:
    assert [one.standing for one in (ASSIGNED, ACCEPTED, step(1, "waiting", "received"))] == [
        Standing.HELD,
        Standing.CLOSED,
        Standing.WAITING,
    ]
