"""The watcher reads every fact that it follows, as the contracts pin it."""

from pathlib import Path

import pytest

from deploy.demo.journey import Board
from deploy.demo.watch import show
from shared.contracts import DELIVERIES_ATTEMPTED, LEADS_DECIDED, NETWORK_CHANGED, POLICIES_PUBLISHED

GOLDEN = Path(__file__).parents[2] / "golden"


def test_decisions_and_attempts_become_journeys() -> None:
    board = Board()
    for outcome in ("assigned", "waiting", "joined", "closed"):
        show(board, LEADS_DECIDED.name, (GOLDEN / f"leads.decided.{outcome}.json").read_bytes())
    show(board, DELIVERIES_ATTEMPTED.name, (GOLDEN / "deliveries.attempted.json").read_bytes())
    assert board.journeys
    assert board.played == []


def test_networks_and_policies_are_noted_by_number() -> None:
    board = Board()
    network, policy = ((GOLDEN / f"{name}.json").read_bytes() for name in ("network.changed", "policies.published"))
    show(board, NETWORK_CHANGED.name, network)
    show(board, POLICIES_PUBLISHED.name, policy)
    assert board.network_revision == NETWORK_CHANGED.read(network).data.revision
    assert board.policy_version == POLICIES_PUBLISHED.read(policy).data.version


def test_a_record_that_is_no_fact_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match=r"."):
        show(Board(), LEADS_DECIDED.name, b"{}")
