"""How the decisions of one lead may follow each other: one holder at a time (I2), only forward (I3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import orjson


class Standing(StrEnum):
    """Where a lead stands after a decision; the right side of the count equation."""

    JOINED = "joined"
    WAITING = "waiting"
    HELD = "held"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Step:
    """One decision of a lead, as far as the rules of movement need it."""

    epoch: int
    outcome: str
    cause: str
    decided_at: datetime
    site_id: str | None = None
    reason: str | None = None
    assignment_epoch: int | None = None

    @classmethod
    def from_data(cls, data: bytes) -> "Step":
        """Read the `data` of a decided fact. Raises ValueError or KeyError when it is none."""
        said = orjson.loads(data)
        return cls(
            epoch=said["epoch"],
            outcome=said["outcome"],
            cause=said["cause"],
            decided_at=datetime.fromisoformat(said["decided_at"]),
            site_id=said.get("site_id"),
            reason=said.get("reason"),
            assignment_epoch=said.get("assignment_epoch"),
        )

    @property
    def standing(self) -> Standing:
        """Where this decision puts the lead."""
        return Standing.HELD if self.outcome == "assigned" else Standing(self.outcome)

    @property
    def place(self) -> str:
        """Standing, with what closed it: `closed(accepted)` may still move on, `closed(erased)` may not."""
        return f"closed({self.reason})" if self.outcome == "closed" else self.standing.value


_FORWARD = {
    "waiting": {"waiting", "held", "joined", "closed(outcome)", "closed(erased)"},
    "held": {"held", "waiting", "closed(accepted)", "closed(outcome)", "closed(erased)"},
    "joined": {"closed(erased)"},
    "closed(accepted)": {"closed(outcome)", "closed(erased)"},
    "closed(outcome)": {"closed(erased)"},
    "closed(erased)": set[str](),
}
_FIRST = {"waiting", "held", "joined", "closed(erased)"}
_RELEASES = {"declined", "silent", "undeliverable", "retried", "ordered"}
"""Causes that end a hold, so that another site may get the lead."""


def broken_rules(steps: Sequence[Step]) -> Iterator[str]:
    """Every rule that the decisions of one lead break, in plain words; `steps` are distinct facts ordered by epoch."""
    if not steps:
        return
    if steps[0].epoch != 1:
        yield f"the first decision has epoch {steps[0].epoch}, not 1"
    elif steps[0].place not in _FIRST:
        yield f"the first decision is {steps[0].place}"
    for before, after in pairwise(steps):
        if after.epoch == before.epoch:
            yield f"epoch {after.epoch} was decided twice, differently: two holders are possible"
            continue
        if after.epoch != before.epoch + 1:
            yield f"epochs {before.epoch + 1} to {after.epoch - 1} are missing"
        elif after.place not in _FORWARD.get(before.place, ()):
            yield f"epoch {after.epoch} moves from {before.place} to {after.place}"
        if after.decided_at < before.decided_at:
            yield f"epoch {after.epoch} was decided before epoch {before.epoch}"
        if before.outcome == "assigned":
            yield from _end_of_hold(before, after)


def _end_of_hold(held: Step, after: Step) -> Iterator[str]:
    if after.outcome == "assigned":
        if after.cause not in _RELEASES:
            yield f"epoch {after.epoch} gives the lead away although {held.site_id} was not released ({after.cause})"
        elif after.site_id == held.site_id and after.cause != "ordered":
            # (Asked anew from the place that an operator named, the same site may be the nearest again.)
            yield f"epoch {after.epoch} gives the lead back to {held.site_id}, which had just let it go"
    elif after.reason == "accepted" and (after.site_id, after.assignment_epoch) != (held.site_id, held.epoch):
        yield f"epoch {after.epoch} is accepted by {after.site_id}, but {held.site_id} held epoch {held.epoch}"
