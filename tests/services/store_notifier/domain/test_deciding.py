"""What decisions say of an assignment that was open before them."""

from services.store_notifier.domain import Over, why_over
from shared.contracts import Cause, LeadDecided, Result
from tests.services.store_notifier.world import Lead

SITE, OTHER_SITE = "near", "far"


def begun(epochs: int = 1) -> Lead:
    """A lead that has had so many decisions, the last of which gave it to SITE."""
    return Lead(epoch=epochs)


def why(*later: LeadDecided) -> tuple[Over, int]:
    """Why the assignment of epoch 1 is over, and the epoch of the decision that ended it."""
    reason, decision = why_over(1, later)
    return reason, decision.epoch


def test_the_first_decision_after_an_assignment_ends_it() -> None:
    lead = begun()

    assert why(lead.waiting(Cause.SILENT), lead.assigned(SITE, cause=Cause.RETRIED), lead.accepted(SITE, 3)) == (
        Over.SILENT,
        2,
    )


def test_that_the_person_was_erased_goes_before_whatever_else_happened() -> None:
    lead = begun()

    assert why(lead.accepted(SITE, 1), lead.erased()) == (Over.ERASED, 3)


def test_an_outcome_without_an_acceptance_closes_an_assignment() -> None:
    assert why(begun().ended(SITE, 1, Result.WON)) == (Over.CLOSED, 2)


def test_what_another_site_did_is_no_reason_of_this_one() -> None:
    missed = begun(2)  # the decision of epoch 2 was buried

    assert why(missed.assigned(OTHER_SITE, cause=Cause.DECLINED)) == (Over.MOVED, 3)
    assert why(missed.accepted(OTHER_SITE, 2)) == (Over.MOVED, 4)
