"""Whether what a site says of an assignment counts: the first word stands, and only while the site holds the lead."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.contracts import Answer, DeclineReason, Result


class State(StrEnum):
    """Where a lead stands, by the newest decision read from leads.decided."""

    ASSIGNED = "assigned"
    WAITING = "waiting"
    JOINED = "joined"
    ACCEPTED = "accepted"
    OUTCOME = "outcome"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A lead's newest decision; `site_id` and `assignment_epoch` name its holder, if it has one."""

    lead_id: UUID
    epoch: int
    decision_id: UUID
    state: State
    site_id: str | None
    assignment_epoch: int | None
    respond_by: datetime | None
    decided_at: datetime
    traceparent: str | None = None
    remind_at: datetime | None = None
    """When the site is to be reminded; None when it is not, or was."""
    escalate_at: datetime | None = None
    partner: str | None = None
    """Who runs the holder's site, when that is known."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of the assignment `(lead_id, epoch)` of their site."""

    lead_id: UUID
    epoch: int
    site_id: str
    answer: Answer
    via: Literal["webhook", "inbox", "notifier"]
    decline_reason: DeclineReason | None = None
    result: Result | None = None

    @property
    def stage(self) -> Literal["response", "outcome"]:
        """An assignment is answered once, and has one outcome once it was accepted."""
        return "outcome" if self.answer is Answer.OUTCOME else "response"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said before on one stage of the assignment."""

    answer: Answer
    decline_reason: DeclineReason | None
    result: Result | None


class Refusal(StrEnum):
    """Why an answer does not count; the words are shown to the site."""

    MOVED_ON = "the lead is no longer with this site under this assignment"
    ANSWERED_OTHERWISE = "this assignment was answered before, and differently"
    NOT_ACCEPTED = "an outcome can be reported only for a lead that this site accepted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`recorded`: it counts. `repeated`: it was said before. `refused`: it came late or contradicts; see `refusal`."""

    kind: Literal["recorded", "repeated", "refused"]
    refusal: Refusal | None = None


def holds(assignment: Assignment, site_id: str, epoch: int) -> bool:
    """Whether the site holds the lead now by the assignment of that epoch (waiting for its answer, or accepted)."""
    return (
        assignment.state in (State.ASSIGNED, State.ACCEPTED)
        and assignment.site_id == site_id
        and assignment.assignment_epoch == epoch
    )


def judge(assignment: Assignment, response: Earlier | None, outcome: Earlier | None, said: Said) -> Verdict:
    """Compare and set: `response` and `outcome` are what was recorded for this assignment so far.

    `respond_by` plays no part: until the ledger starts another epoch, the site's word still finds the lead with it.
    """
    holding = holds(assignment, said.site_id, said.epoch)
    if said.stage == "outcome":
        if outcome is not None:
            return _repeat_or_refuse(outcome, said)
        accepted = assignment.state is State.ACCEPTED or (response is not None and response.answer is Answer.ACCEPTED)
        if not holding:
            return Verdict("refused", Refusal.MOVED_ON)
        return Verdict("recorded") if accepted else Verdict("refused", Refusal.NOT_ACCEPTED)
    if response is not None:
        if response.answer is Answer.ACCEPTED and not holding and not _ended_with(assignment, said):
            # It was accepted a moment too late: the ledger had given the lead away. Saying "fine" again would lie.
            return Verdict("refused", Refusal.MOVED_ON)
        return _repeat_or_refuse(response, said)
    if not holding:
        return Verdict("refused", Refusal.MOVED_ON)
    if assignment.state is State.ACCEPTED:
        same = said.answer is Answer.ACCEPTED
        return Verdict("repeated") if same else Verdict("refused", Refusal.ANSWERED_OTHERWISE)
    return Verdict("recorded")


def _ended_with(assignment: Assignment, said: Said) -> bool:
    return (
        assignment.state is State.OUTCOME
        and assignment.site_id == said.site_id
        and assignment.assignment_epoch == said.epoch
    )


def _repeat_or_refuse(earlier: Earlier, said: Said) -> Verdict:
    same = earlier == Earlier(said.answer, said.decline_reason, said.result)
    return Verdict("repeated") if same else Verdict("refused", Refusal.ANSWERED_OTHERWISE)
